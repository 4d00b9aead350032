import { ndzeros, sizeOf } from "../math/ndarray.ts";
import { add } from "./binary.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { matMul } from "./matMul.ts";
import { reshape } from "./movement.ts";

const inputs = {
  /** A plain tensor, or a packed one. */
  weight: "n k",
  x: "... k",
  bias: "n?",
} as const;

/**
 * y = x weight^T + bias over the last axis.
 *
 * Shapes: x [..., k]; weight [n, k] (PyTorch's layout), f32 or packed (f16, bf16, q8, q4); bias [n]; y [..., n].
 * Errors: ShapeError, DTypeError; BackendError when gradients are asked through a packed weight.
 * Source: as `torch.nn.functional.linear`.
 */
export const linear: Op<typeof inputs, NoAttrs> = defineOp({
  name: "linear",
  inputs,
  attrs: {},
  outputs: { y: "... n" },
  differentiable: ["x", "weight", "bias"],
  reference: ({ x, weight, bias }) => {
    const [n, k] = weight.shape as [number, number];
    const rows = sizeOf(x.shape.slice(0, -1));
    const y = ndzeros([...x.shape.slice(0, -1), n]);
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < n; j++) {
        let dot = bias ? bias.data[j]! : 0;
        for (let i = 0; i < k; i++) dot += x.data[r * k + i]! * weight.data[j * k + i]!;
        y.data[r * n + j] = dot;
      }
    }
    return { y };
  },
  compose: ({ x, weight, bias }) => {
    const [n, k] = weight.shape as [number, number];
    const rows = matMul(reshape(x, [sizeOf(x.shape.slice(0, -1)), k]), weight, false, true);
    return { y: reshape(bias ? add(rows, bias) : rows, [...x.shape.slice(0, -1), n]) };
  },
  cut: "...",
  cost: ({ lead, dims: { n, k } }) => {
    const rows = sizeOf(lead);
    return { flops: 2 * rows * n * k, bytes: 4 * (rows * (n + k) + n * k) };
  },
});
