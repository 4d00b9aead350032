// The trapezoidal scan of Mamba-3 after its rotation: each step takes in what the step before wrote and what it writes itself.
#include "mamba3.h"

/** Weights of one step of one head. */
typedef struct {
  float alpha, beta, gamma, lambda, dt;
  int fresh; /* another sequence starts */
} Trapezoid;
INLINE Trapezoid trapezoidAt(const Mamba3 *s, long row, long t, long head) {
  long at = (row * s->l + t) * s->h + head;
  Trapezoid w;
  w.fresh = s->seqIdx && t > 0 && s->seqIdx[row * s->l + t] != s->seqIdx[row * s->l + t - 1];
  w.dt = s->dt[at];
  w.lambda = sigmoid4(splat(s->trap[at]))[0];
  w.alpha = w.fresh ? 0.0f : exp4(splat(s->adt[at]))[0];
  w.beta = (1 - w.lambda) * w.dt * w.alpha;
  w.gamma = w.lambda * w.dt;
  return w;
}
/** A head's rows [r, width] at step t; at t = -1 those of the token before the first (0: none). */
INLINE const float *rowsAt(const Mamba3 *s, const float *x, const float *before, long row, long t, long head, long width) {
  if (t >= 0) return x + ((row * s->l + t) * s->h + head) * s->r * width;
  return before ? before + (row * s->h + head) * s->r * width : 0;
}

static void prepareMamba3(const Mamba3 *s, Outer *o, long row, long head, long t, long steps) {
  long r = s->r;
  for (long i = 0; i < steps; i++) {
    Trapezoid w = trapezoidAt(s, row, t + i, head);
    o->alpha[i] = w.alpha;
    o->fresh[i] = w.fresh;
    for (int now = 0; now < 2; now++) {
      const float *k = rowsAt(s, s->k, s->initialK, row, t + i - 1 + now, head, s->n), *v = rowsAt(s, s->v, s->initialV, row, t + i - 1 + now, head, s->p);
      float weight = now ? w.gamma : w.beta, *keys = o->keys + (i * 2 + now) * r * o->pad, *values = o->values + (i * 2 + now) * r * s->p;
      if (!now && w.fresh) k = v = 0; // of another sequence
      if (k) padRows(keys, k, r, s->n, o->pad);
      else memset(keys, 0, (UW)(r * o->pad) * sizeof(float));
      for (long c = 0; c < r * s->p; c++) values[c] = v ? weight * v[c] : 0.0f;
    }
    padRows(o->queriesAt + i * r * o->pad, rowsAt(s, s->q, 0, row, t + i, head, s->n), r, s->n, o->pad);
  }
}

static void mamba3Head(const Mamba3 *s, Outer *o, long row, long head, const float *from, float *to, float *out) {
  if (from) padRows(o->state, from, s->p, s->n, o->pad);
  else memset(o->state, 0, (UW)(s->p * o->pad) * sizeof(float));
  long width = s->r * s->p;
  for (long t = 0; t < s->l; t += OUTER_SPAN) {
    long steps = minLong(OUTER_SPAN, s->l - t);
    prepareMamba3(s, o, row, head, t, steps);
    outerForward(o, steps, 0);
    for (long i = 0; i < steps; i++) {
      long at = ((row * s->l + t + i) * s->h + head) * width;
      for (long c = 0; c < width; c += 4) {
        F4 y = loadPart(o->y + i * width + c, width - c);
        if (s->D) y = madd(splat(s->D[head]), loadPart(s->v + at + c, width - c), y);
        if (s->z) y = y * silu4(loadPart(s->z + at + c, width - c));
        storePart(out + at + c, y, width - c);
      }
    }
  }
  if (to) unpadRows(to, o->state, s->p, s->n, o->pad);
}

