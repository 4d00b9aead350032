import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { cutConstants, cutScan, packOperands, paddedStates, scanExtents, scanSwitches, wishes, type WorkgroupBytes } from "./plan.ts";

const forwardBytes: WorkgroupBytes = ({ V, L, CH, TS }) => 4 * (2 * (TS + 1) * CH + CH * (L * (TS + 1) + 1) + 4 * L * (2 * TS * V + 1) + TS);

/** Selective scan; with more than one chunk a row: reduce the chunks, carry over them, apply. */
export function selectiveScan(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = scanExtents(inputs);
  const { b, l, d, n, g } = extents;
  const cut = cutScan(extents, wishes.forward, backend.traits, forwardBytes);
  const { chunk, chunks } = cut;
  const y = backend.output([b, l, d]);
  const last = attrs.returnLastState ? backend.output([b, d, n]) : undefined;
  const { packed, offsets } = packOperands(backend, inputs, extents, cut);
  const switches = scanSwitches(inputs, attrs);
  const offSum = b * chunks * d * n;
  const params = [l, d, n, g, chunk, chunks, ...offsets, offSum];
  const grid = [Math.ceil(d / cut.CH), chunks, b] as const;
  const PS = cut.L * (cut.TS + 1) + 1;
  if (chunks === 1) {
    backend.dispatch("selectiveScan/forward", {
      constants: { ...cutConstants(cut), ...switches, PS, HAS_INITIAL: !!inputs.initialState, KEEP_LAST: !!last },
      params,
      bindings: [inputs.u, inputs.delta, inputs.z, packed, inputs.initialState, last, y],
      grid,
    });
  } else {
    const states = backend.scratch(offSum + b * chunks * d);
    backend.dispatch("selectiveScan/forward", {
      constants: { ...cutConstants(cut), ...switches, HAS_Z: false, REDUCE: true, PS: 1 },
      params,
      bindings: [inputs.u, inputs.delta, undefined, packed, undefined, states, undefined],
      grid,
    });
    backend.dispatchOver("selectiveScan/carry", b * d * n, 64, {
      constants: { HAS_INITIAL: !!inputs.initialState, KEEP_LAST: !!last },
      params: [d, n, paddedStates(cut), chunks, b * d * n, 0, offSum, 0],
      bindings: [packed, inputs.initialState, states, last],
    });
    backend.dispatch("selectiveScan/forward", {
      constants: { ...cutConstants(cut), ...switches, PS, HAS_INITIAL: true },
      params,
      bindings: [inputs.u, inputs.delta, inputs.z, packed, states, undefined, y],
      grid,
    });
    backend.release(states);
  }
  backend.release(packed);
  return last ? [y, last] : [y];
}
