import { readFloats, valueAndGrads, type Tensor } from "@statespace/core";
import type { NdArray } from "@statespace/core/math";
import { toTensor } from "./inputs.ts";

/** Reads a tensor as float64 and disposes it. */
export async function take(t: Tensor): Promise<Float64Array> {
  const values = Float64Array.from(await readFloats(t));
  t.dispose();
  return values;
}

/**
 * Gradients of one output of an op with respect to named inputs, for an upstream gradient.
 * @param run builds the output from tensors of the inputs.
 */
export async function gradientsOf(
  inputs: Readonly<Record<string, NdArray>>,
  wanted: readonly string[],
  upstream: NdArray,
  run: (tensors: Readonly<Record<string, Tensor>>) => Tensor,
): Promise<Record<string, Float64Array>> {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]));
  const dy = toTensor(upstream);
  const { value, grads } = valueAndGrads(
    () => run(tensors),
    wanted.map((name) => tensors[name]!),
    dy,
  );
  const out: Record<string, Float64Array> = {};
  for (const [i, name] of wanted.entries())
    out[name] = grads[i] ? await take(grads[i]) : new Float64Array(inputs[name]!.data.length);
  for (const t of [value, dy, ...Object.values(tensors)]) t.dispose();
  return out;
}
