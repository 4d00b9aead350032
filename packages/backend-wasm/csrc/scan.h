// Shared by the selective scan's forward and backward kernels. Lanes run over channels: a tile is 16 of them (one cache line of
// each row), its state and A lie as [n][16], A premultiplied by log2 e so that exp(delta A) is one 2^x.
#pragma once
#include "vmath.h"

/**
 * A thread walks groups of tiles, all tiles of a group over one chunk of steps before the next chunk. One tile at a time over the
 * whole length would touch a new page of every array at each step, and address translation would cost more than the scan.
 */
enum { LANES = 16, STEPS = 32, MAX_GROUP = 32, GROUP_FLOATS = 98304 };
/** States a channel that a thread's scratch has room for. */
enum { MAX_STATE = 400 };

typedef struct {
  In u, delta, A, B, C;
  MaybeIn D, z, deltaBias, initialState;
  MaybeInts seqIdx;
  long b, l, d, n, g;
  Flag deltaSoftplus;
} Scan;

/** The channels of one tile; tiles do not straddle groups of B and C. */
typedef struct {
  long first, count, group;
} Tile;

INLINE long tilesOf(const Scan *s) { return s->g * ((s->d / s->g + LANES - 1) / LANES); }
INLINE Tile tileAt(const Scan *s, long index) {
  long width = s->d / s->g, perGroup = (width + LANES - 1) / LANES, group = index / perGroup, at = index % perGroup * LANES;
  Tile t = {group * width + at, minLong(LANES, width - at), group};
  return t;
}

/** Tiles a group may have: their `arrays` [n][16] arrays each fit the scratch. */
INLINE long groupSize(const Scan *s, long arrays) { return maxLong(1, minLong(MAX_GROUP, GROUP_FLOATS / (arrays * s->n * LANES))); }

/**
 * Reads one word of every cache line of rows [t, t + steps), channels [first, first + width): in memory order, which the hardware
 * prefetches. The tiles then find their lines near; reading them tile by tile, each line would wait for memory by itself.
 */
OUTLINE void touchRows(const Scan *s, const float *p, long row, long t, long steps, long first, long width) {
  if (!p) return;
  for (long i = 0; i < steps; i++) {
    const volatile float *line = p + (row * s->l + t + i) * s->d + first;
    for (long j = 0; j < width; j += LANES) (void)line[j];
  }
}

OUTLINE void loadPartRow(float *out, const float *p, long count) {
  for (int i = 0; i < LANES; i++) out[i] = i < count ? p[i] : 0.0f;
}
OUTLINE void storePartRow(float *p, const float *in, long count) {
  for (int i = 0; i < count; i++) p[i] = in[i];
}
INLINE void loadRow(float *out, const float *p, long count) {
  if (count != LANES) loadPartRow(out, p, count);
  else
    for (int i = 0; i < LANES; i += 4) store4(out + i, load4(p + i));
}
INLINE void storeRow(float *p, const float *in, long count) {
  if (count != LANES) storePartRow(p, in, count);
  else
    for (int i = 0; i < LANES; i += 4) store4(p + i, load4(in + i));
}
/** [count, n] of memory to [n][16], times `scale`. */
OUTLINE void loadTransposed(float *out, const float *p, long n, long count, float scale) {
  for (long j = 0; j < n; j++)
    for (long i = 0; i < LANES; i++) out[j * LANES + i] = i < count ? p[i * n + j] * scale : 0.0f;
}
OUTLINE void storeTransposed(float *p, const float *in, long n, long count) {
  for (long j = 0; j < n; j++)
    for (long i = 0; i < count; i++) p[i * n + j] = in[j * LANES + i];
}
OUTLINE float largest(const float *p, long count) {
  F4 m = splat(0);
  for (long i = 0; i < count; i += 4) m = max4(m, abs4(load4(p + i)));
  return maxLane(m);
}
/** 1 when no |delta A log2 e| of these steps leaves the range of exp2Fast (NaN: 0). */
INLINE int staysInRange(const float *delta, long steps, float largestA) { return largest(delta, steps * LANES) * largestA <= 126.0f; }

/**
 * delta (after bias and softplus) and delta u of steps [t, t + steps) of one row of the batch, lanes past the tile zero; with
 * `slope`, also the softplus's derivative (1 without softplus).
 */
void prepareSteps(const Scan *s, Tile tile, long row, long t, long steps, float *delta, float *du, float *slope);
/** Advances the state over the steps and writes y = C h for each; seqIdx resets inside. */
void advance(const Scan *s, Tile tile, long row, long t, long steps, const float *A, int inRange, float *h, const float *delta, const float *du, float *y);

/**
 * 2^x without exp2Fast's range: 0 below 2^-126, infinity from 2^128 on, NaN kept. A decay that small leaves nothing of a state, and
 * denormal numbers would make every product with them some ten times as slow.
 */
INLINE F4 exp2Any(F4 x) {
  F4 y = exp2Fast(min4(splat(128.0f), max4(splat(-126.0f), x))); // of 128 the exponent is infinity's
  return select4(x == x, (F4)((I4)y & (x >= splat(-126.0f))), x);
}
INLINE int resetsAt(const Scan *s, long row, long t) {
  return s->seqIdx && t > 0 && s->seqIdx[row * s->l + t] != s->seqIdx[row * s->l + t - 1];
}
