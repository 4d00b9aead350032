import { cast, defineOp, div, maximum, notEqual, sum, tidy, type Op, type Tensor } from "../../tensor/index.ts";
import { crossEntropyReference } from "./reference.ts";

/** Arguments of `crossEntropy`. */
export interface CrossEntropyInputs {
  logits: Tensor; // [..., v]
  targets: Tensor; // int32 [...]
}

/** Settings of `crossEntropy`. */
export interface CrossEntropyAttrs {
  /** Positions with this target have loss 0 and no gradient. */
  ignoreIndex?: number;
}

/**
 * Cross entropy of each position, in nats: logsumexp(logits) - logits[target].
 *
 * Shapes: logits [..., v]; targets int32 [...], in [0, v) or `ignoreIndex` (-100 as in PyTorch); losses [...].
 * Errors: ShapeError, DTypeError. Targets are not range-checked on the device.
 * Source: as `torch.nn.functional.cross_entropy` with reduction "none".
 */
export const crossEntropy: Op<CrossEntropyInputs, CrossEntropyAttrs, { losses: Tensor }> = defineOp<
  CrossEntropyInputs,
  CrossEntropyAttrs,
  { losses: Tensor }
>({
  name: "crossEntropy",
  inputs: { logits: "... v", targets: "int32 ..." },
  attrs: { ignoreIndex: -100 },
  outputs: ({ lead }) => ({ losses: lead }),
  differentiable: ["logits"],
  reference: crossEntropyReference,
  cost: ({ lead, dims }) => {
    const size = lead.reduce((a, b) => a * b, 1) * dims.v!;
    return { flops: 3 * size, bytes: 4 * size, exps: size };
  },
});

/** Mean cross entropy over the positions that are not ignored (0 if all are), a scalar. */
export function meanCrossEntropy(logits: Tensor, targets: Tensor, ignoreIndex = -100): Tensor {
  return tidy(() => {
    const { losses } = crossEntropy({ logits, targets }, { ignoreIndex });
    const count = sum(cast(notEqual(targets, ignoreIndex), "float32"));
    return div(sum(losses), maximum(count, 1));
  });
}
