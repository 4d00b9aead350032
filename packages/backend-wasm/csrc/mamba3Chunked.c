// The trapezoidal scan of Mamba-3 through chunked.h: what token t writes in two steps (gamma_t now, next_t with the token after) is
// taken in at once, write_t = gamma_t + next_t, and its own output sees gamma_t alone. (mamba3.c has the recurrence.)
#include "chunked.h"

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

/**
 * Words: q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, seqIdx (0 where absent), b, l, h, r, p, n (as mamba3.c has
 * them), tokens a chunk, decay, write, own [b, h, l], initial [b, h, p, n] (0 without initialK).
 */
static Chunked mamba3ChunkedFrom(const W *a, Mamba3Steps *m) {
  *m = (Mamba3Steps){(const float *)a[3], (const float *)a[4], (const float *)a[5], (const float *)a[8], (const float *)a[9], (const float *)a[10],
                     (float *)a[19], (float *)a[20], (float *)a[21], (float *)a[22]};
  return (Chunked){(const float *)a[0], (const float *)a[1], (const float *)a[2], (const float *)a[6], (const float *)a[7], m->initialK ? m->initial : m->initialState,
                   (const int *)a[11], m->decay, m->write, m->own, a[12], a[13], a[14], a[14], a[15], a[16], a[17], a[18], 0};
}

/** y, lastState or 0, workspace, its floats a thread, then the words above. Threads share heads. */
KERNEL(mamba3ScanChunked) {
  Mamba3Steps m;
  Chunked s = mamba3ChunkedFrom(a + 4, &m);
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) prepareMamba3Head(&s, &m, i / s.h, i % s.h);
  chunkedScan(&s, items.lo, items.hi, (float *)a[0], (float *)a[1], (float *)a[2] + thread * a[3]);
}

typedef struct {
  float *dadt, *ddt, *dtrap, *dInitialState, *dInitialK, *dInitialV;
} Mamba3StepGradients;

/** Of the first state to what made it; returns the gradient of the weight of initialV initialK^T. dState is that of the first state. */
static float initialBack(const Chunked *s, const Mamba3Steps *m, long row, long head, const float *dState, const Mamba3StepGradients *out) {
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

static void mamba3StepsBack(const Chunked *s, const Mamba3Steps *m, long row, long head, const ChunkedGradients *g, float dFirst, const Mamba3StepGradients *out) {
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

/**
 * dq, dk, dv, dadt, ddt, dtrap, dD, dz, dInitialState, dInitialK, dInitialV, dY, dLastState (0 where absent), workspace, its floats
 * a thread, gradients of decay, write and own [3][b, h, l], gradient of the first state [b, h, p, n], then the words above. Threads share heads.
 */
KERNEL(mamba3ScanChunkedGrad) {
  Mamba3Steps m;
  Chunked s = mamba3ChunkedFrom(a + 17, &m);
  long steps = s.b * s.h * s.l, size = s.p * s.n;
  float *scalars = (float *)a[15], *first = (float *)a[16], *memory = (float *)a[13] + thread * a[14];
  ChunkedGradients g = {(const float *)a[11], (const float *)a[12], (float *)a[0], (float *)a[1], (float *)a[2], (float *)a[6], (float *)a[7], first,
                        scalars, scalars + steps, scalars + 2 * steps};
  Mamba3StepGradients out = {(float *)a[3], (float *)a[4], (float *)a[5], (float *)a[8], (float *)a[9], (float *)a[10]};
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    if (g.dD) g.dD[head] = 0;
    for (long row = 0; row < s.b; row++) {
      long item = row * s.h + head;
      prepareMamba3Head(&s, &m, row, head);
      chunkedBack(&s, row, head, &g, memory);
      float dFirst = m.initialK && m.initialV ? initialBack(&s, &m, row, head, first + item * size, &out) : 0.0f;
      if (out.dInitialState) memcpy(out.dInitialState + item * size, first + item * size, (UW)size * sizeof(float));
      if (out.dInitialK && !m.initialV) memset(out.dInitialK + item * s.r * s.n, 0, (UW)(s.r * s.n) * sizeof(float));
      if (out.dInitialV && !m.initialK) memset(out.dInitialV + item * s.r * s.p, 0, (UW)(s.r * s.p) * sizeof(float));
      mamba3StepsBack(&s, &m, row, head, &g, dFirst, &out);
    }
  }
}
