import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import {
  cutConstants,
  cutScan,
  forwardWish,
  scanExtents,
  scanSwitches,
  smallOperands,
  type WorkgroupBytes,
} from "./plan.ts";

const forwardBytes: WorkgroupBytes = ({ V, L, CH, TS }) =>
  4 * (2 * (TS + 1) * CH + CH * (L * (TS + 1) + 1) + 4 * L * (2 * TS * V + 1) + TS);

/** Selective scan; with more than one chunk a row: reduce the chunks, then apply, each chunk carrying over those before it. */
export function selectiveScan(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = scanExtents(inputs);
  const { b, l, d, n, g } = extents;
  const cut = cutScan(extents, forwardWish(extents), backend.traits, forwardBytes);
  const { chunk, chunks } = cut;
  const y = backend.output([b, l, d]);
  const last = attrs.returnLastState ? backend.output([b, d, n]) : undefined;
  const operands = smallOperands(backend, inputs, extents, cut);
  const shader = operands.apart ? "selectiveScan/forwardApart" : "selectiveScan/forward";
  const switches = scanSwitches(inputs, attrs);
  const offSum = b * chunks * d * n;
  const params = [l, d, n, g, chunk, chunks, ...operands.offsets, offSum];
  const grid = [Math.ceil(d / cut.CH), chunks, b] as const;
  const PS = cut.L * (cut.TS + 1) + 1;
  const states = chunks > 1 ? backend.scratch(offSum + b * chunks * d) : undefined;
  if (states) {
    backend.dispatch(shader, {
      constants: { ...cutConstants(cut), ...operands.constants, ...switches, HAS_Z: false, REDUCE: true, PS: 1 },
      params,
      bindings: [
        inputs.u,
        inputs.delta,
        undefined,
        operands.packed,
        undefined,
        states,
        undefined,
        undefined,
        ...operands.more,
      ],
      // The last chunk's end is nobody's beginning.
      grid: [grid[0], chunks - 1, b],
    });
  }
  backend.dispatch(shader, {
    constants: {
      ...cutConstants(cut),
      ...operands.constants,
      ...switches,
      PS,
      HAS_INITIAL: !!inputs.initialState,
      PREFIX: !!states,
      KEEP_LAST: !!last,
    },
    params,
    bindings: [
      inputs.u,
      inputs.delta,
      inputs.z,
      operands.packed,
      inputs.initialState,
      last,
      y,
      states,
      ...operands.more,
    ],
    grid,
  });
  if (states) backend.release(states);
  operands.release();
  return last ? [y, last] : [y];
}
