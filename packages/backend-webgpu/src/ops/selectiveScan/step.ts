import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";

const CH = 16;

/** One token of the selective scan; the state is changed in place. */
export function selectiveScanStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, d] = inputs.u!.shape as [number, number];
  const n = inputs.A!.shape[1]!;
  const g = inputs.B!.shape.length === 3 ? inputs.B!.shape[1]! : 1;
  const y = backend.output([b, d]);
  const constants = {
    L: 4,
    CH,
    HAS_D: !!inputs.D,
    HAS_Z: !!inputs.z,
    HAS_BIAS: !!inputs.deltaBias,
    SOFTPLUS: !!attrs.deltaSoftplus,
  };
  // B and C are parts of one projection; at batch 1 they are views into it at offsets that cannot be bound.
  const [B, C] = [backend.bindFrom(inputs.B!), backend.bindFrom(inputs.C!)];
  const bindings = [inputs.u, inputs.delta, inputs.z, B.binding, C.binding, inputs.state, y];
  const request = {
    constants,
    params: [b, d, n, g, d * n, d * n + d, B.shift, C.shift],
    grid: [Math.ceil(d / CH), b, 1] as const,
  };
  if (backend.traits.maxStorageBuffers >= 10) {
    backend.dispatch("selectiveScan/step", {
      ...request,
      bindings: [...bindings, inputs.A, inputs.D, inputs.deltaBias],
    });
    return [y];
  }
  const joined = backend.scratch(d * n + 2 * d);
  backend.copyInto(joined, 0, inputs.A!);
  if (inputs.D) backend.copyInto(joined, d * n, inputs.D);
  if (inputs.deltaBias) backend.copyInto(joined, d * n + d, inputs.deltaBias);
  backend.dispatch("selectiveScan/stepJoined", { ...request, bindings: [...bindings, joined] });
  backend.release(joined);
  return [y];
}
