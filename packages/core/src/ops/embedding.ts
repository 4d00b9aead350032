import { ndzeros, sizeOf } from "../math/ndarray.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { gather } from "./indexing.ts";

const inputs = {
  /** A plain tensor, or a packed one. */
  weight: "v d",
  ids: "int32 ...",
} as const;

/**
 * Looks up one row of the weight per id.
 *
 * Shapes: ids int32 [...], each in [0, v); weight [v, d], f32 or packed; y [..., d].
 * Errors: ShapeError, DTypeError; ArgumentError for an id out of range, or, where only a device knows it, a row of NaN.
 * Source: as `torch.nn.functional.embedding`.
 */
export const embedding: Op<typeof inputs, NoAttrs> = defineOp({
  name: "embedding",
  inputs,
  attrs: {},
  outputs: { y: "... d" },
  ids: { ids: { below: ({ dims: { v } }) => v } },
  differentiable: ["weight"],
  reference: ({ ids, weight }) => {
    const d = weight.shape[1]!;
    const y = ndzeros([...ids.shape, d]);
    ids.data.forEach((id, i) => y.data.set(weight.data.subarray(id * d, (id + 1) * d), i * d));
    return { y };
  },
  compose: ({ ids, weight }) => ({ y: gather(weight, ids) }),
  cut: "...",
  cutGradient: false, // every part would make a gradient as large as the table
  cost: ({ lead, dims: { d } }) => ({ flops: 0, bytes: 4 * sizeOf(lead) * (2 * d + 1) }),
});
