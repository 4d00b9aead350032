import { ShapeError } from "../errors.ts";
import { ndzeros, sizeOf } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { div, maximum, notEqual, sub } from "./binary.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { oneHot } from "./indexing.ts";
import { cast, where } from "./make.ts";
import { argMax } from "./reduce.ts";
import { sum } from "./sum.ts";
import { exp, log1p } from "./unary.ts";

const inputs = { logits: "... v", targets: "int32 ..." } as const;

const attrs = {
  /** Positions with this target have loss 0 and no gradient. */
  ignoreIndex: -100,
};

/**
 * Cross entropy of each position, in nats: logsumexp(logits) - logits[target].
 *
 * Shapes: logits [..., v]; targets int32 [...], in [0, v) or `ignoreIndex` (-100 as in PyTorch); losses [...].
 * Errors: ShapeError, DTypeError; ArgumentError for a target out of range, or, where only a device knows it, a loss and a gradient of NaN.
 * Source: as `torch.nn.functional.cross_entropy` with reduction "none".
 */
export const crossEntropy: Op<typeof inputs, typeof attrs, { readonly losses: string }> = defineOp({
  name: "crossEntropy",
  inputs,
  attrs,
  outputs: { losses: "..." },
  whole: ["ignoreIndex"],
  ids: { targets: { below: ({ dims: { v } }) => v, besides: ({ ignoreIndex }) => ignoreIndex } },
  check: ({ dims: { v }, lead }) => {
    if (v === 0 && sizeOf(lead) > 0)
      throw new ShapeError("crossEntropy: logits [..., v] must have a class to choose, got v = 0");
  },
  differentiable: ["logits"],
  reference: ({ logits, targets }, { ignoreIndex }) => {
    const v = logits.shape.at(-1)!;
    const losses = ndzeros(targets.shape);
    targets.data.forEach((target, i) => {
      if (target === ignoreIndex) return;
      const row = logits.data.subarray(i * v, (i + 1) * v);
      const peak = row.reduce((a, b) => Math.max(a, b), -Infinity);
      // All but one of the largest, whose share of the sum is 1: a confident row's loss is what the others add to it.
      const first = row.indexOf(peak);
      const others = row.reduce((a, b, c) => (c === first ? a : a + Math.exp(b - peak)), 0);
      losses.data[i] = Math.log1p(others) + (peak - row[target]!);
    });
    return { losses };
  },
  compose: ({ logits, targets }, { ignoreIndex }) => {
    const v = logits.shape.at(-1)!;
    const none = zeros([1], { backend: logits.backend });
    const is = (ids: Tensor): Tensor => notEqual(oneHot(ids, v), 0); // [..., v]
    const largest = is(argMax(logits, -1));
    const below = (): Tensor => sub(logits, sum(where(largest, logits, none), -1, true)); // [..., v], at most 0
    const rest = log1p(sum(where(largest, none, exp(below())), -1));
    // Made last, so that its gradient comes first: what it adds to a largest target cancels before small parts meet it.
    // Chosen, not multiplied: a class that is ruled out by -Infinity is no other's matter.
    const own = sum(where(is(targets), below(), none), -1);
    const losses = sub(rest, own);
    return {
      losses: where(notEqual(targets, ignoreIndex), losses, zeros(targets.shape, { backend: targets.backend })),
    };
  },
  cut: "...",
  cost: ({ lead, dims: { v } }) => ({
    flops: 3 * sizeOf(lead) * v,
    bytes: 4 * sizeOf(lead) * v,
    exps: sizeOf(lead) * v,
  }),
});

/** Mean cross entropy over the positions that are not ignored (0 if all are), a scalar. */
export function meanCrossEntropy(logits: Tensor, targets: Tensor, ignoreIndex = -100): Tensor {
  return tidy(() => {
    const { losses } = crossEntropy({ logits, targets }, { ignoreIndex });
    const count = sum(cast(notEqual(targets, ignoreIndex), "float32"));
    return div(sum(losses), maximum(count, 1));
  });
}
