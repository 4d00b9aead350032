// The gated delta rule backward: the forward pass keeps the state at the start of each span; each span is recomputed with the decayed state
// of its tokens kept, then walked from its end. With D the decayed state, r = v - D^T k, e = beta r, state = D + k e^T, and G its adjoint:
//   G += query dy^T;  de = G^T k;  dr = beta de;  dD = G - k dr^T;  the adjoint before = exp(g) dD.
#include "gatedDelta.h"

typedef struct {
  DeltaSpan span;
  float *state, *adjoint, *starts; /* one tile; all tiles; all tiles before each span */
  float *decayed;                  /* [span][n][lanes] of one tile */
  float *dQuery, *dKey, *dDecay;   /* [span][n][4]: over all tiles; their lanes are added up at the end of the span */
  F4 dBeta[DELTA_SPAN], seen[DELTA_SPAN], dScalar[DELTA_SPAN]; /* likewise; seen: e dy, dScalar: of the one decay of a head */
  float v[DELTA_SPAN * DELTA_LANES], error[DELTA_SPAN * DELTA_LANES], missing[DELTA_SPAN * DELTA_LANES]; /* of one tile */
  float dy[DELTA_SPAN * DELTA_LANES], dv[DELTA_SPAN * DELTA_LANES];
} DeltaBack;

/** The first half of a token: the adjoint takes in query dy^T; leaves de, adds D dy. */
INLINE void readBack(const DeltaBack *w, long n, long t, float *G, F4 *de) {
  const float *query = w->span.query + t * w->span.pad, *key = w->span.key + t * w->span.pad, *D = w->decayed + t * n * DELTA_LANES;
  float *dQuery = w->dQuery + 4 * t * n;
  F4 y[DELTA_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < DELTA_VECTORS; v++) de[v] = splat(0), y[v] = load4(w->dy + t * DELTA_LANES + 4 * v);
  for (long i = 0; i < n; i++, G += DELTA_LANES, D += DELTA_LANES, dQuery += 4) {
    F4 q = splat(query[i]), k = splat(key[i]), sum = load4(dQuery);
#pragma clang loop unroll(full)
    for (int v = 0; v < DELTA_VECTORS; v++) {
      F4 g = madd(q, y[v], load4(G + 4 * v));
      store4(G + 4 * v, g);
      de[v] = madd(g, k, de[v]);
      sum = madd(load4(D + 4 * v), y[v], sum);
    }
    store4(dQuery, sum);
  }
}
/** The second half: through the correction and the decay; dr = beta de. */
INLINE F4 correctionBack(const int wide, const DeltaBack *w, long n, long t, float *G, const F4 *dr) {
  const float *key = w->span.key + t * w->span.pad, *decay = w->span.decay + t * w->span.pad, *D = w->decayed + t * n * DELTA_LANES;
  float *dKey = w->dKey + 4 * t * n, *dDecay = w->dDecay + 4 * t * n;
  F4 e[DELTA_VECTORS], alpha = splat(decay[0]), own = splat(0);
#pragma clang loop unroll(full)
  for (int v = 0; v < DELTA_VECTORS; v++) e[v] = load4(w->error + t * DELTA_LANES + 4 * v);
  for (long i = 0; i < n; i++, G += DELTA_LANES, D += DELTA_LANES, dKey += 4) {
    F4 k = splat(key[i]), sum = load4(dKey);
    if (wide) alpha = splat(decay[i]), own = load4(dDecay + 4 * i);
#pragma clang loop unroll(full)
    for (int v = 0; v < DELTA_VECTORS; v++) {
      F4 g = load4(G + 4 * v), h = load4(D + 4 * v), dD = nmadd(k, dr[v], g);
      sum = nmadd(h, dr[v], madd(g, e[v], sum));
      own = madd(dD, h, own);
      store4(G + 4 * v, alpha * dD);
    }
    store4(dKey, sum);
    if (wide) store4(dDecay + 4 * i, own);
  }
  return own;
}
/** One token of one tile: `adjoint` [n][lanes] goes from after the token to before it. */
INLINE void deltaTokenBack(const int wide, DeltaBack *w, long n, long t, float *adjoint) {
  F4 de[DELTA_VECTORS], beta = splat(w->span.beta[t]);
  readBack(w, n, t, adjoint, de);
#pragma clang loop unroll(full)
  for (int v = 0; v < DELTA_VECTORS; v++) {
    long at = t * DELTA_LANES + 4 * v;
    w->dBeta[t] = madd(de[v], load4(w->missing + at), w->dBeta[t]);
    w->seen[t] = madd(load4(w->error + at), load4(w->dy + at), w->seen[t]);
    de[v] = beta * de[v];
    store4(w->dv + at, de[v]);
  }
  F4 own = correctionBack(wide, w, n, t, adjoint, de);
  if (!wide) w->dScalar[t] += own;
}
static __attribute__((noinline)) void deltaTokenBackOne(DeltaBack *w, long n, long t, float *adjoint) { deltaTokenBack(0, w, n, t, adjoint); }
static __attribute__((noinline)) void deltaTokenBackWide(DeltaBack *w, long n, long t, float *adjoint) { deltaTokenBack(1, w, n, t, adjoint); }

