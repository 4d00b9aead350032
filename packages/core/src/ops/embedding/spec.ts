import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { embeddingReference } from "./reference.ts";

/** Arguments of `embedding`. */
export interface EmbeddingInputs {
  ids: Tensor; // int32 [...]
  weight: Tensor; // [v, d]
}

/**
 * Looks up one row of the weight per id.
 *
 * Shapes: ids int32 [...], each in [0, v) (checked where ids enter the library, since a device cannot throw);
 * weight [v, d], f32 or packed; y [..., d].
 * Errors: ShapeError, DTypeError.
 * Source: as `torch.nn.functional.embedding`.
 */
export const embedding: Op<EmbeddingInputs, object, { y: Tensor }> = defineOp<EmbeddingInputs, object, { y: Tensor }>({
  name: "embedding",
  inputs: { weight: "v d", ids: "int32 ..." },
  attrs: {},
  outputs: ({ lead, dims }) => ({ y: [...lead, dims.d!] }),
  differentiable: ["weight"],
  reference: embeddingReference,
  cost: ({ lead, dims }) => {
    const rows = lead.reduce((a, b) => a * b, 1);
    return { flops: 0, bytes: 4 * rows * (2 * dims.d! + 1) };
  },
});
