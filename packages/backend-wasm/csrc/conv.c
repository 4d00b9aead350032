// Depthwise causal convolution of Mamba, lanes over channels; weight [d, k], last tap = current step.
#include "vmath.h"

enum { CONV_TILE = 64, MAX_TAPS = 64 };

typedef struct {
  In x, weight;
  MaybeIn bias, initialState;
  MaybeInts seqIdx;
  long b, l, d, k;
  Flag silu;
} Conv;

/** Weights of channels [first, first + count) as [k][CONV_TILE], zero past count. */
static void loadTaps(float *out, const Conv *c, long first, long count) {
  for (long j = 0; j < c->k; j++)
    for (long i = 0; i < CONV_TILE; i++) out[j * CONV_TILE + i] = i < count ? c->weight[(first + i) * c->k + j] : 0.0f;
}
/** Whether another sequence begins in (from, to]: ids may come back, so they are compared step by step. */
INLINE int isParted(const Conv *c, long row, long from, long to) {
  const int *ids = c->seqIdx + row * c->l;
  for (long t = maxLong(from, 0); t < to; t++)
    if (ids[t] != ids[t + 1]) return 1;
  return 0;
}
/** Row of x (or of the initial state) at step t, channel `first`; 0 where there is none or another sequence. */
INLINE const float *rowAt(const Conv *c, long row, long t, long current, long first) {
  if (c->seqIdx && isParted(c, row, t, current)) return 0;
  if (t >= 0) return c->x + (row * c->l + t) * c->d + first;
  return c->initialState ? c->initialState + (row * (c->k - 1) + c->k - 1 + t) * c->d + first : 0;
}
/** bias + sum of taps at step t for four channels from `first + i` */
INLINE F4 preactivation(const Conv *c, const float *const *rows, const float *taps, long first, long i, long count) {
  F4 sum = c->bias ? loadPart(c->bias + first + i, count) : splat(0);
  for (long j = 0; j < c->k; j++)
    if (rows[j]) sum = madd(load4(taps + j * CONV_TILE + i), loadPart(rows[j] + i, count), sum);
  return sum;
}

/** Steps [from, until) of a whole tile with four taps and no boundary: the window slides through registers. */
static void slideFour(const Conv *c, const float *taps, long row, long first, long from, long until, float *out) {
  for (long i = 0; i < CONV_TILE; i += 4) {
    const float *x = c->x + (row * c->l + from) * c->d + first + i;
    float *y = out + (row * c->l + from) * c->d + first + i;
    F4 w0 = load4(taps + i), w1 = load4(taps + CONV_TILE + i), w2 = load4(taps + 2 * CONV_TILE + i), w3 = load4(taps + 3 * CONV_TILE + i);
    F4 bias = c->bias ? load4(c->bias + first + i) : splat(0), x0 = load4(x - 3 * c->d), x1 = load4(x - 2 * c->d), x2 = load4(x - c->d);
    for (long t = from; t < until; t++, x += c->d, y += c->d) {
      F4 x3 = load4(x), sum = madd(w3, x3, madd(w2, x2, madd(w1, x1, madd(w0, x0, bias))));
      store4(y, c->silu ? silu4(sum) : sum);
      x0 = x1, x1 = x2, x2 = x3;
    }
  }
}

KERNEL(causalConv1d, Out y, Conv c) {
  float *taps = (float *)scratchOf(thread);
  long tiles = (c.d + CONV_TILE - 1) / CONV_TILE;
  const float *rows[MAX_TAPS];
  Span items = share(c.b * tiles, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    long row = item / tiles, first = item % tiles * CONV_TILE, width = minLong(CONV_TILE, c.d - first);
    loadTaps(taps, &c, first, width);
    int slides = c.k == 4 && width == CONV_TILE && !c.seqIdx && c.l > 3;
    for (long t = 0; t < (slides ? 3 : c.l); t++) {
      float *to = y + (row * c.l + t) * c.d + first;
      for (long j = 0; j < c.k; j++) rows[j] = rowAt(&c, row, t - c.k + 1 + j, t, first);
      for (long i = 0; i < width; i += 4) {
        F4 sum = preactivation(&c, rows, taps, first, i, width - i);
        storePart(to + i, c.silu ? silu4(sum) : sum, width - i);
      }
    }
    // In stretches of rows that stay in the cache (and whose pages stay translated) over the tile's columns.
    for (long t = 3; slides && t < c.l; t += 64) slideFour(&c, taps, row, first, t, minLong(c.l, t + 64), y);
  }
}
/** The last k - 1 rows, from the initial state where there are fewer. */
KERNEL(causalConv1dState, Out lastState, In x, MaybeIn initialState, MaybeInts seqIdx, long b, long l, long d, long k) {
  Conv c = {.x = x, .initialState = initialState, .seqIdx = seqIdx, .b = b, .l = l, .d = d, .k = k};
  Span s = share(c.b * (c.k - 1), 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *from = rowAt(&c, i / (c.k - 1), c.l - c.k + 1 + i % (c.k - 1), c.l - 1, 0);
    float *to = lastState + i * c.d;
    if (from) memcpy(to, from, (UW)c.d * sizeof(float));
    else memset(to, 0, (UW)c.d * sizeof(float));
  }
}

typedef struct {
  MaybeIn dY, dLastState;
  Out dx, dWeight;
  MaybeOut dBias, dInitialState;
} ConvGradients;

