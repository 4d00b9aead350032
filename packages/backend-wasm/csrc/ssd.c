// The scan of Mamba-2 (Dao & Gu 2024): a scalar decay a head, B and C shared by the heads of a group.
#include "outer.h"

typedef struct {
  const float *x, *dt, *A, *B, *C, *D, *z, *dtBias, *initialState;
  const int *seqIdx;
  long b, l, h, p, g, n;
  int softplus;
  float dtMin, dtMax;
  int wideD; /* D is [h, p] */
} Ssd;

static Ssd readSsd(const W *a) {
  Ssd s = {(const float *)a[0], (const float *)a[1], (const float *)a[2], (const float *)a[3], (const float *)a[4], (const float *)a[5], (const float *)a[6], (const float *)a[7],
           (const float *)a[8], (const int *)a[9], a[10], a[11], a[12], a[13], a[14], a[15], (int)a[16], wordAsFloat(a[17]), wordAsFloat(a[18]), (int)a[19]};
  return s;
}
enum { SSD_WORDS = 20 };

INLINE float rawStep(const Ssd *s, long token, long head) { return s->dt[token * s->h + head] + (s->dtBias ? s->dtBias[head] : 0.0f); }
INLINE float stepOf(const Ssd *s, float raw) {
  float delta = s->softplus ? softplus4(splat(raw))[0] : raw;
  delta = delta < s->dtMin ? s->dtMin : delta;
  return delta > s->dtMax ? s->dtMax : delta;
}
INLINE int restarts(const int *seqIdx, long l, long row, long t) { return seqIdx && t > 0 && seqIdx[row * l + t] != seqIdx[row * l + t - 1]; }
INLINE float skipOf(const Ssd *s, long head, long c) { return s->D ? s->D[s->wideD ? head * s->p + c : head] : 0.0f; }

/** Fills a span's decays, values delta x, keys B and queries C. */
static void prepareSsd(const Ssd *s, Outer *o, long row, long head, long t, long steps, float *delta) {
  long group = head / (s->h / s->g);
  for (long i = 0; i < steps; i++) {
    long token = row * s->l + t + i;
    delta[i] = stepOf(s, rawStep(s, token, head));
    o->alpha[i] = restarts(s->seqIdx, s->l, row, t + i) ? 0.0f : exp4(splat(delta[i] * s->A[head]))[0];
    const float *x = s->x + (token * s->h + head) * s->p;
    for (long c = 0; c < s->p; c++) o->values[i * s->p + c] = delta[i] * x[c];
    padRows(o->keys + i * o->pad, s->B + (token * s->g + group) * s->n, 1, s->n, o->pad);
    padRows(o->queriesAt + i * o->pad, s->C + (token * s->g + group) * s->n, 1, s->n, o->pad);
  }
}

/** One head of one row: y, and the state from `from` (0: zeros) to `to` (may be 0, may be `from`). */
static void ssdHead(const Ssd *s, Outer *o, long row, long head, const float *from, float *to, float *out) {
  float delta[OUTER_SPAN];
  if (from) padRows(o->state, from, s->p, s->n, o->pad);
  else memset(o->state, 0, (UW)(s->p * o->pad) * sizeof(float));
  for (long t = 0; t < s->l; t += OUTER_SPAN) {
    long steps = minLong(OUTER_SPAN, s->l - t);
    prepareSsd(s, o, row, head, t, steps, delta);
    outerForward(o, steps, 0);
    for (long i = 0; i < steps; i++) {
      long at = ((row * s->l + t + i) * s->h + head) * s->p;
      for (long c = 0; c < s->p; c += 4) {
        long lanes = s->p - c;
        F4 y = loadPart(o->y + i * s->p + c, lanes);
        if (s->D) y = madd(s->wideD ? loadPart(s->D + head * s->p + c, lanes) : splat(s->D[head]), loadPart(s->x + at + c, lanes), y);
        if (s->z) y = y * silu4(loadPart(s->z + at + c, lanes));
        storePart(out + at + c, y, lanes);
      }
    }
  }
  if (to) unpadRows(to, o->state, s->p, s->n, o->pad);
}

