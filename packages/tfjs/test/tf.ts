import * as tfjsCpu from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";

// As the package @tensorflow/tfjs does: kernels of tfjs's own cpu backend, the gradients of its ops, and ops as methods.
export const tfjsCpuVersion: string = tfjsCpu.version_cpu;
await import("@tensorflow/tfjs-core/dist/register_all_gradients");
await import("@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops");

export { tf };

/** Values of a tensor, on whatever backend it is. */
export const valuesOf = (t: tf.Tensor): number[] => Array.from(t.dataSync());

/** The largest distance between two lists, against the largest value. */
export function distance(got: readonly number[], want: readonly number[]): number {
  const scale = Math.max(1e-30, ...want.map(Math.abs));
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  return Math.max(
    0,
    ...got.map((value, i) => (Object.is(value, want[i]) || value === want[i] ? 0 : Math.abs(value - want[i]!) / scale)),
  );
}