/** `workspace`: outerFloats(p, n, 2 r, r) a thread. */
KERNEL(mamba3Scan, Out y, MaybeOut lastState, Mamba3 s, Space workspace) {
  Outer o;
  layOutOuter(&o, workspace + thread * outerFloats(s.p, s.n, 2 * s.r, s.r), s.p, s.n, 2 * s.r, s.r);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++)
    mamba3Head(&s, &o, i / s.h, i % s.h, s.initialState ? s.initialState + i * size : 0, lastState ? lastState + i * size : 0, y);
}
void mamba3OnceMore(const Mamba3 *s, long lo, long hi, float *y, float *lastState, float *memory) {
  Outer o;
  layOutOuter(&o, memory, s->p, s->n, 2 * s->r, s->r);
  long size = s->p * s->n, width = s->r * s->p;
  for (long i = lo; i < hi; i++) {
    long row = i / s->h, head = i % s->h;
    if (!holdsNan(y + (row * s->l * s->h + head) * width, s->l, s->h * width, width) && !(lastState && holdsNan(lastState + i * size, 1, size, size))) continue;
    mamba3Head(s, &o, row, head, s->initialState ? s->initialState + i * size : 0, lastState ? lastState + i * size : 0, y);
  }
}
/** mamba3Scan with l = 1: the state, and what this token wrote (read as initialK and initialV before), in place. */
KERNEL(mamba3ScanStep, Out y, InOut state, InOut lastK, InOut lastV, Mamba3 s, Space workspace) {
  s.initialK = lastK, s.initialV = lastV;
  Outer o;
  layOutOuter(&o, workspace + thread * outerFloats(s.p, s.n, 2 * s.r, s.r), s.p, s.n, 2 * s.r, s.r);
  long size = s.p * s.n;
  Span items = share(s.b * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) {
    mamba3Head(&s, &o, i / s.h, i % s.h, state + i * size, state + i * size, y);
    memcpy(lastK + i * s.r * s.n, s.k + i * s.r * s.n, (UW)(s.r * s.n) * sizeof(float));
    memcpy(lastV + i * s.r * s.p, s.v + i * s.r * s.p, (UW)(s.r * s.p) * sizeof(float));
  }
}

/** Gradients of one update's rows: keys as they are, values through the weight; returns dL/d weight. */
static float updateBack(const Mamba3 *s, const Outer *o, long i, int now, float weight, const float *v, float *dk, float *dv) {
  const float *dKeys = o->dKeys + (i * 2 + now) * s->r * o->pad, *dValues = o->dValues + (i * 2 + now) * s->r * s->p;
  float dWeight = 0;
  for (long c = 0; c < s->r * s->p; c++) {
    if (v) dWeight += dValues[c] * v[c];
    if (dv) dv[c] += weight * dValues[c];
  }
  if (dk)
    for (long j = 0; j < s->r; j++)
      for (long e = 0; e < s->n; e++) dk[j * s->n + e] += dKeys[j * o->pad + e];
  return dWeight;
}

static void mamba3SpanBack(const Mamba3 *s, Outer *o, long row, long head, long t, long steps, const float *dY, Mamba3Gradients *g) {
  long width = s->r * s->p;
  for (long i = steps - 1; i >= 0; i--) {
    long at = (row * s->l + t + i) * s->h + head, first = row * s->h + head;
    Trapezoid w = trapezoidAt(s, row, t + i, head);
    const float *before = rowsAt(s, s->v, s->initialV, row, t + i - 1, head, s->p), *v = s->v + at * width;
    int inside = t + i > 0;
    float *dkBefore = inside ? g->dk + (at - s->h) * s->r * s->n : g->dInitialK ? g->dInitialK + first * s->r * s->n : 0;
    float *dvBefore = inside ? g->dv + (at - s->h) * width : g->dInitialV ? g->dInitialV + first * width : 0;
    float dBeta = w.fresh ? 0.0f : updateBack(s, o, i, 0, w.beta, before, dkBefore, dvBefore); // else of another sequence
    float dGamma = updateBack(s, o, i, 1, w.gamma, v, g->dk + at * s->r * s->n, g->dv + at * width);
    unpadRows(g->dq + at * s->r * s->n, o->dQueries + i * s->r * o->pad, s->r, s->n, o->pad);
    for (long c = 0; c < width; c++) {
      float dOut = o->dY[i * width + c], skip = s->D ? s->D[head] : 0.0f;
      g->dv[at * width + c] += skip * dOut;
      if (g->dD) g->dD[head] += dOut * v[c];
      if (s->z) {
        float z = s->z[at * width + c], gate = sigmoid4(splat(z))[0];
        g->dz[at * width + c] = (dY ? dY[at * width + c] : 0.0f) * (o->y[i * width + c] + skip * v[c]) * gate * (1 + z * (1 - gate));
      }
    }
    float dAlpha = o->dAlpha[i] + dBeta * (1 - w.lambda) * w.dt;
    g->dadt[at] = dAlpha * w.alpha;
    g->ddt[at] = dBeta * (1 - w.lambda) * w.alpha + dGamma * w.lambda;
    g->dtrap[at] = (dGamma - dBeta * w.alpha) * w.dt * w.lambda * (1 - w.lambda);
  }
}

