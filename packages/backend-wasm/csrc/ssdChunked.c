// The scan of Mamba-2 through chunked.h, for sequences long enough that matrix products pay (ssd.c has the recurrence).
#include "chunked.h"
#include "ssd.h"

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
INLINE F4 clampSteps(const SsdSteps *d, F4 free) { return select4(free == free, min4(splat(d->high), max4(splat(d->low), free)), free); }

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

/** The scan in chunks of `tokens`; `steps` is [2][b, h, l]: delta, and the log of each decay. */
static Chunked ssdChunkedOf(const Ssd *s, long tokens, const float *steps, SsdSteps *d) {
  *d = (SsdSteps){s->dt, s->A, s->dtBias, s->dtSoftplus, s->dtMin, s->dtMax};
  const float *decay = steps + s->b * s->h * s->l;
  return (Chunked){s->C, s->B, s->x, s->D, s->z, s->initialState, s->seqIdx, decay, steps, steps, s->b, s->l, s->h, s->g, 1, s->p, s->n, tokens, s->wideD};
}

/** `steps` [2][b, h, l]; `workspace`: chunkedFloats or outerFloats a thread, the larger. Threads share heads. */
KERNEL(ssdScanChunked, Out y, MaybeOut lastState, Ssd a, long tokens, Space steps, Space workspace, long perThread) {
  SsdSteps d;
  Chunked s = ssdChunkedOf(&a, tokens, steps, &d);
  Span items = share(s.b * s.h, 1, thread, threads);
  prepareSsdSteps(&s, &d, items.lo, items.hi, steps, steps + s.b * s.h * s.l);
  chunkedScan(&s, items.lo, items.hi, y, lastState, workspace + thread * perThread);
  ssdOnceMore(&a, items.lo, items.hi, y, lastState, workspace + thread * perThread);
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

/** The gradients of one head of one row by the recurrence. */
static void alone(const Ssd *s, long row, long head, const float *dY, const float *dLastState, SsdGradients *g, float *dB, float *dC, float *memory) {
  Outer o;
  layOutOuter(&o, memory, s->p, s->n, 1, 1);
  for (long t = 0; s->h == s->g && t < s->l; t++) {
    long at = ((row * s->l + t) * s->g + head) * s->n;
    memset(dB + at, 0, (UW)s->n * sizeof(float));
    memset(dC + at, 0, (UW)s->n * sizeof(float));
  }
  ssdHeadBack(s, &o, row, head, dY, dLastState, memory + outerFloats(s->p, s->n, 1, 1), g, dB, dC);
}

/** Floats of a thread: partial sums of dB and dC where heads share them, then chunkedBack's, or the recurrence's where it may be wanted. */
SIZE(ssdChunkedBackFloats, long rows, long chunks, long shared, long l, long p, long n) {
  return 2 * shared * n + maxLong(chunkedBackFloats(rows, chunks, p, n), outerFloats(p, n, 1, 1) + checkpointFloats(l, p, n));
}
/**
 * `steps` [2][b, h, l], `scalars` [3][b, h, l] for the gradients of decay, write and own; `workspace`: ssdChunkedBackFloats a thread.
 * Threads share heads.
 */
KERNEL(ssdScanChunkedGrad, SsdGradients grads, MaybeIn dY, MaybeIn dLastState, Ssd a, long tokens, Space steps, Space scalars,
       Space workspace, long perThread) {
  SsdSteps d;
  Chunked s = ssdChunkedOf(&a, tokens, steps, &d);
  long shared = s.h > s.g, sizeBC = shared ? s.b * s.l * s.g * s.n : 0, count = s.b * s.h * s.l;
  float *mine = workspace + thread * perThread;
  ChunkedGradients g = {dY, dLastState, shared ? mine + sizeBC : grads.dC, shared ? mine : grads.dB, grads.dx, grads.dD, grads.dz, grads.dInitialState,
                        scalars, scalars + count, scalars + 2 * count};
  SsdStepGradients out = {grads.ddt, grads.dA, grads.ddtBias};
  memset(mine, 0, (UW)(2 * sizeBC) * sizeof(float));
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    out.dA[head] = 0;
    if (out.ddtBias) out.ddtBias[head] = 0;
    for (long c = 0; g.dD && c < (s.wideD ? s.p : 1); c++) g.dD[(s.wideD ? head * s.p : head) + c] = 0;
    for (long row = 0; row < s.b; row++) {
      prepareSsdSteps(&s, &d, row * s.h + head, row * s.h + head + 1, steps, steps + count);
      if (mayStray(&s, row, head, dY, dLastState)) {
        alone(&a, row, head, dY, dLastState, &grads, g.dKey, g.dQuery, mine + 2 * sizeBC);
        continue;
      }
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
    grads.dB[i] = sumB, grads.dC[i] = sumC;
  }
}
