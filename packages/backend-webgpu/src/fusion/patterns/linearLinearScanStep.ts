import type { StorageFormat } from "@statespace/core/backend";
import { planGemv } from "../../ops/linear/gemv.ts";
import type { Pattern } from "../pattern.ts";
import { sameStart } from "../record.ts";
import { replayWishes } from "../replayWishes.ts";
import { rowProductOf, type RowProduct } from "../rowProduct.ts";
import { scanStepOf, stepRowsOf, type ScanStep } from "../scanStep.ts";

/** Every workgroup reads the first projection's weights: past this that costs more than the dispatch it saves. */
const repeatedBytes = 512 * 1024;
const repeatedInputs = 3072;

/** How dtProj's weight is stored beside an xProj in this format: quantised models leave it wide. */
export const deltaFormats: Readonly<Partial<Record<StorageFormat, "f32" | "f16" | "bf16">>> = {
  f32: "f32",
  f16: "f16",
  bf16: "bf16",
  q8: "f32",
  q4: "f32",
};

/** True where xProj feeds dtProj and the step, dtProj feeds the step's delta, and the step's input is xProj's. */
export function isChain(xProj: RowProduct, dtProj: RowProduct, step: ScanStep): boolean {
  return (
    xProj.k === step.d && sameStart(xProj.x, step.u) && sameStart(dtProj.x, xProj.y) && sameStart(step.delta, dtProj.y)
  );
}

/** xProj, dtProj and the scan's step: from the convolution's output to y. */
export const linearLinearScanStep: Pattern = {
  ops: ["linear", "linear", "selectiveScanStep"],
  fuse([first, second, third], lowering) {
    const [xProj, dtProj, step] = [rowProductOf(first!), rowProductOf(second!), scanStepOf(third!)];
    if (!replayWishes.wholeStep || !xProj || !dtProj || !step || xProj.bias || dtProj.bias) return undefined;
    const rows = stepRowsOf(xProj.y, step);
    const DELTA_FORMAT = deltaFormats[xProj.W.format];
    if (!rows || Math.max(rows.B, rows.C) + step.g * step.n > xProj.n || !isChain(xProj, dtProj, step))
      return undefined;
    if (xProj.W.size > repeatedBytes || xProj.k > repeatedInputs) return undefined;
    if (!DELTA_FORMAT || dtProj.W.format !== DELTA_FORMAT) return undefined;
    const { channels: CH } = replayWishes;
    const WG = 2 ** Math.floor(Math.log2(Math.min(512, lowering.traits.maxInvocations)));
    const { variant, params } = planGemv(xProj.n, xProj.k, xProj.W.format, lowering.traits);
    const { z, A, D, deltaBias, state, y, d, n, g } = step;
    return lowering.dispatch("selectiveScan/stepFromInput", {
      variant: { ...variant, DELTA_FORMAT },
      constants: { WG, LANES: 32, CH, K: xProj.k, ROWS: xProj.n, R: dtProj.k, N: n, SOFTPLUS: step.softplus },
      params: { d, g, rowB: rows.B, rowC: rows.C, k: params.k, scales: params.scales },
      buffers: {
        u: xProj.x,
        W: xProj.W,
        deltaW: dtProj.W,
        z,
        A,
        D,
        deltaBias,
        state,
        projectedOut: xProj.y,
        delta: dtProj.y,
        y,
      },
      grid: [Math.ceil(d / CH), 1, 1],
    });
  },
};
