import { ndclone } from "../../math/ndarray.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";

/** Arguments of `copy`: two tensors of the same shape. */
export interface CopyInputs {
  /** Changed in place. */
  destination: Tensor; // [...]
  source: Tensor; // [...]
}

/**
 * Copies the values of one tensor into another of the same shape, in place: how state keeps its address.
 *
 * Shapes: destination, source [...].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 */
export const copy: Op<CopyInputs, object, object> = defineOp<CopyInputs, object, object>({
  name: "copy",
  inputs: { destination: "...", source: "..." },
  attrs: {},
  outputs: () => ({}),
  differentiable: [],
  inPlace: ["destination"],
  reference: ({ source }) => ({ destination: ndclone(source!) }),
  cost: ({ lead }) => ({ flops: 0, bytes: 8 * lead.reduce((a, b) => a * b, 1) }),
});
