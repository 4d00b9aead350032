import type { StorageFormat } from "@statespace/core/backend";
import type { Pattern } from "../pattern.ts";
import { sameStart } from "../record.ts";
import { rowProductOf } from "../rowProduct.ts";
import { scanStepOf, stepRowsOf } from "../scanStep.ts";

/** Channels a workgroup. */
const CH = 8;

const isWide = (format: StorageFormat): format is "f32" | "f16" | "bf16" =>
  format === "f32" || format === "f16" || format === "bf16";

/** dtProj and the scan's step, whose B and C lie behind dtProj's input in one projection. */
export const linearScanStep: Pattern = {
  ops: ["linear", "selectiveScanStep"],
  fuse([first, second], lowering) {
    const [product, step] = [rowProductOf(first!), scanStepOf(second!)];
    if (!product || !step || product.bias || !sameStart(step.delta, product.y)) return undefined;
    const FORMAT = product.W.format;
    const rows = stepRowsOf(product.x, step);
    if (!rows || !isWide(FORMAT)) return undefined;
    const { u, z, A, D, deltaBias, state, y, d, n, g } = step;
    return lowering.dispatch("selectiveScan/stepProjected", {
      variant: { FORMAT },
      constants: { CH, SOFTPLUS: step.softplus },
      params: { d, n, g, rowB: rows.B, rowC: rows.C, k: product.k, scales: 0 },
      buffers: { projected: rows.whole, W: product.W, u, z, A, D, deltaBias, state, delta: product.y, y },
      grid: [Math.ceil(d / CH), 1, 1],
    });
  },
};