void mamba3HeadBack(const Mamba3 *s, Outer *o, long row, long head, const float *dY, const float *dLastState, float *checkpoints, Mamba3Gradients *g) {
  long size = s->p * o->pad, width = s->r * s->p, index = (row * s->h + head) * s->p * s->n;
  UW bytes = (UW)size * sizeof(float);
  for (long t = 0; t < s->l; t++) {
    long at = (row * s->l + t) * s->h + head;
    memset(g->dk + at * s->r * s->n, 0, (UW)(s->r * s->n) * sizeof(float));
    memset(g->dv + at * width, 0, (UW)width * sizeof(float));
  }
  if (g->dInitialK) memset(g->dInitialK + (row * s->h + head) * s->r * s->n, 0, (UW)(s->r * s->n) * sizeof(float));
  if (g->dInitialV) memset(g->dInitialV + (row * s->h + head) * width, 0, (UW)width * sizeof(float));
  if (s->initialState) padRows(o->state, s->initialState + index, s->p, s->n, o->pad);
  else memset(o->state, 0, bytes);
  for (long t = 0; t < s->l; t += OUTER_SPAN) {
    memcpy(checkpoints + t / OUTER_SPAN * size, o->state, bytes);
    if (t + OUTER_SPAN >= s->l) break;
    prepareMamba3(s, o, row, head, t, OUTER_SPAN);
    outerForward(o, OUTER_SPAN, 0);
  }
  if (dLastState) padRows(o->adjoint, dLastState + index, s->p, s->n, o->pad);
  else memset(o->adjoint, 0, bytes);
  for (long t = (s->l - 1) / OUTER_SPAN * OUTER_SPAN; t >= 0; t -= OUTER_SPAN) {
    long steps = minLong(OUTER_SPAN, s->l - t);
    memcpy(o->state, checkpoints + t / OUTER_SPAN * size, bytes);
    prepareMamba3(s, o, row, head, t, steps);
    outerForward(o, steps, 1);
    for (long i = 0; i < steps; i++) {
      long at = ((row * s->l + t + i) * s->h + head) * width;
      for (long c = 0; c < width; c += 4) {
        F4 d = dY ? loadPart(dY + at + c, width - c) : splat(0);
        if (s->z) d = d * silu4(loadPart(s->z + at + c, width - c));
        storePart(o->dY + i * width + c, d, width - c);
      }
    }
    outerBackward(o, steps);
    mamba3SpanBack(s, o, row, head, t, steps, dY, g);
  }
  if (g->dInitialState) unpadRows(g->dInitialState + index, o->adjoint, s->p, s->n, o->pad);
}

SIZE(mamba3BackFloats, long l, long r, long p, long n) { return outerFloats(p, n, 2 * r, r) + checkpointFloats(l, p, n); }
/** `workspace`: mamba3BackFloats a thread. Heads are divided over threads. */
KERNEL(mamba3ScanGrad, Mamba3Gradients g, MaybeIn dY, MaybeIn dLastState, Mamba3 s, Space workspace) {
  float *mine = workspace + thread * mamba3BackFloats(s.l, s.r, s.p, s.n);
  Outer o;
  layOutOuter(&o, mine, s.p, s.n, 2 * s.r, s.r);
  Span heads = share(s.h, 1, thread, threads);
  for (long head = heads.lo; head < heads.hi; head++) {
    if (g.dD) g.dD[head] = 0;
    for (long row = 0; row < s.b; row++)
      mamba3HeadBack(&s, &o, row, head, dY, dLastState, mine + outerFloats(s.p, s.n, 2 * s.r, s.r), &g);
  }
}