/** y, lastState or 0, workspace, its floats a thread, then x, dt, A, B, C, D, z, dtBias, initialState, seqIdx (0 where absent), b, l, h, p, g, n, softplus, dtMin, dtMax, wideD */
KERNEL(ssdScan) {
  Ssd s = readSsd(a + 4);
  Outer o;
  layOutOuter(&o, (float *)a[2] + thread * a[3], s.p, s.n, 1, 1);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++)
    ssdHead(&s, &o, i / s.h, i % s.h, s.initialState ? s.initialState + i * size : 0, a[1] ? (float *)a[1] + i * size : 0, (float *)a[0]);
}
/** y, state in place, then ssdScan's words from the third on, with l = 1 */
KERNEL(ssdScanStep) {
  Ssd s = readSsd(a + 4);
  Outer o;
  layOutOuter(&o, (float *)a[2] + thread * a[3], s.p, s.n, 1, 1);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) ssdHead(&s, &o, i / s.h, i % s.h, (float *)a[1] + i * size, (float *)a[1] + i * size, (float *)a[0]);
}

typedef struct {
  float *dx, *ddt, *dA, *dB, *dC, *dD, *dz, *ddtBias, *dInitialState;
} SsdGradients;

/** What a span leaves: gradients of its own inputs; sums over the row for those of the head. */
static void ssdSpanBack(const Ssd *s, Outer *o, long row, long head, long t, long steps, const float *delta, const float *dY, SsdGradients *g, float *dB, float *dC) {
  long group = head / (s->h / s->g);
  for (long i = 0; i < steps; i++) {
    long token = row * s->l + t + i, at = (token * s->h + head) * s->p, bc = (token * s->g + group) * s->n;
    float dDelta = 0, decay = o->dAlpha[i] * o->alpha[i];
    for (long c = 0; c < s->p; c++) {
      float x = s->x[at + c], dValue = o->dValues[i * s->p + c], dOut = o->dY[i * s->p + c];
      dDelta += dValue * x;
      g->dx[at + c] = delta[i] * dValue + skipOf(s, head, c) * dOut;
      if (g->dD) g->dD[s->wideD ? head * s->p + c : head] += dOut * x;
      if (s->z) {
        float z = s->z[at + c], gate = sigmoid4(splat(z))[0];
        g->dz[at + c] = (dY ? dY[at + c] : 0.0f) * (o->y[i * s->p + c] + skipOf(s, head, c) * x) * gate * (1 + z * (1 - gate));
      }
    }
    for (long e = 0; e < s->n; e++) {
      dB[bc + e] += o->dKeys[i * o->pad + e];
      dC[bc + e] += o->dQueries[i * o->pad + e];
    }
    dDelta += decay * s->A[head];
    g->dA[head] += decay * delta[i];
    float raw = rawStep(s, token, head), free = s->softplus ? softplus4(splat(raw))[0] : raw;
    float dRaw = free < s->dtMin || free > s->dtMax ? 0.0f : s->softplus ? dDelta * sigmoid4(splat(raw))[0] : dDelta;
    g->ddt[token * s->h + head] = dRaw;
    if (g->ddtBias) g->ddtBias[head] += dRaw;
  }
}

static void ssdUpstream(const Ssd *s, Outer *o, long row, long head, long t, long steps, const float *dY) {
  for (long i = 0; i < steps; i++) {
    long at = ((row * s->l + t + i) * s->h + head) * s->p;
    for (long c = 0; c < s->p; c += 4) {
      F4 d = dY ? loadPart(dY + at + c, s->p - c) : splat(0);
      if (s->z) d = d * silu4(loadPart(s->z + at + c, s->p - c));
      storePart(o->dY + i * s->p + c, d, s->p - c);
    }
  }
}

