// AdamW in place (Loshchilov & Hutter 2019, Algorithm 2, in the order of torch.optim.AdamW).
#include "vmath.h"

/** param, m, v, grad, hyper [8], gradScale or 0, count */
KERNEL(adamW) {
  float *param = (float *)a[0], *m = (float *)a[1], *v = (float *)a[2];
  const float *grad = (const float *)a[3], *hyper = (const float *)a[4];
  F4 scale = splat(a[5] ? *(const float *)a[5] : 1.0f), beta1 = splat(hyper[1]), beta2 = splat(hyper[2]), eps = splat(hyper[3]);
  F4 rest1 = splat(1.0f - hyper[1]), rest2 = splat(1.0f - hyper[2]), keep = splat(1.0f - hyper[0] * hyper[4]);
  F4 step = splat(hyper[0] / hyper[5]), correction2 = splat(1.0f / hyper[6]);
  Span s = share(a[6], 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long count = minLong(4, s.hi - i);
    F4 g = loadPart(grad + i, count) * scale;
    F4 mean = madd(beta1, loadPart(m + i, count), rest1 * g);
    F4 square = madd(beta2, loadPart(v + i, count), rest2 * g * g);
    storePart(m + i, mean, count);
    storePart(v + i, square, count);
    F4 next = loadPart(param + i, count) * keep - step * mean / (sqrt4(square * correction2) + eps);
    storePart(param + i, next, count);
  }
}