/** One tile over one span; `start`: its state before the span; `at`: its first element in v. */
static void deltaTileBack(const Delta *s, DeltaBack *w, const float *start, float *adjoint, long at, long width, const float *dY, float *dv) {
  long size = s->n * DELTA_LANES, steps = w->span.steps, apart = s->h * s->p;
  loadTile(w->v, s->v + at, steps, apart, width);
  if (dY) loadTile(w->dy, dY + at, steps, apart, width);
  else memset(w->dy, 0, sizeof w->dy);
  memcpy(w->state, start, (UW)size * sizeof(float));
  DeltaTile tile = {w->state, w->v, 0, w->decayed, w->error, w->missing};
  advanceDelta(s, &w->span, &tile);
  for (long t = steps - 1; t >= 0; t--) {
    (s->wide ? deltaTokenBackWide : deltaTokenBackOne)(w, s->n, t, adjoint);
    if (w->span.restarts[t]) memset(adjoint, 0, (UW)size * sizeof(float));
  }
  storeTile(dv + at, w->dv, steps, apart, width);
}

/** The gradient of a vector from that of `unit`, which is the vector times inverse (1 / its length) times scale. */
static void throughLength(const Delta *s, float *out, const float *gradient, const float *unit, float inverse, float scale) {
  float along = 0;
  for (long i = 0; s->l2norm && i < s->n; i++) along += gradient[i] * unit[i];
  float back = along / (scale * scale);
  for (long i = 0; i < s->n; i++) out[i] = inverse * scale * (gradient[i] - back * unit[i]);
}

/** Adds up lanes, and writes what a span's tokens get. */
static void finishDelta(const Delta *s, DeltaBack *w, long row, long head, long from, const DeltaGradients *g) {
  const DeltaSpan *d = &w->span;
  long n = s->n;
  for (long t = 0; t < d->steps; t++) {
    long at = (row * s->l + from + t) * s->h + head;
    const float *key = d->key + t * d->pad;
    float *dQuery = w->dQuery + 4 * t * n, *dKey = w->dKey + 4 * t * n, seen = sum4(w->seen[t]);
    for (long i = 0; i < n; i++) {
      dQuery[i] = sum4(load4(dQuery + 4 * i)) + seen * key[i];
      dKey[i] = sum4(load4(dKey + 4 * i));
      if (s->wide) g->dg[at * n + i] = sum4(load4(w->dDecay + 4 * (t * n + i)));
    }
    throughLength(s, g->dq + at * n, dQuery, d->query + t * d->pad, d->inverse[0][t], s->scale);
    throughLength(s, g->dk + at * n, dKey, key, d->inverse[1][t], 1.0f);
    g->dbeta[at] = sum4(w->dBeta[t]);
    if (!s->wide) g->dg[at] = sum4(w->dScalar[t]);
  }
}

