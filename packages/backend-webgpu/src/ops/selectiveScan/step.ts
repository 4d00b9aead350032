import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";

const CH = 16;

/** One token of the selective scan; the state is changed in place. */
export function selectiveScanStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, d] = inputs.u!.shape as [number, number];
  const n = inputs.A!.shape[1]!;
  const g = inputs.B!.shape.length === 3 ? inputs.B!.shape[1]! : 1;
  const y = backend.output([b, d]);
  // B and C are parts of one projection; at batch 1 they are views into it at offsets that cannot be bound.
  const [B, C] = [backend.bindFrom(inputs.B!), backend.bindFrom(inputs.C!)];
  const params = { b, d, n, g, offD: d * n, offBias: d * n + d, shiftB: B.shift, shiftC: C.shift };
  const constants = { L: 4, CH, SOFTPLUS: !!attrs.deltaSoftplus };
  const { u, delta, z, state, A, D, deltaBias } = inputs;
  const buffers = { u: u!, delta: delta!, z, B: B.binding, C: C.binding, state: state!, y };
  const grid = [Math.ceil(d / CH), b, 1] as const;
  if (backend.traits.maxStorageBuffers >= 10) {
    backend.run("selectiveScan/step", {
      variant: { OPERANDS: "apart" },
      constants,
      params,
      buffers: { ...buffers, A: A!, D, deltaBias },
      grid,
    });
    return [y];
  }
  const joined = backend.scratch(d * n + 2 * d);
  backend.copyInto(joined, 0, A!);
  if (D) backend.copyInto(joined, d * n, D);
  if (deltaBias) backend.copyInto(joined, d * n + d, deltaBias);
  backend.run("selectiveScan/step", {
    variant: { OPERANDS: "joined" },
    constants: { ...constants, HAS_D: !!D, HAS_BIAS: !!deltaBias },
    params,
    buffers: { ...buffers, joined },
    grid,
  });
  backend.release(joined);
  return [y];
}