static void ssdHeadBack(const Ssd *s, Outer *o, long row, long head, const float *dY, const float *dLastState, float *checkpoints, SsdGradients *g, float *dB, float *dC) {
  long size = s->p * o->pad, index = (row * s->h + head) * s->p * s->n;
  float delta[OUTER_SPAN];
  if (s->initialState) padRows(o->state, s->initialState + index, s->p, s->n, o->pad);
  else memset(o->state, 0, (UW)size * sizeof(float));
  for (long t = 0; t < s->l; t += OUTER_SPAN) {
    memcpy(checkpoints + t / OUTER_SPAN * size, o->state, (UW)size * sizeof(float));
    if (t + OUTER_SPAN >= s->l) break;
    prepareSsd(s, o, row, head, t, OUTER_SPAN, delta);
    outerForward(o, OUTER_SPAN, 0);
  }
  if (dLastState) padRows(o->adjoint, dLastState + index, s->p, s->n, o->pad);
  else memset(o->adjoint, 0, (UW)size * sizeof(float));
  for (long t = (s->l - 1) / OUTER_SPAN * OUTER_SPAN; t >= 0; t -= OUTER_SPAN) {
    long steps = minLong(OUTER_SPAN, s->l - t);
    memcpy(o->state, checkpoints + t / OUTER_SPAN * size, (UW)size * sizeof(float));
    prepareSsd(s, o, row, head, t, steps, delta);
    outerForward(o, steps, 1);
    ssdUpstream(s, o, row, head, t, steps, dY);
    outerBackward(o, steps);
    ssdSpanBack(s, o, row, head, t, steps, delta, dY, g, dB, dC);
  }
  if (g->dInitialState) unpadRows(g->dInitialState + index, o->adjoint, s->p, s->n, o->pad);
}

/**
 * dx, ddt, dA, dB, dC, dD, dz, ddtBias, dInitialState (0 where absent), dY, dLastState (0 where absent), workspace, its floats a
 * thread (2 b l g n, outerFloats, ceil(l / span) p pad), then the words of ssdScan from the fifth on. Heads are divided over
 * threads; dB and dC sum over heads, so each thread has its own.
 */
KERNEL(ssdScanGrad) {
  SsdGradients g = {(float *)a[0], (float *)a[1], (float *)a[2], (float *)a[3], (float *)a[4], (float *)a[5], (float *)a[6], (float *)a[7], (float *)a[8]};
  float *workspace = (float *)a[11];
  long perThread = a[12];
  Ssd s = readSsd(a + 13);
  long sizeBC = s.b * s.l * s.g * s.n;
  float *mine = workspace + thread * perThread;
  Outer o;
  memset(mine, 0, (UW)(2 * sizeBC) * sizeof(float));
  layOutOuter(&o, mine + 2 * sizeBC, s.p, s.n, 1, 1);
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    g.dA[head] = 0;
    if (g.ddtBias) g.ddtBias[head] = 0;
    if (g.dD)
      for (long c = 0; c < (s.wideD ? s.p : 1); c++) g.dD[s.wideD ? head * s.p + c : head] = 0;
    for (long row = 0; row < s.b; row++)
      ssdHeadBack(&s, &o, row, head, (const float *)a[9], (const float *)a[10], mine + 2 * sizeBC + outerFloats(s.p, s.n, 1, 1), &g, mine, mine + sizeBC);
  }
  barrier(thread, threads);
  Span part = share(sizeBC, 16, thread, threads);
  for (long i = part.lo; i < part.hi; i++) {
    float sumB = 0, sumC = 0;
    for (int k = 0; k < threads; k++) sumB += workspace[k * perThread + i], sumC += workspace[k * perThread + sizeBC + i];
    g.dB[i] = sumB;
    g.dC[i] = sumC;
  }
}