/** Forward over all tokens, the state before each span kept. */
static void keepStarts(const Delta *s, DeltaBack *w, long row, long head) {
  long size = s->n * DELTA_LANES, whole = deltaState(s->n, s->p);
  const float *from = s->initialState ? s->initialState + (row * s->h + head) * s->n * s->p : 0;
  for (long column = 0; column < s->p; column += DELTA_LANES)
    if (from) loadTile(w->starts + column * s->n, from + column, s->n, s->p, minLong(DELTA_LANES, s->p - column));
    else memset(w->starts + column * s->n, 0, (UW)size * sizeof(float));
  for (long t = 0; t + DELTA_SPAN < s->l; t += DELTA_SPAN) {
    float *start = w->starts + t / DELTA_SPAN * whole;
    memcpy(start + whole, start, (UW)whole * sizeof(float));
    prepareDelta(s, &w->span, row, head, t, DELTA_SPAN);
    for (long column = 0; column < s->p; column += DELTA_LANES) {
      loadTile(w->v, s->v + ((row * s->l + t) * s->h + head) * s->p + column, DELTA_SPAN, s->h * s->p, minLong(DELTA_LANES, s->p - column));
      DeltaTile tile = {start + whole + column * s->n, w->v, 0, 0, w->error, 0};
      advanceDelta(s, &w->span, &tile);
    }
  }
}

static void deltaHeadBack(const Delta *s, DeltaBack *w, long row, long head, const float *dY, const float *dLastState, const DeltaGradients *g) {
  long size = s->n * s->p, index = (row * s->h + head) * size, whole = deltaState(s->n, s->p);
  keepStarts(s, w, row, head);
  for (long column = 0; column < s->p; column += DELTA_LANES)
    if (dLastState) loadTile(w->adjoint + column * s->n, dLastState + index + column, s->n, s->p, minLong(DELTA_LANES, s->p - column));
    else memset(w->adjoint + column * s->n, 0, (UW)(s->n * DELTA_LANES) * sizeof(float));
  for (long t = (ceilDivide(s->l, DELTA_SPAN) - 1) * DELTA_SPAN; t >= 0; t -= DELTA_SPAN) {
    prepareDelta(s, &w->span, row, head, t, minLong(DELTA_SPAN, s->l - t));
    memset(w->dQuery, 0, (UW)(3 * DELTA_SPAN * 4 * s->n) * sizeof(float));
    for (int i = 0; i < DELTA_SPAN; i++) w->dBeta[i] = w->seen[i] = w->dScalar[i] = splat(0);
    for (long column = 0; column < s->p; column += DELTA_LANES) {
      long at = ((row * s->l + t) * s->h + head) * s->p + column;
      deltaTileBack(s, w, w->starts + t / DELTA_SPAN * whole + column * s->n, w->adjoint + column * s->n, at, minLong(DELTA_LANES, s->p - column), dY, g->dv);
    }
    finishDelta(s, w, row, head, t, g);
  }
  for (long column = 0; g->dInitialState && column < s->p; column += DELTA_LANES)
    storeTile(g->dInitialState + index + column, w->adjoint + column * s->n, s->n, s->p, minLong(DELTA_LANES, s->p - column));
}

void deltaBackward(const Delta *s, Span items, const float *dY, const float *dLastState, const DeltaGradients *g, float *memory) {
  DeltaBack w;
  layOutDelta(&w.span, memory, s->n), memory += deltaSpan(s->n);
  w.state = memory, memory += DELTA_LANES * s->n;
  w.adjoint = memory, memory += deltaState(s->n, s->p);
  w.decayed = memory, memory += DELTA_SPAN * DELTA_LANES * s->n;
  w.dQuery = memory, memory += DELTA_SPAN * 4 * s->n;
  w.dKey = memory, memory += DELTA_SPAN * 4 * s->n;
  w.dDecay = memory, memory += DELTA_SPAN * 4 * s->n;
  w.starts = memory;
  for (long i = items.lo; i < items.hi; i++) deltaHeadBack(s, &w, i / s->h, i % s->h, dY, dLastState, g);
}
