// The Cauchy kernel of S4 over conjugate pairs, term by term, lanes over the nodes z_t.
#include "vmath.h"

typedef struct { F4 re, im; long count; } Nodes;
/** Four pairs (re, im) from p as two vectors; nodes past `count` repeat the first, which keeps them finite. */
INLINE Nodes pairsAt(const float *p, long count) {
  if (count >= 4) {
    F4 x = load4(p), y = load4(p + 4);
    return (Nodes){__builtin_shufflevector(x, y, 0, 2, 4, 6), __builtin_shufflevector(x, y, 1, 3, 5, 7), 4};
  }
  Nodes z = {splat(p[0]), splat(p[1]), count};
  for (long i = 1; i < count; i++) z.re[i] = p[2 * i], z.im[i] = p[2 * i + 1];
  return z;
}

/** y [h, l, 2], v, w [h, n, 2], z [l, 2]. Threads share rows and nodes. */
KERNEL(cauchy, Out y, In v, In w, In z, long h, long n, long l) {
  long quads = (l + 3) / 4;
  Span items = share(h * quads, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    long row = item / quads, t = item % quads * 4;
    Nodes node = pairsAt(z + 2 * t, l - t);
    F4 re = splat(0), im = re;
    for (long at = 2 * row * n; at < 2 * (row + 1) * n; at += 2) {
      F4 vRe = splat(v[at]), vIm = splat(v[at + 1]), wIm = splat(w[at + 1]);
      F4 dRe = node.re - splat(w[at]), near = node.im - wIm, far = node.im + wIm, square = dRe * dRe;
      F4 nearScale = splat(1.0f) / madd(near, near, square), farScale = splat(1.0f) / madd(far, far, square);
      re += madd(vIm, near, vRe * dRe) * nearScale + nmadd(vIm, far, vRe * dRe) * farScale;
      im += nmadd(vRe, near, vIm * dRe) * nearScale - madd(vRe, far, vIm * dRe) * farScale;
    }
    float *out = y + 2 * (row * l + t);
    if (node.count == 4) {
      store4(out, __builtin_shufflevector(re, im, 0, 4, 1, 5));
      store4(out + 4, __builtin_shufflevector(re, im, 2, 6, 3, 7));
    } else
      for (long i = 0; i < node.count; i++) out[2 * i] = re[i], out[2 * i + 1] = im[i];
  }
}

/**
 * dY [h, l, 2]. With r = 1 / (z - w): dv = sum conj(r) dy, dw = sum conj(v r^2) dy; the other term of a pair is the same with v and w
 * conjugated, so its share is conjugated back.
 */
KERNEL(cauchyGrad, Out dv, Out dw, In dY, In v, In w, In z, long h, long n, long l) {
  Span items = share(h * n, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    const float *dy = dY + 2 * (item / n) * l;
    F4 vRe = splat(v[2 * item]), vIm = splat(v[2 * item + 1]), wRe = splat(w[2 * item]), wIm = splat(w[2 * item + 1]);
    double sums[4] = {0, 0, 0, 0};
    for (long t = 0; t < l; t += 4) {
      Nodes node = pairsAt(z + 2 * t, l - t), g = pairsAt(dy + 2 * t, l - t);
      for (long i = node.count; i < 4; i++) g.re[i] = 0, g.im[i] = 0;
      F4 dRe = node.re - wRe;
      for (int sign = 1; sign >= -1; sign -= 2) {
        F4 side = splat((float)sign), dIm = node.im - side * wIm, scale = splat(1.0f) / madd(dRe, dRe, dIm * dIm);
        F4 rRe = dRe * scale, rIm = -dIm * scale;
        F4 aRe = madd(rRe, g.re, rIm * g.im), aIm = nmadd(rIm, g.re, rRe * g.im);
        F4 uRe = nmadd(side * vIm, rIm, vRe * rRe), uIm = madd(side * vIm, rRe, vRe * rIm);
        sums[0] += sum4(aRe), sums[1] += sign * sum4(aIm);
        sums[2] += sum4(madd(uRe, aRe, uIm * aIm)), sums[3] += sign * sum4(nmadd(uIm, aRe, uRe * aIm));
      }
    }
    dv[2 * item] = (float)sums[0], dv[2 * item + 1] = (float)sums[1];
    dw[2 * item] = (float)sums[2], dw[2 * item + 1] = (float)sums[3];
  }
}
