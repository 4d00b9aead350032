import { ndzeros, sizeOf } from "../math/ndarray.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { gather } from "./indexing.ts";
import { matMul } from "./matMul.ts";
import { reshape } from "./movement.ts";

const inputs = {
  /** A matrix an expert: a plain tensor, or a packed one. */
  weight: "e n k",
  x: "... k",
  /** The experts that were chosen for each row of x. */
  ids: "int32 ... s",
} as const;

/**
 * Projects each row of x by the experts chosen for it: y_rs = W_(ids_rs) x_r. Experts that nobody chose are not read.
 *
 * Shapes: x [..., k]; ids int32 [..., s], each in [0, e) (another gives zeros); weight [e, n, k], f32 or packed (f16, bf16, q8, q4);
 * y [..., s, n].
 * Errors: ShapeError, DTypeError; BackendError when gradients are asked through a packed weight.
 * Source: Shazeer et al. 2017 (arXiv 1701.06538), the experts of a sparsely gated mixture.
 */
export const expertLinear: Op<typeof inputs, NoAttrs> = defineOp({
  name: "expertLinear",
  inputs,
  attrs: {},
  outputs: { y: "... s n" },
  differentiable: ["x", "weight"],
  reference: ({ x, weight, ids }) => {
    const [e, n, k] = weight.shape as [number, number, number];
    const s = ids.shape.at(-1)!;
    const y = ndzeros([...ids.shape, n]);
    ids.data.forEach((id, at) => {
      if (id < 0 || id >= e) return;
      const row = Math.floor(at / s);
      for (let j = 0; j < n; j++)
        for (let i = 0; i < k; i++) y.data[at * n + j]! += weight.data[(id * n + j) * k + i]! * x.data[row * k + i]!;
    });
    return { y };
  },
  // A copy of the chosen matrices, row by row.
  compose: ({ x, weight, ids }) => {
    const [, n, k] = weight.shape as [number, number, number];
    const s = ids.shape.at(-1)!;
    const rows = sizeOf(x.shape.slice(0, -1));
    const chosen = reshape(gather(weight, reshape(ids, [ids.size])), [rows, s * n, k]);
    return { y: reshape(matMul(chosen, reshape(x, [rows, k, 1])), [...ids.shape, n]) };
  },
  cut: "...",
  cutGradient: false, // every part would make a gradient as large as all experts
  cost: ({ lead, dims: { e, n, k, s } }) => {
    const rows = sizeOf(lead);
    return {
      flops: 2 * rows * s * n * k,
      bytes: 4 * (rows * (k + s * (n + 1)) + Math.min(e, rows * s) * n * k),
    };
  },
});
