import { ndclone } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** One step of Algorithm 2 of AdamW, in the order of `torch.optim.AdamW`. */
export function adamWReference({ param, m, v, grad, hyper, gradScale }: NdArrays): NdArrays {
  const [lr, beta1, beta2, eps, weightDecay, correction1, correction2] = hyper!.data as unknown as number[];
  const out = { param: ndclone(param!), m: ndclone(m!), v: ndclone(v!) };
  for (let i = 0; i < param!.data.length; i++) {
    const g = grad!.data[i]! * (gradScale?.data[0] ?? 1);
    const mean = beta1! * m!.data[i]! + (1 - beta1!) * g;
    const square = beta2! * v!.data[i]! + (1 - beta2!) * g * g;
    out.m.data[i] = mean;
    out.v.data[i] = square;
    const decayed = param!.data[i]! * (1 - lr! * weightDecay!);
    out.param.data[i] = decayed - (lr! * (mean / correction1!)) / (Math.sqrt(square / correction2!) + eps!);
  }
  return out;
}
