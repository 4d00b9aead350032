// The scan of Mamba-2 (Dao & Gu 2024): a scalar decay a head, B and C shared by the heads of a group.
#include "ssd.h"

INLINE float rawStep(const Ssd *s, long token, long head) { return s->dt[token * s->h + head] + (s->dtBias ? s->dtBias[head] : 0.0f); }
INLINE float stepOf(const Ssd *s, float raw) {
  float delta = s->dtSoftplus ? softplus4(splat(raw))[0] : raw;
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
    o->fresh[i] = restarts(s->seqIdx, s->l, row, t + i);
    o->alpha[i] = o->fresh[i] ? 0.0f : exp4(splat(delta[i] * s->A[head]))[0];
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

/** `workspace`: outerFloats(p, n, 1, 1) a thread. */
KERNEL(ssdScan, Out y, MaybeOut lastState, Ssd s, Space workspace) {
  Outer o;
  layOutOuter(&o, workspace + thread * outerFloats(s.p, s.n, 1, 1), s.p, s.n, 1, 1);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++)
    ssdHead(&s, &o, i / s.h, i % s.h, s.initialState ? s.initialState + i * size : 0, lastState ? lastState + i * size : 0, y);
}
void ssdOnceMore(const Ssd *s, long lo, long hi, float *y, float *lastState, float *memory) {
  Outer o;
  layOutOuter(&o, memory, s->p, s->n, 1, 1);
  long size = s->p * s->n;
  for (long i = lo; i < hi; i++) {
    long row = i / s->h, head = i % s->h;
    if (!holdsNan(y + (row * s->l * s->h + head) * s->p, s->l, s->h * s->p, s->p) && !(lastState && holdsNan(lastState + i * size, 1, size, size))) continue;
    ssdHead(s, &o, row, head, s->initialState ? s->initialState + i * size : 0, lastState ? lastState + i * size : 0, y);
  }
}
/** ssdScan with l = 1, the state in place. */
KERNEL(ssdScanStep, Out y, InOut state, Ssd s, Space workspace) {
  Outer o;
  layOutOuter(&o, workspace + thread * outerFloats(s.p, s.n, 1, 1), s.p, s.n, 1, 1);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) ssdHead(&s, &o, i / s.h, i % s.h, state + i * size, state + i * size, y);
}

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
    float raw = rawStep(s, token, head), free = s->dtSoftplus ? softplus4(splat(raw))[0] : raw;
    float dRaw = free < s->dtMin || free > s->dtMax ? 0.0f : s->dtSoftplus ? dDelta * sigmoid4(splat(raw))[0] : dDelta;
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

void ssdHeadBack(const Ssd *s, Outer *o, long row, long head, const float *dY, const float *dLastState, float *checkpoints, SsdGradients *g, float *dB, float *dC) {
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

SIZE(ssdBackFloats, long b, long l, long p, long g, long n) { return 2 * b * l * g * n + outerFloats(p, n, 1, 1) + checkpointFloats(l, p, n); }
/** `workspace`: ssdBackFloats a thread. Heads are divided over threads; dB and dC sum over heads, so each thread has its own. */
KERNEL(ssdScanGrad, SsdGradients g, MaybeIn dY, MaybeIn dLastState, Ssd s, Space workspace) {
  long perThread = ssdBackFloats(s.b, s.l, s.p, s.g, s.n), sizeBC = s.b * s.l * s.g * s.n;
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
      ssdHeadBack(&s, &o, row, head, dY, dLastState, mine + 2 * sizeBC + outerFloats(s.p, s.n, 1, 1), &g, mine, mine + sizeBC);
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
