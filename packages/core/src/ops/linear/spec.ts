import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { linearReference } from "./reference.ts";

/** Arguments of `linear`; the weight is a plain tensor or a packed one. */
export interface LinearInputs {
  x: Tensor; // [..., k]
  weight: Tensor; // [n, k]
  bias?: Tensor | undefined; // [n]
}

/**
 * y = x weight^T + bias over the last axis.
 *
 * Shapes: x [..., k]; weight [n, k] (PyTorch's layout), f32 or packed (f16, bf16, q8, q4); bias [n]; y [..., n].
 * Errors: ShapeError, DTypeError; BackendError when gradients are asked through a packed weight.
 * Source: as `torch.nn.functional.linear`.
 */
export const linear: Op<LinearInputs, object, { y: Tensor }> = defineOp<LinearInputs, object, { y: Tensor }>({
  name: "linear",
  inputs: { weight: "n k", x: "... k", bias: "n?" },
  attrs: {},
  outputs: ({ lead, dims }) => ({ y: [...lead, dims.n!] }),
  differentiable: ["x", "weight", "bias"],
  reference: linearReference,
  cost: ({ lead, dims }) => {
    const rows = lead.reduce((a, b) => a * b, 1);
    const { n, k } = dims as { n: number; k: number };
    return { flops: 2 * rows * n * k, bytes: 4 * (rows * (n + k) + n * k) };
  },
});
