// The trapezoidal scan of Mamba-3 through chunked.h: what token t writes in two steps (gamma_t now, next_t with the token after) is
// taken in at once, write_t = gamma_t + next_t, and its own output sees gamma_t alone. (mamba3.c has the recurrence.)
#include "chunked.h"
#include "mamba3.h"

typedef struct {
  const float *adt, *dt, *trap, *initialState, *initialK, *initialV;
  float *decay, *write, *own, *initial; /* [b, h, l] three times; [b, h, p, n] where there is an initialK */
} Mamba3Steps;

INLINE float lambdaAt(const Chunked *s, const Mamba3Steps *m, long row, long t, long head) { return sigmoid4(splat(m->trap[(row * s->l + t) * s->h + head]))[0]; }

/** Decays, weights and the state that the token before the first leaves, of one head of one row. */
static void prepareMamba3Head(const Chunked *s, const Mamba3Steps *m, long row, long head) {
  long item = row * s->h + head, at = item * s->l;
  for (long t = 0; t < s->l; t++) {
    long token = (row * s->l + t) * s->h + head;
    float lambda = lambdaAt(s, m, row, t, head), before = (1 - lambda) * m->dt[token];
    m->decay[at + t] = boundedLog(m->adt[token]);
    m->own[at + t] = m->write[at + t] = lambda * m->dt[token];
    if (t > 0 && !chunkedRestarts(s, row, t)) m->write[at + t - 1] += before;
  }
  if (!m->initialK) return;
  long size = s->p * s->n;
  float *state = m->initial + item * size, weight = (1 - lambdaAt(s, m, row, 0, head)) * m->dt[row * s->l * s->h + head];
  if (m->initialState) memcpy(state, m->initialState + item * size, (UW)size * sizeof(float));
  else memset(state, 0, (UW)size * sizeof(float));
  for (long j = 0; m->initialV && j < s->r; j++)
    for (long c = 0; c < s->p; c++) {
      const float *key = m->initialK + (item * s->r + j) * s->n;
      float value = weight * m->initialV[(item * s->r + j) * s->p + c];
      for (long e = 0; e < s->n; e++) state[c * s->n + e] += value * key[e];
    }
}

/** The scan in chunks of `tokens`; `steps` is [3][b, h, l]: decay, write, own; `first` [b, h, p, n]: the first state where there is an initialK. */
static Chunked mamba3ChunkedOf(const Mamba3 *s, long tokens, float *steps, float *first, Mamba3Steps *m) {
  long count = s->b * s->h * s->l;
  *m = (Mamba3Steps){s->adt, s->dt, s->trap, s->initialState, s->initialK, s->initialV, steps, steps + count, steps + 2 * count, first};
  return (Chunked){s->q, s->k, s->v, s->D, s->z, s->initialK ? first : s->initialState, s->seqIdx, m->decay, m->write, m->own,
                   s->b, s->l, s->h, s->h, s->r, s->p, s->n, tokens, 0};
}

/** `steps` [3][b, h, l], `first` [b, h, p, n]; `workspace`: chunkedFloats or outerFloats a thread, the larger. Threads share heads. */
KERNEL(mamba3ScanChunked, Out y, MaybeOut lastState, Mamba3 a, long tokens, Space steps, Space first, Space workspace, long perThread) {
  Mamba3Steps m;
  Chunked s = mamba3ChunkedOf(&a, tokens, steps, first, &m);
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) prepareMamba3Head(&s, &m, i / s.h, i % s.h);
  chunkedScan(&s, items.lo, items.hi, y, lastState, workspace + thread * perThread);
  mamba3OnceMore(&a, items.lo, items.hi, y, lastState, workspace + thread * perThread);
}

