// The complex diagonal recurrence of S5 and S4D, states_t = ABar states_{t-1} + Bu_t: lanes over n, two pairs (re, im) a vector, eight
// pairs (one cache line) a tile that stays in registers over the whole length.
#include "scan.h"

enum { PAIR_VECTORS = LANES / 4, FLUSH_STEPS = 64 };

typedef struct {
  In ABar, Bu; /* [n, 2], or [b, l, n, 2] where it is `varying`; [b, l, n, 2] */
  MaybeIn initialState;
  long b, l, n;
  Flag varying, reverse;
} Diagonal;

INLINE F4 swapPairs(F4 x) { return __builtin_shufflevector(x, x, 1, 0, 3, 2); }
INLINE F4 realParts(F4 x) { return __builtin_shufflevector(x, x, 0, 0, 2, 2); }
INLINE F4 imaginaryParts(F4 x) { return __builtin_shufflevector(x, x, 1, 1, 3, 3); }
/** x y + z with x given as its real parts and its imaginary parts times (-1, 1, -1, 1). */
INLINE F4 pairMadd(F4 re, F4 im, F4 y, F4 z) { return madd(im, swapPairs(y), madd(re, y, z)); }

/** A row of a tile: straight from memory where the tile is full, else through a zero-filled copy. */
INLINE const float *tileRow(const int full, const float *p, float *copy, long count) {
  if (full) return p;
  loadRow(copy, p, count);
  return copy;
}

INLINE void walkDiagonal(const int full, const int varying, const Diagonal *s, long row, long first, long count, float *states, float *lastState) {
  const F4 alternate = {-1, 1, -1, 1};
  F4 h[PAIR_VECTORS], re[PAIR_VECTORS], im[PAIR_VECTORS];
  float copy[LANES] = {0}, other[LANES];
  long width = 2 * s->n, step = s->reverse ? -width : width, at = (row * s->l + (s->reverse ? s->l - 1 : 0)) * width + first;
  if (s->initialState) loadRow(copy, s->initialState + row * width + first, count);
  for (int v = 0; v < PAIR_VECTORS; v++) h[v] = load4(copy + 4 * v);
  for (long t = 0; t < s->l; t++, at += step) {
    if (varying || t == 0) {
      const float *A = tileRow(full, s->ABar + (varying ? at : first), copy, count);
      for (int v = 0; v < PAIR_VECTORS; v++) re[v] = realParts(load4(A + 4 * v)), im[v] = imaginaryParts(load4(A + 4 * v)) * alternate;
    }
    const float *x = tileRow(full, s->Bu + at, other, count);
    for (int v = 0; v < PAIR_VECTORS; v++) h[v] = pairMadd(re[v], im[v], h[v], load4(x + 4 * v));
    float *out = full ? states + at : copy;
    for (int v = 0; v < PAIR_VECTORS; v++) store4(out + 4 * v, h[v]);
    if (!full) storeRow(states + at, copy, count);
  }
  for (int v = 0; v < PAIR_VECTORS; v++) store4(copy + 4 * v, h[v]);
  if (lastState) storeRow(lastState + row * width + first, copy, count);
}

/** Threads share rows and tiles. */
KERNEL(diagonalScan, Out states, MaybeOut lastState, Diagonal s) {
  long tiles = (2 * s.n + LANES - 1) / LANES;
  Span items = share(s.b * tiles, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) {
    long first = i % tiles * LANES, count = minLong(LANES, 2 * s.n - first), row = i / tiles;
    if (count == LANES) {
      if (s.varying) walkDiagonal(1, 1, &s, row, first, count, states, lastState);
      else walkDiagonal(1, 0, &s, row, first, count, states, lastState);
    } else if (s.varying) walkDiagonal(0, 1, &s, row, first, count, states, lastState);
    else walkDiagonal(0, 0, &s, row, first, count, states, lastState);
  }
}

typedef struct {
  In states;
  MaybeIn dStates, dLastState;
  Out dABar, dBu;
  MaybeOut dInitialState;
} DiagonalGradients;

/** One tile of one row: g_t = dStates_t + conj(ABar_{t+1}) g_{t+1}; dBu_t = g_t; dABar_t = g_t conj(state_{t-1}), to memory or to `sums`. */
static void diagonalBack(const Diagonal *s, const DiagonalGradients *d, long row, long first, long count, float *sums) {
  const F4 conjugate = {1, -1, 1, -1};
  F4 g[PAIR_VECTORS], part[PAIR_VECTORS];
  float A[LANES], x[LANES], before[LANES], out[LANES];
  long width = 2 * s->n, step = s->reverse ? width : -width, at = (row * s->l + (s->reverse ? 0 : s->l - 1)) * width + first;
  for (int i = 0; i < LANES; i++) x[i] = 0;
  if (d->dLastState) loadRow(x, d->dLastState + row * width + first, count);
  for (int v = 0; v < PAIR_VECTORS; v++) g[v] = load4(x + 4 * v), part[v] = splat(0);
  for (long left = s->l - 1; left >= 0; left--, at += step) {
    if (d->dStates) {
      loadRow(x, d->dStates + at, count);
      for (int v = 0; v < PAIR_VECTORS; v++) g[v] += load4(x + 4 * v);
    }
    for (int i = 0; i < LANES; i++) before[i] = 0;
    if (left > 0) loadRow(before, d->states + at + step, count);
    else if (s->initialState) loadRow(before, s->initialState + row * width + first, count);
    if (s->varying || left == s->l - 1) loadRow(A, s->ABar + (s->varying ? at : first), count);
    for (int v = 0; v < PAIR_VECTORS; v++) {
      F4 h = load4(before + 4 * v), decay = load4(A + 4 * v);
      store4(x + 4 * v, g[v]);
      F4 dA = pairMadd(realParts(h), imaginaryParts(h) * conjugate, g[v], splat(0));
      if (s->varying) store4(out + 4 * v, dA);
      else part[v] += dA;
      g[v] = pairMadd(realParts(decay), imaginaryParts(decay) * conjugate, g[v], splat(0));
    }
    storeRow(d->dBu + at, x, count);
    if (s->varying) storeRow(d->dABar + at, out, count);
    else if (left % FLUSH_STEPS == 0) {
      // Sums of sums: rounding grows with the length of a span and the number of spans, not with their product.
      for (int v = 0; v < PAIR_VECTORS; v++) store4(sums + 4 * v, load4(sums + 4 * v) + part[v]), part[v] = splat(0);
    }
  }
  for (int v = 0; v < PAIR_VECTORS; v++) store4(x + 4 * v, g[v]);
  if (d->dInitialState) storeRow(d->dInitialState + row * width + first, x, count);
}

/** Threads share tiles. */
KERNEL(diagonalScanGrad, DiagonalGradients d, Diagonal s) {
  Span tiles = share((2 * s.n + LANES - 1) / LANES, 1, thread, threads);
  for (long i = tiles.lo; i < tiles.hi; i++) {
    long first = i * LANES, count = minLong(LANES, 2 * s.n - first);
    float sums[LANES] = {0};
    for (long row = 0; row < s.b; row++) diagonalBack(&s, &d, row, first, count, sums);
    if (!s.varying) storeRow(d.dABar + first, sums, count);
  }
}
