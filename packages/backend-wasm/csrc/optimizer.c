// AdamW in place (Loshchilov & Hutter 2019, Algorithm 2, in the order of torch.optim.AdamW).
#include "vmath.h"

/** hyper [8] */
KERNEL(adamW, InOut param, InOut m, InOut v, In grad, In hyper, MaybeIn gradScale, long count) {
  F4 scale = splat(gradScale ? *gradScale : 1.0f), beta1 = splat(hyper[1]), beta2 = splat(hyper[2]), eps = splat(hyper[3]);
  F4 rest1 = splat(1.0f - hyper[1]), rest2 = splat(1.0f - hyper[2]), keep = splat(1.0f - hyper[0] * hyper[4]);
  F4 step = splat(hyper[0] / hyper[5]), correction2 = splat(1.0f / hyper[6]);
  Span s = share(count, 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long lanes = minLong(4, s.hi - i);
    F4 g = loadPart(grad + i, lanes) * scale;
    F4 mean = madd(beta1, loadPart(m + i, lanes), rest1 * g);
    F4 square = madd(beta2, loadPart(v + i, lanes), rest2 * g * g);
    storePart(m + i, mean, lanes);
    storePart(v + i, square, lanes);
    F4 next = loadPart(param + i, lanes) * keep - step * mean / (sqrt4(square * correction2) + eps);
    storePart(param + i, next, lanes);
  }
}
