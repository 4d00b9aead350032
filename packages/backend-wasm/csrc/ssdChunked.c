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

typedef struct {
  float *ddt, *dA, *ddtBias;
} SsdStepGradients;

/** Of dt A and dt to dt, A and the bias, through clamp and softplus. */
static void ssdStepsBack(const Chunked *s, const SsdSteps *d, long row, long head, const ChunkedGradients *g, const SsdStepGradients *out) {
  double dA = 0, dBias = 0;
  long at = (row * s->h + head) * s->l;
  for (long t = 0; t < s->l; t += 4) {
    long count = minLong(4, s->l - t);
    F4 raw = rawSteps(s, d, row, head, t, count), free = d->softplus ? softplus4(raw) : raw, step = clampSteps(d, free);
    F4 slope = d->softplus ? sigmoid4(raw) : splat(1.0f), decay = loadPart(g->dDecay + at + t, count);
    F4 dStep = madd(decay, splat(d->A[head]), loadPart(g->dWrite + at + t, count) + loadPart(g->dOwn + at + t, count));
    F4 dRaw = select4((free < splat(d->low)) | (free > splat(d->high)), splat(0), dStep * slope);
    for (long i = 0; i < count; i++) {
      dA += (double)(decay[i] * step[i]);
      dBias += (double)dRaw[i];
      out->ddt[(row * s->l + t + i) * s->h + head] = dRaw[i];
    }
  }
  out->dA[head] += (float)dA;
  if (out->ddtBias) out->ddtBias[head] += (float)dBias;
}

/**
 * dx, ddt, dA, dB, dC, dD, dz, ddtBias, dInitialState, dY, dLastState (0 where absent), workspace, its floats a thread (2 b l g n
 * for partial sums of dB and dC where heads share them, then chunkedBack's), gradients of decay, write and own [3][b, h, l], then the
 * words above. Threads share heads.
 */
KERNEL(ssdScanChunkedGrad) {
  SsdSteps d;
  Chunked s = ssdChunkedFrom(a + 14, &d);
  long perThread = a[12], shared = s.h > s.g, sizeBC = shared ? s.b * s.l * s.g * s.n : 0, steps = s.b * s.h * s.l;
  float *workspace = (float *)a[11], *mine = workspace + thread * perThread, *scalars = (float *)a[13], *dB = (float *)a[3], *dC = (float *)a[4];
  ChunkedGradients g = {(const float *)a[9], (const float *)a[10], shared ? mine + sizeBC : dC, shared ? mine : dB, (float *)a[0], (float *)a[5], (float *)a[6],
                        (float *)a[8], scalars, scalars + steps, scalars + 2 * steps};
  SsdStepGradients out = {(float *)a[1], (float *)a[2], (float *)a[7]};
  memset(mine, 0, (UW)(2 * sizeBC) * sizeof(float));
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    out.dA[head] = 0;
    if (out.ddtBias) out.ddtBias[head] = 0;
    for (long c = 0; g.dD && c < (s.wideD ? s.p : 1); c++) g.dD[(s.wideD ? head * s.p : head) + c] = 0;
    for (long row = 0; row < s.b; row++) {
      prepareSsdSteps(&s, &d, row * s.h + head, row * s.h + head + 1, (float *)a[14 + 21], (float *)a[14 + 22]);
      chunkedBack(&s, row, head, &g, mine + 2 * sizeBC);
      ssdStepsBack(&s, &d, row, head, &g, &out);
    }
  }
  if (!shared) return;
  barrier(thread, threads);
  Span part = share(sizeBC, 16, thread, threads);
  for (long i = part.lo; i < part.hi; i++) {
    float sumB = 0, sumC = 0;
    for (int k = 0; k < threads; k++) sumB += workspace[k * perThread + i], sumC += workspace[k * perThread + sizeBC + i];
    dB[i] = sumB, dC[i] = sumC;
  }
}