/** One tile of channels over the whole batch: each step's gradient is added to the rows it read. */
static void convTileBack(const Conv *c, const ConvGradients *g, long first, long width, float *taps) {
  float *dTaps = taps + c->k * CONV_TILE, *dBias = dTaps + c->k * CONV_TILE;
  const float *rows[MAX_TAPS];
  float *targets[MAX_TAPS];
  loadTaps(taps, c, first, width);
  memset(dTaps, 0, (UW)((c->k + 1) * CONV_TILE) * sizeof(float));
  for (long row = 0; row < c->b; row++) {
    if (g->dInitialState)
      for (long j = 0; j < c->k - 1; j++) memset(g->dInitialState + (row * (c->k - 1) + j) * c->d + first, 0, (UW)width * sizeof(float));
    for (long t = 0; t < c->l; t++) {
      memset(g->dx + (row * c->l + t) * c->d + first, 0, (UW)width * sizeof(float));
      if (!g->dY) continue;
      for (long j = 0; j < c->k; j++) {
        long s = t - c->k + 1 + j;
        rows[j] = rowAt(c, row, s, t, first);
        targets[j] = !rows[j] ? 0 : s >= 0 ? g->dx + (row * c->l + s) * c->d + first : g->dInitialState ? g->dInitialState + (row * (c->k - 1) + c->k - 1 + s) * c->d + first : 0;
      }
      const float *dY = g->dY + (row * c->l + t) * c->d + first;
      for (long i = 0; i < width; i += 4) {
        long count = width - i;
        F4 dy = loadPart(dY + i, count);
        if (c->silu) {
          F4 p = preactivation(c, rows, taps, first, i, count), s = sigmoid4(p);
          dy = dy * s * madd(p, splat(1.0f) - s, splat(1.0f));
        }
        store4(dBias + i, load4(dBias + i) + dy);
        for (long j = 0; j < c->k; j++) {
          if (!rows[j]) continue;
          float *dTap = dTaps + j * CONV_TILE + i;
          store4(dTap, madd(dy, loadPart(rows[j] + i, count), load4(dTap)));
          if (targets[j]) storePart(targets[j] + i, madd(dy, load4(taps + j * CONV_TILE + i), loadPart(targets[j] + i, count)), count);
        }
      }
    }
    if (!g->dLastState) continue;
    for (long j = 0; j < c->k - 1; j++) {
      long t = c->l - c->k + 1 + j;
      if (!rowAt(c, row, t, c->l - 1, first)) continue;
      float *to = t >= 0 ? g->dx + (row * c->l + t) * c->d + first : g->dInitialState ? g->dInitialState + (row * (c->k - 1) + c->k - 1 + t) * c->d + first : 0;
      const float *from = g->dLastState + (row * (c->k - 1) + j) * c->d + first;
      for (long i = 0; to && i < width; i++) to[i] += from[i];
    }
  }
  for (long j = 0; j < c->k; j++)
    for (long i = 0; i < width; i++) g->dWeight[(first + i) * c->k + j] = dTaps[j * CONV_TILE + i];
  if (g->dBias) memcpy(g->dBias + first, dBias, (UW)width * sizeof(float));
}
KERNEL(causalConv1dGrad, ConvGradients g, Conv c) {
  // Narrower tiles where there are few channels, so that every thread gets some.
  long tile = c.d >= 2 * CONV_TILE * threads ? CONV_TILE : 16;
  Span tiles = share((c.d + tile - 1) / tile, 1, thread, threads);
  for (long i = tiles.lo; i < tiles.hi; i++) convTileBack(&c, &g, i * tile, minLong(tile, c.d - i * tile), (float *)scratchOf(thread));
}

/** Four channels of a step with any number of taps. */
OUTLINE F4 stepAny(const float *weight, float *state, long d, long k, F4 x, F4 sum, long count) {
  for (long j = 0; j < k; j++) {
    F4 tap = splat(0), in = j < k - 1 ? loadPart(state + j * d, count) : x;
    for (long q = 0; q < count; q++) tap[q] = weight[q * k + j];
    sum = madd(tap, in, sum);
    if (j > 0) storePart(state + (j - 1) * d, in, count);
  }
  return sum;
}
/** The same with four taps: a load of the weights is a channel's, so four are turned into taps. */
INLINE F4 stepFour(const float *weight, float *state, long d, F4 x, F4 sum) {
  F4 w0 = load4(weight), w1 = load4(weight + 4), w2 = load4(weight + 8), w3 = load4(weight + 12);
  F4 x0 = load4(state), x1 = load4(state + d), x2 = load4(state + 2 * d);
  transpose4(&w0, &w1, &w2, &w3);
  store4(state, x1), store4(state + d, x2), store4(state + 2 * d, x);
  return madd(w3, x, madd(w2, x2, madd(w1, x1, madd(w0, x0, sum))));
}

/** y, x [b, d]; state [b, k-1, d]. */
KERNEL(causalConv1dStep, Out y, In x, InOut state, In weight, MaybeIn bias, long b, long d, long k, Flag silu) {
  Span s = share(d, 16, thread, threads);
  for (long row = 0; row < b; row++) {
    float *rows = state + row * (k - 1) * d;
    const float *in = x + row * d;
    for (long i = s.lo; i < s.hi; i += 4) {
      long count = minLong(4, s.hi - i);
      F4 sum = bias ? loadPart(bias + i, count) : splat(0), value = loadPart(in + i, count);
      sum = k == 4 && count == 4 ? stepFour(weight + i * k, rows + i, d, value, sum) : stepAny(weight + i * k, rows + i, d, k, value, sum, count);
      storePart(y + row * d + i, silu ? silu4(sum) : sum, count);
    }
  }
}
