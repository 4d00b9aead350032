import { ndclone, sizeOf } from "../math/ndarray.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";

const inputs = {
  /** Changed in place. */
  destination: "float32|int32 ...",
  source: "float32|int32 ...",
} as const;

/**
 * Copies the values of one tensor into another of the same shape, in place: how state keeps its address.
 *
 * Shapes: destination, source [...], of one dtype.
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const copy: Op<typeof inputs, NoAttrs, NoAttrs> = defineOp({
  name: "copy",
  inputs,
  attrs: {},
  outputs: {},
  differentiable: [],
  inPlace: ["destination"],
  reference: ({ source }) => ({ destination: ndclone(source) }),
  cost: ({ lead }) => ({ flops: 0, bytes: 8 * sizeOf(lead) }),
});
