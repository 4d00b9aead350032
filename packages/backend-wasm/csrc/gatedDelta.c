// The gated delta rule forward. One pass over a tile's state a token: it takes in the correction of the token before, decays, and answers
// key and query, all at once; what the query would have seen of this token's own correction, (query . key) e, is added afterwards.
#include "gatedDelta.h"

void layOutDelta(DeltaSpan *d, float *memory, long n) {
  d->pad = (n + 3) & ~3L;
  float **vectors[] = {&d->query, &d->key, &d->decay}, **scalars[] = {&d->queryKey, &d->beta, &d->inverse[0], &d->inverse[1]};
  for (int i = 0; i < 3; i++, memory += DELTA_SPAN * d->pad) *vectors[i] = memory;
  for (int i = 0; i < 4; i++, memory += DELTA_SPAN) *scalars[i] = memory;
}

/** A vector times `scale`, of length one before that where the rule asks for it; returns 1 / length. */
static float unitVector(const Delta *s, float *out, const float *in, float scale) {
  F4 sum = splat(0);
  for (long i = 0; s->l2norm && i < s->n; i += 4) {
    F4 x = loadPart(in + i, s->n - i);
    sum = madd(x, x, sum);
  }
  float inverse = s->l2norm ? 1.0f / sqrt1(sum4(sum) + s->l2eps) : 1.0f;
  for (long i = 0; i < s->n; i += 4) store4(out + i, loadPart(in + i, s->n - i) * splat(inverse * scale));
  return inverse;
}

void prepareDelta(const Delta *s, DeltaSpan *d, long row, long head, long t, long steps) {
  d->steps = steps;
  for (long i = 0; i < steps; i++) {
    long at = (row * s->l + t + i) * s->h + head;
    float *query = d->query + i * d->pad, *key = d->key + i * d->pad, *decay = d->decay + i * d->pad;
    d->inverse[0][i] = unitVector(s, query, s->q + at * s->n, s->scale);
    d->inverse[1][i] = unitVector(s, key, s->k + at * s->n, 1.0f);
    F4 dot = splat(0);
    for (long j = 0; j < s->n; j += 4) dot = madd(load4(query + j), load4(key + j), dot);
    d->queryKey[i] = sum4(dot);
    d->beta[i] = s->beta[at];
    if (s->wide)
      for (long j = 0; j < s->n; j += 4) store4(decay + j, exp4(loadPart(s->g + at * s->n + j, s->n - j)));
    else decay[0] = exp4(splat(s->g[at]))[0];
    d->restarts[i] = s->seqIdx && t + i > 0 && s->seqIdx[row * s->l + t + i] != s->seqIdx[row * s->l + t + i - 1];
  }
}

/**
 * One token: from -> to, rows [n][lanes], which may be one array. `before` and `error` are key and correction of the token before.
 * Leaves the answers to key and query.
 */
