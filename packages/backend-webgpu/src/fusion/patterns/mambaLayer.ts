import { planGemv, stagedInputs } from "../../ops/linear/gemv.ts";
import { wholeWords, wordElements } from "../../ops/linear/formats.ts";
import type { Pattern } from "../pattern.ts";
import { replayWishes } from "../replayWishes.ts";
import { normOf, rowConvolutionOf, rowProductOf } from "../rowProduct.ts";
import { scanStepOf, stepRowsOf } from "../scanStep.ts";
import { deltaFormats, isChain } from "./linearLinearScanStep.ts";

/** Outputs of inProj a workgroup: a block of q4. */
const BLOCK = 32;
/** Its threads, and how many of them an output: the best of six on an H100 (bench/NOTES.md). */
const THREADS = 512;
const LANES = 16;

/** A Mamba block from its norm to the scan's step, in two dispatches: xProj is made in parts where its inputs are. */
export const mambaLayer: Pattern = {
  ops: ["rmsNorm", "linear", "causalConv1dStep", "linear", "linear", "selectiveScanStep"],
  fuse([first, second, third, fourth, fifth, sixth], lowering) {
    const { wholeStep, channels: CH } = replayWishes;
    const [inProj, xProj, dtProj] = [second!, fourth!, fifth!].map(rowProductOf);
    const step = scanStepOf(sixth!);
    if (!wholeStep || !inProj || !xProj || !dtProj || !step || inProj.bias || xProj.bias || dtProj.bias)
      return undefined;
    const [input, conv] = [normOf(first!, inProj), rowConvolutionOf(third!, inProj)];
    const rows = stepRowsOf(xProj.y, step);
    const FORMAT = inProj.W.format;
    const DELTA_FORMAT = deltaFormats[FORMAT];
    if (!input?.norm || input.z || !conv || conv.first !== 0 || conv.d !== step.d || conv.d % BLOCK !== 0)
      return undefined;
    if (!rows || !isChain(xProj, dtProj, step) || conv.y.buffer !== xProj.x.buffer) return undefined;
    if (!DELTA_FORMAT || dtProj.W.format !== DELTA_FORMAT || xProj.W.format !== FORMAT || !wholeWords(FORMAT, BLOCK))
      return undefined;
    const WG = 2 ** Math.floor(Math.log2(Math.min(THREADS, lowering.traits.maxInvocations)));
    const { variant, params } = planGemv(inProj.n, inProj.k, FORMAT, lowering.traits);
    const words = inProj.k / wordElements(FORMAT);
    const [ROWS, BLOCKS] = [xProj.n, conv.d / BLOCK];
    const parts = lowering.scratch(4 * ROWS * BLOCKS);
    if (ROWS > WG) return undefined;
    const begun = lowering.dispatch("selectiveScan/convProjected", {
      variant,
      constants: {
        WG,
        LANES,
        AHEAD: Math.max(1, Math.min(6, Math.ceil(words / LANES))),
        TAPS: conv.taps,
        ROWS,
        BLOCK,
        K: stagedInputs(inProj.k),
        CONV_SILU: conv.silu,
      },
      params: {
        ...params,
        eps: input.norm.eps,
        d: conv.d,
        xScales: planGemv(ROWS, conv.d, FORMAT, lowering.traits).params.scales,
      },
      buffers: {
        x: input.x,
        W: inProj.W,
        y: inProj.y,
        normWeight: input.norm.weight,
        normed: input.y,
        convWeight: conv.weight,
        convBias: conv.bias,
        convState: conv.state,
        convolved: conv.y,
        xW: xProj.W,
        parts,
      },
      grid: [Math.ceil(inProj.n / BLOCK), 1, 1],
    });
    const { z, A, D, deltaBias, state, y, d, n, g } = step;
    const ended = lowering.dispatch("selectiveScan/stepFromParts", {
      variant: { DELTA_FORMAT, SUMS: variant.SUMS },
      constants: {
        WG: Math.min(512, lowering.traits.maxInvocations),
        CH,
        BLOCKS,
        ROWS,
        R: dtProj.k,
        N: n,
        SOFTPLUS: step.softplus,
      },
      params: { d, g, rowB: rows.B, rowC: rows.C, pad: 0 },
      buffers: {
        u: xProj.x,
        parts,
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
    return begun && ended && [begun, ended];
  },
};
