import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
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
  const { variant } = operands;
  const constants = { ...cutConstants(cut), ...scanSwitches(inputs, attrs) };
  const offSum = b * chunks * d * n;
  const params = { l, d, n, g, chunk, chunks, ...operands.offsets, offSum };
  const read = { u: inputs.u!, delta: inputs.delta!, ...operands.buffers };
  const groups = Math.ceil(d / cut.CH);
  const states = chunks > 1 ? backend.scratch(offSum + b * chunks * d) : undefined;
  if (states) {
    backend.run("selectiveScan/forward", {
      variant,
      constants: { ...constants, REDUCE: true, PS: 1 },
      params,
      buffers: { ...read, last: states },
      // The last chunk's end is nobody's beginning.
      grid: [groups, chunks - 1, b],
    });
  }
  backend.run("selectiveScan/forward", {
    variant,
    constants: { ...constants, PS: cut.L * (cut.TS + 1) + 1, KEEP_LAST: !!last },
    params,
    buffers: { ...read, z: inputs.z, initial: inputs.initialState, last, y, ends: states },
    grid: [groups, chunks, b],
  });
  if (states) backend.release(states);
  operands.release();
  return last ? [y, last] : [y];
}