INLINE void deltaToken(const int wide, const float *from, float *to, long n, const float *before, const float *error, const float *decay, const float *key, const float *query, F4 *answer, F4 *out) {
  F4 e[DELTA_VECTORS], a[DELTA_VECTORS], y[DELTA_VECTORS], alpha = splat(decay[0]);
#pragma clang loop unroll(full)
  for (int v = 0; v < DELTA_VECTORS; v++) e[v] = load4(error + 4 * v), a[v] = splat(0), y[v] = splat(0);
  for (long i = 0; i < n; i++, from += DELTA_LANES, to += DELTA_LANES) {
    F4 b = splat(before[i]), k = splat(key[i]), q = splat(query[i]);
    if (wide) alpha = splat(decay[i]);
#pragma clang loop unroll(full)
    for (int v = 0; v < DELTA_VECTORS; v++) {
      F4 x = madd(b, e[v], load4(from + 4 * v)) * alpha;
      store4(to + 4 * v, x);
      a[v] = madd(x, k, a[v]);
      y[v] = madd(x, q, y[v]);
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < DELTA_VECTORS; v++) answer[v] = a[v], out[v] = y[v];
}
static __attribute__((noinline)) void deltaTokenOne(const float *from, float *to, long n, const float *before, const float *error, const float *decay, const float *key, const float *query, F4 *answer, F4 *out) {
  deltaToken(0, from, to, n, before, error, decay, key, query, answer, out);
}
static __attribute__((noinline)) void deltaTokenWide(const float *from, float *to, long n, const float *before, const float *error, const float *decay, const float *key, const float *query, F4 *answer, F4 *out) {
  deltaToken(1, from, to, n, before, error, decay, key, query, answer, out);
}

void advanceDelta(const Delta *s, const DeltaSpan *d, const DeltaTile *tile) {
  static const float nothing[DELTA_LANES] = {0};
  long size = s->n * DELTA_LANES;
  const float *from = tile->state, *before = d->key, *error = nothing;
  for (long t = 0; t < d->steps; t++) {
    const float *key = d->key + t * d->pad;
    float *to = tile->decayed ? tile->decayed + t * size : tile->state, *own = tile->error + t * DELTA_LANES;
    F4 answer[DELTA_VECTORS], out[DELTA_VECTORS];
    if (d->restarts[t]) memset(to, 0, (UW)size * sizeof(float)), from = to, before = key, error = nothing;
    (s->wide ? deltaTokenWide : deltaTokenOne)(from, to, s->n, before, error, d->decay + t * d->pad, key, d->query + t * d->pad, answer, out);
    F4 rate = splat(d->beta[t]), seen = splat(d->queryKey[t]);
    for (int v = 0; v < DELTA_VECTORS; v++) {
      F4 missing = load4(tile->v + t * DELTA_LANES + 4 * v) - answer[v], e = rate * missing;
      store4(own + 4 * v, e);
      if (tile->missing) store4(tile->missing + t * DELTA_LANES + 4 * v, missing);
      if (tile->y) store4(tile->y + t * DELTA_LANES + 4 * v, madd(seen, e, out[v]));
    }
    from = to, before = key, error = own;
  }
  for (long i = 0; i < s->n; i++)
    for (int v = 0; v < DELTA_LANES; v += 4) store4(tile->state + i * DELTA_LANES + v, madd(splat(before[i]), load4(error + v), load4(from + i * DELTA_LANES + v)));
}

/** Tiles [first, first + count) of one head: from the state at `from` (0: zeros) to `to` (0: nowhere; may be `from`). */
static void scanTiles(const Delta *s, long row, long head, long first, long count, const float *from, float *to, float *y, float *memory) {
  long size = s->n * DELTA_LANES;
  float *states = memory, v[DELTA_SPAN * DELTA_LANES], out[DELTA_SPAN * DELTA_LANES], error[DELTA_SPAN * DELTA_LANES];
  DeltaSpan d;
  layOutDelta(&d, memory + deltaState(s->n, s->p), s->n);
  for (long i = 0; i < count; i++) {
    long column = (first + i) * DELTA_LANES;
    if (from) loadTile(states + i * size, from + column, s->n, s->p, minLong(DELTA_LANES, s->p - column));
    else memset(states + i * size, 0, (UW)size * sizeof(float));
  }
  for (long t = 0; t < s->l; t += DELTA_SPAN) {
    prepareDelta(s, &d, row, head, t, minLong(DELTA_SPAN, s->l - t));
    for (long i = 0; i < count; i++) {
      long column = (first + i) * DELTA_LANES, width = minLong(DELTA_LANES, s->p - column), at = ((row * s->l + t) * s->h + head) * s->p + column;
      loadTile(v, s->v + at, d.steps, s->h * s->p, width);
      DeltaTile tile = {states + i * size, v, out, 0, error, 0};
      advanceDelta(s, &d, &tile);
      storeTile(y + at, out, d.steps, s->h * s->p, width);
    }
  }
  for (long i = 0; to && i < count; i++) {
    long column = (first + i) * DELTA_LANES;
    storeTile(to + column, states + i * size, s->n, s->p, minLong(DELTA_LANES, s->p - column));
  }
}

/** All heads and tiles, shared out over threads; what belongs to one head goes through its tokens together. */
static void deltaForward(const Delta *s, const float *from, float *to, float *y, float *workspace, int thread, int threads) {
  long tiles = deltaTiles(s->p), size = s->n * s->p;
  Span items = share(s->b * s->h * tiles, 1, thread, threads);
  for (long i = items.lo; i < items.hi;) {
    long item = i / tiles, first = i % tiles, count = minLong(tiles - first, items.hi - i);
    scanTiles(s, item / s->h, item % s->h, first, count, from ? from + item * size : 0, to ? to + item * size : 0, y, workspace + thread * deltaFloats(s->n, s->p));
    i += count;
  }
}

/** `workspace`: deltaFloats a thread. */
KERNEL(gatedDeltaRule, Out y, MaybeOut lastState, Delta s, Space workspace) { deltaForward(&s, s.initialState, lastState, y, workspace, thread, threads); }

/** One token on a tile's rows, `apart` floats from one another: once through them for the answers to key and query, once for decay and correction. */
INLINE void stepTile(const int wide, float *state, long n, long apart, const DeltaSpan *d, const float *v, float *y) {
  F4 a[DELTA_VECTORS], out[DELTA_VECTORS], alpha = splat(d->decay[0]), rate = splat(d->beta[0]), seen = splat(d->queryKey[0]);
#pragma clang loop unroll(full)
  for (int c = 0; c < DELTA_VECTORS; c++) a[c] = splat(0), out[c] = splat(0);
  const float *from = state;
  for (long i = 0; i < n; i++, from += apart) {
    F4 k = splat(d->key[i]), q = splat(d->query[i]);
    if (wide) alpha = splat(d->decay[i]);
#pragma clang loop unroll(full)
    for (int c = 0; c < DELTA_VECTORS; c++) {
      F4 x = load4(from + 4 * c) * alpha;
      a[c] = madd(x, k, a[c]);
      out[c] = madd(x, q, out[c]);
    }
  }
#pragma clang loop unroll(full)
  for (int c = 0; c < DELTA_VECTORS; c++) {
    a[c] = rate * (load4(v + 4 * c) - a[c]);
    store4(y + 4 * c, madd(seen, a[c], out[c]));
  }
  for (long i = 0; i < n; i++, state += apart) {
    F4 k = splat(d->key[i]);
    if (wide) alpha = splat(d->decay[i]);
#pragma clang loop unroll(full)
    for (int c = 0; c < DELTA_VECTORS; c++) store4(state + 4 * c, madd(k, a[c], load4(state + 4 * c) * alpha));
  }
}
static __attribute__((noinline)) void stepTileOne(float *state, long n, long apart, const DeltaSpan *d, const float *v, float *y) { stepTile(0, state, n, apart, d, v, y); }
static __attribute__((noinline)) void stepTileWide(float *state, long n, long apart, const DeltaSpan *d, const float *v, float *y) { stepTile(1, state, n, apart, d, v, y); }

/** Brings a head's state near, in the order of memory and four stretches in turn: tiles of it would wait at every row, and one stretch at every page. */
static void bringNear(const float *state, long n, long p) {
  long quarter = (n / 4) * p;
  float sum = 0;
  for (long i = 0; i < quarter; i += 16) {
    sum += state[i] + state[quarter + i];
    sum += state[2 * quarter + i] + state[3 * quarter + i];
  }
  KEEP_PLACE(sum);
  (void)sum;
}

/** One step (l = 1), the state in place. */
KERNEL(gatedDeltaRuleStep, Out y, InOut state, Delta s, Space workspace) {
  long tiles = deltaTiles(s.p), size = s.n * s.p;
  float *memory = workspace + thread * deltaFloats(s.n, s.p), *tile = memory, v[DELTA_LANES], out[DELTA_LANES];
  DeltaSpan d;
  layOutDelta(&d, memory + deltaState(s.n, s.p), s.n);
  Span items = share(s.b * s.h * tiles, 1, thread, threads);
  for (long i = items.lo; i < items.hi;) {
    long item = i / tiles, first = i % tiles, count = minLong(tiles - first, items.hi - i);
    prepareDelta(&s, &d, item / s.h, item % s.h, 0, 1);
    if (2 * count >= tiles) bringNear(state + item * size, s.n, s.p);
    for (long end = i + count; i < end; i++) {
      long column = i % tiles * DELTA_LANES, width = minLong(DELTA_LANES, s.p - column), at = item * s.p + column;
      float *own = state + item * size + column;
      int whole = width == DELTA_LANES;
      if (!whole) loadTile(tile, own, s.n, s.p, width);
      loadTile(v, s.v + at, 1, 0, width);
      (s.wide ? stepTileWide : stepTileOne)(whole ? own : tile, s.n, whole ? s.p : DELTA_LANES, &d, v, out);
      storeTile(y + at, out, 1, 0, width);
      if (!whole) storeTile(own, tile, s.n, s.p, width);
    }
  }
}
/** `workspace`: deltaBackFloats a thread. Threads share heads. */
KERNEL(gatedDeltaRuleGrad, DeltaGradients g, MaybeIn dY, MaybeIn dLastState, Delta s, Space workspace) {
  deltaBackward(&s, share(s.b * s.h, 1, thread, threads), dY, dLastState, &g, workspace + thread * deltaBackFloats(s.l, s.n, s.p));
}