/** Of the first state to what made it; returns the gradient of the weight of initialV initialK^T. dState is that of the first state. */
static float initialBack(const Chunked *s, const Mamba3Steps *m, long row, long head, const float *dState, const Mamba3Gradients *out) {
  long item = row * s->h + head;
  float weight = (1 - lambdaAt(s, m, row, 0, head)) * m->dt[row * s->l * s->h + head];
  double dWeight = 0;
  for (long j = 0; j < s->r; j++) {
    const float *key = m->initialK + (item * s->r + j) * s->n, *value = m->initialV ? m->initialV + (item * s->r + j) * s->p : 0;
    float *dKey = out->dInitialK + (item * s->r + j) * s->n, *dValue = out->dInitialV ? out->dInitialV + (item * s->r + j) * s->p : 0;
    memset(dKey, 0, (UW)s->n * sizeof(float));
    for (long c = 0; value && c < s->p; c++) {
      float dot = 0;
      for (long e = 0; e < s->n; e++) {
        dot += dState[c * s->n + e] * key[e];
        dKey[e] += weight * value[c] * dState[c * s->n + e];
      }
      dValue[c] = weight * dot;
      dWeight += (double)(value[c] * dot);
    }
  }
  return (float)dWeight;
}

static void mamba3StepsBack(const Chunked *s, const Mamba3Steps *m, long row, long head, const ChunkedGradients *g, float dFirst, const Mamba3Gradients *out) {
  long at = (row * s->h + head) * s->l;
  for (long t = 0; t < s->l; t++) {
    long token = (row * s->l + t) * s->h + head;
    float lambda = lambdaAt(s, m, row, t, head), dGamma = g->dWrite[at + t] + g->dOwn[at + t];
    float dBefore = t == 0 ? dFirst : chunkedRestarts(s, row, t) ? 0.0f : g->dWrite[at + t - 1];
    out->dadt[token] = g->dDecay[at + t];
    out->ddt[token] = lambda * dGamma + (1 - lambda) * dBefore;
    out->dtrap[token] = m->dt[token] * (dGamma - dBefore) * lambda * (1 - lambda);
  }
}

/** Floats of a thread: chunkedBack's, or the recurrence's where it may be wanted. */
SIZE(mamba3ChunkedBackFloats, long rows, long chunks, long l, long r, long p, long n) {
  return maxLong(chunkedBackFloats(rows, chunks, p, n), outerFloats(p, n, 2 * r, r) + checkpointFloats(l, p, n));
}
/**
 * `steps` and `first` as mamba3ScanChunked has them, `scalars` [3][b, h, l] for their gradients and `dFirst` for that of the first state;
 * `workspace`: mamba3ChunkedBackFloats a thread. Threads share heads.
 */
KERNEL(mamba3ScanChunkedGrad, Mamba3Gradients out, MaybeIn dY, MaybeIn dLastState, Mamba3 a, long tokens, Space steps, Space first,
       Space scalars, Space dFirst, Space workspace, long perThread) {
  Mamba3Steps m;
  Chunked s = mamba3ChunkedOf(&a, tokens, steps, first, &m);
  long count = s.b * s.h * s.l, size = s.p * s.n;
  float *memory = workspace + thread * perThread;
  ChunkedGradients g = {dY, dLastState, out.dq, out.dk, out.dv, out.dD, out.dz, dFirst, scalars, scalars + count, scalars + 2 * count};
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    if (g.dD) g.dD[head] = 0;
    for (long row = 0; row < s.b; row++) {
      long item = row * s.h + head;
      prepareMamba3Head(&s, &m, row, head);
      if (mayStray(&s, row, head, dY, dLastState)) {
        Outer o;
        layOutOuter(&o, memory, s.p, s.n, 2 * s.r, s.r);
        mamba3HeadBack(&a, &o, row, head, dY, dLastState, memory + outerFloats(s.p, s.n, 2 * s.r, s.r), &out);
        continue;
      }
      chunkedBack(&s, row, head, &g, memory);
      float dWeight = m.initialK && m.initialV ? initialBack(&s, &m, row, head, dFirst + item * size, &out) : 0.0f;
      if (out.dInitialState) memcpy(out.dInitialState + item * size, dFirst + item * size, (UW)size * sizeof(float));
      if (out.dInitialK && !m.initialV) memset(out.dInitialK + item * s.r * s.n, 0, (UW)(s.r * s.n) * sizeof(float));
      if (out.dInitialV && !m.initialK) memset(out.dInitialV + item * s.r * s.p, 0, (UW)(s.r * s.p) * sizeof(float));
      mamba3StepsBack(&s, &m, row, head, &g, dWeight, &out);
    }
  }
}
