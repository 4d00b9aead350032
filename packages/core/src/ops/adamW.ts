import { ndclone, sizeOf } from "../math/ndarray.ts";
import { add, div, mul, sub } from "./binary.ts";
import { copy } from "./copy.ts";
import type { NoAttrs, Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { reshape } from "./movement.ts";
import { split } from "./joining.ts";
import { sqrt, square } from "./unary.ts";

const inputs = {
  /** Changed in place. */
  param: "...",
  /** First moment, changed in place. */
  m: "...",
  /** Second moment, changed in place. */
  v: "...",
  grad: "...",
  /** Learning rate, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t, unused. A tensor, so that a captured step can be fed. */
  hyper: "8",
  /** Multiplies the gradient (clipping by global norm), if present. */
  gradScale: "?",
} as const;

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
export const adamW: Op<typeof inputs, NoAttrs, NoAttrs> = defineOp({
  name: "adamW",
  inputs,
  attrs: {},
  outputs: {},
  differentiable: [],
  inPlace: ["param", "m", "v"],
  reference: ({ param, m, v, grad, hyper, gradScale }) => {
    const [lr, beta1, beta2, eps, weightDecay, correction1, correction2] = hyper.data as unknown as number[];
    const out = { param: ndclone(param), m: ndclone(m), v: ndclone(v) };
    for (let i = 0; i < param.data.length; i++) {
      const g = grad.data[i]! * (gradScale?.data[0] ?? 1);
      const mean = beta1! * m.data[i]! + (1 - beta1!) * g;
      const square = beta2! * v.data[i]! + (1 - beta2!) * g * g;
      out.m.data[i] = mean;
      out.v.data[i] = square;
      const decayed = param.data[i]! * (1 - lr! * weightDecay!);
      out.param.data[i] = decayed - (lr! * (mean / correction1!)) / (Math.sqrt(square / correction2!) + eps!);
    }
    return out;
  },
  compose: ({ param, m, v, grad, hyper, gradScale }) => {
    const [lr, beta1, beta2, eps, decay, correction1, correction2] = split(hyper, [1, 1, 1, 1, 1, 1, 1, 1]).map((x) =>
      reshape(x, []),
    );
    const g = gradScale ? mul(grad, gradScale) : grad;
    const mean = add(mul(m, beta1!), mul(g, sub(1, beta1!)));
    const spread = add(mul(v, beta2!), mul(square(g), sub(1, beta2!)));
    const step = div(div(mean, correction1!), add(sqrt(div(spread, correction2!)), eps!));
    copy({ destination: param, source: sub(mul(param, sub(1, mul(lr!, decay!))), mul(step, lr!)) });
    copy({ destination: m, source: mean });
    copy({ destination: v, source: spread });
    return {};
  },
  cut: "...",
  cost: ({ lead }) => ({ flops: 15 * sizeOf(lead), bytes: 28 * sizeOf(lead) }),
});
