import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { adamWReference } from "./reference.ts";

/** Arguments of `adamW`: one parameter, its moments and its gradient, all of the same shape. */
export interface AdamWInputs {
  /** Changed in place. */
  param: Tensor; // [...]
  /** First moment, changed in place. */
  m: Tensor; // [...]
  /** Second moment, changed in place. */
  v: Tensor; // [...]
  grad: Tensor; // [...]
  /** float32 [8]: learning rate, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t, unused. A tensor, so that a captured step can be fed. */
  hyper: Tensor; // [8]
  /** Multiplies the gradient (clipping by global norm), if present. */
  gradScale?: Tensor | undefined; // []
}

/**
 * One AdamW step in place, with decoupled weight decay.
 *
 *     m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
 *     param = param (1 - lr decay) - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * Shapes: param, m, v, grad [...]; hyper [8]; gradScale [].
 * Errors: ShapeError, DTypeError; BackendError while gradients are recorded.
 * Source: Loshchilov and Hutter 2019 (arXiv 1711.05101), Algorithm 2, as `torch.optim.AdamW`.
 */
export const adamW: Op<AdamWInputs, object, object> = defineOp<AdamWInputs, object, object>({
  name: "adamW",
  inputs: { param: "...", m: "...", v: "...", grad: "...", hyper: "8", gradScale: "?" },
  attrs: {},
  outputs: () => ({}),
  differentiable: [],
  inPlace: ["param", "m", "v"],
  reference: adamWReference,
  cost: ({ lead }) => {
    const size = lead.reduce((a, b) => a * b, 1);
    return { flops: 15 * size, bytes: 28 * size };
  },
});
