// The scan of Mamba-2 through chunked.h, for sequences long enough that matrix products pay (ssd.c has the recurrence).
#include "chunked.h"

typedef struct {
  const float *dt, *A, *dtBias;
  int softplus;
  float low, high;
} SsdSteps;

INLINE F4 rawSteps(const Chunked *s, const SsdSteps *d, long row, long head, long t, long count) {
  F4 raw = splat(0);
  for (long i = 0; i < count; i++) raw[i] = d->dt[(row * s->l + t + i) * s->h + head];
  return d->dtBias ? raw + splat(d->dtBias[head]) : raw;
}
INLINE F4 clampSteps(const SsdSteps *d, F4 free) { return min4(splat(d->high), max4(splat(d->low), free)); }

/** delta and delta A of heads [lo, hi) of [b, h]. */
static void prepareSsdSteps(const Chunked *s, const SsdSteps *d, long lo, long hi, float *delta, float *decay) {
  for (long item = lo; item < hi; item++)
    for (long t = 0; t < s->l; t += 4) {
      long count = minLong(4, s->l - t);
      F4 raw = rawSteps(s, d, item / s->h, item % s->h, t, count), step = clampSteps(d, d->softplus ? softplus4(raw) : raw);
      storePart(delta + item * s->l + t, step, count);
      for (long i = 0; i < count; i++) decay[item * s->l + t + i] = boundedLog(step[i] * d->A[item % s->h]);
    }
}

/**
 * Words: x, dt, A, B, C, D, z, dtBias, initialState, seqIdx (0 where absent), b, l, h, p, g, n, softplus, dtMin, dtMax, wideD (as
 * ssd.c has them), tokens a chunk, delta, decay [b, h, l].
 */
static Chunked ssdChunkedFrom(const W *a, SsdSteps *d) {
  *d = (SsdSteps){(const float *)a[1], (const float *)a[2], (const float *)a[7], (int)a[16], wordAsFloat(a[17]), wordAsFloat(a[18])};
  const float *delta = (const float *)a[21];
  return (Chunked){(const float *)a[4], (const float *)a[3], (const float *)a[0], (const float *)a[5], (const float *)a[6], (const float *)a[8], (const int *)a[9],
                   (const float *)a[22], delta, delta, a[10], a[11], a[12], a[14], 1, a[13], a[15], a[20], (int)a[19]};
}

/** y, lastState or 0, workspace, its floats a thread, then the words above. Threads share heads. */
KERNEL(ssdScanChunked) {
  SsdSteps d;
  Chunked s = ssdChunkedFrom(a + 4, &d);
  Span items = share(s.b * s.h, 1, thread, threads);
  prepareSsdSteps(&s, &d, items.lo, items.hi, (float *)a[4 + 21], (float *)a[4 + 22]);
  chunkedScan(&s, items.lo, items.hi, (float *)a[0], (float *)a[1], (float *)a[2] + thread * a[3]);
}
