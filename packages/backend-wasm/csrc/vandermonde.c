// The filter of a diagonal state space model, y_t = 2 Re sum_n C_n E_n^t with E = exp(logABar). Lanes over t. Powers are taken in double
// once every 16 steps and multiplied up in float in between, so that neither the phase nor the size drifts.
#include "turn.h"

enum { POWER_BLOCK = 64, POWER_CHAIN = 16, POWER_SEGMENT = 4096 };

/** Powers of one E: lanes 0 to 3, the step of four, and what goes from chain to chain and from block to block. */
typedef struct {
  F4 laneRe, laneIm, stepRe, stepIm;
  Complex chain, block;
} Powers;

static void powersOf(Powers *p, const float *logABar) {
  Complex e1 = complexExp(logABar[0], logABar[1]), e2 = complexTimes(e1, e1), e3 = complexTimes(e2, e1), e4 = complexTimes(e2, e2);
  Complex e8 = complexTimes(e4, e4), e32;
  p->laneRe = (F4){1, (float)e1.re, (float)e2.re, (float)e3.re};
  p->laneIm = (F4){0, (float)e1.im, (float)e2.im, (float)e3.im};
  p->stepRe = splat((float)e4.re);
  p->stepIm = splat((float)e4.im);
  p->chain = complexTimes(e8, e8);
  e32 = complexTimes(p->chain, p->chain);
  p->block = complexTimes(e32, e32);
}

enum { POWERS_BYTES = 96, ANCHOR_BYTES = 16 };
_Static_assert(sizeof(Powers) == POWERS_BYTES && sizeof(Complex) == ANCHOR_BYTES, "what a state takes");
/** Floats of a thread: powers and anchor of each state, to whole cache lines. */
SIZE(vandermondeFloats, long n) { return 16 * ceilDivide((POWERS_BYTES + ANCHOR_BYTES) * n, 64); }

typedef struct { F4 re, im; } Pair4;
INLINE Pair4 pairTimes(F4 aRe, F4 aIm, F4 bRe, F4 bIm) {
  Pair4 z = {nmadd(aIm, bIm, aRe * bRe), madd(aRe, bIm, aIm * bRe)};
  return z;
}
/** The first four powers of a chain that starts at `anchor`. */
INLINE Pair4 chainFrom(const Powers *p, Complex anchor) { return pairTimes(p->laneRe, p->laneIm, splat((float)anchor.re), splat((float)anchor.im)); }

/** y [h, l], C, logABar [h, n, 2]; `workspace`: vandermondeFloats a thread. Threads share rows and segments of l. */
KERNEL(vandermonde, Out y, In C, In logABar, long h, long n, long l, Space workspace) {
  long segments = (l + POWER_SEGMENT - 1) / POWER_SEGMENT;
  Powers *powers = (Powers *)(workspace + thread * vandermondeFloats(n));
  Complex *anchors = (Complex *)(powers + n);
  Span items = share(h * segments, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    long row = item / segments, from = item % segments * POWER_SEGMENT, until = minLong(l, from + POWER_SEGMENT);
    const float *c = C + 2 * row * n, *w = logABar + 2 * row * n;
    for (long j = 0; j < n; j++) {
      powersOf(powers + j, w + 2 * j);
      Complex start = complexExp((double)w[2 * j] * from, (double)w[2 * j + 1] * from), weight = {c[2 * j], c[2 * j + 1]};
      anchors[j] = complexTimes(start, weight);
    }
    for (long t = from; t < until; t += POWER_BLOCK) {
      F4 sums[POWER_BLOCK / 4];
      for (int i = 0; i < POWER_BLOCK / 4; i++) sums[i] = splat(0);
      for (long j = 0; j < n; j++) {
        Powers *p = powers + j;
        Complex anchor = anchors[j];
        for (int chain = 0; chain < POWER_BLOCK; chain += POWER_CHAIN) {
          Pair4 z = chainFrom(p, anchor);
          for (int i = 0; i < POWER_CHAIN / 4; i++) {
            sums[chain / 4 + i] += z.re;
            if (i < POWER_CHAIN / 4 - 1) z = pairTimes(z.re, z.im, p->stepRe, p->stepIm);
          }
          anchor = complexTimes(anchor, p->chain);
        }
        anchors[j] = complexTimes(anchors[j], p->block);
      }
      for (long i = t; i < minLong(until, t + POWER_BLOCK); i += 4) storePart(y + row * l + i, splat(2.0f) * sums[(i - t) / 4], minLong(4, until - i));
    }
  }
}

/** dC = 2 sum_t dy conj(E^t), dLogABar = 2 sum_t t dy conj(C E^t). */
KERNEL(vandermondeGrad, Out dC, Out dLogABar, In dY, In C, In logABar, long h, long n, long l) {
  Span items = share(h * n, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    const float *dy = dY + item / n * l;
    Powers p;
    powersOf(&p, logABar + 2 * item);
    Complex anchor = {1, 0}, sum = {0, 0}, slope = {0, 0};
    for (long t = 0; t < l; t += POWER_CHAIN) {
      F4 re = splat(0), im = re, slopeRe = re, slopeIm = re;
      Pair4 z = chainFrom(&p, anchor);
      for (long i = t; i < minLong(l, t + POWER_CHAIN); i += 4) {
        F4 g = loadPart(dy + i, l - i), gt = g * (splat((float)i) + (F4){0, 1, 2, 3});
        re = madd(g, z.re, re), im = madd(g, z.im, im);
        slopeRe = madd(gt, z.re, slopeRe), slopeIm = madd(gt, z.im, slopeIm);
        z = pairTimes(z.re, z.im, p.stepRe, p.stepIm);
      }
      sum.re += sum4(re), sum.im += sum4(im), slope.re += sum4(slopeRe), slope.im += sum4(slopeIm);
      anchor = complexTimes(anchor, p.chain);
    }
    Complex weight = {C[2 * item], C[2 * item + 1]}, both = complexTimes(weight, slope);
    dC[2 * item] = (float)(2 * sum.re), dC[2 * item + 1] = (float)(-2 * sum.im);
    dLogABar[2 * item] = (float)(2 * both.re), dLogABar[2 * item + 1] = (float)(-2 * both.im);
  }
}
