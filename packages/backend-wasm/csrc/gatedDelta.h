// The gated delta rule (Yang, Kautz and Hatamizadeh 2024), shared by its forward and backward kernels. A column of the state sees no other
// one, so lanes run over columns: a tile of them is a copy [n][DELTA_LANES] that stays in the nearest cache over a span of tokens.
#pragma once
#include "vmath.h"

enum { DELTA_LANES = 16, DELTA_VECTORS = DELTA_LANES / 4, DELTA_SPAN = 16 };

typedef struct {
  In q, k, v, g, beta; /* [b, l, h, n] twice, [b, l, h, p], [b, l, h] (wide: [b, l, h, n]), [b, l, h] */
  MaybeIn initialState; /* [b, h, n, p] */
  MaybeInts seqIdx;
  long b, l, h, n, p;
  Flag wide; /* a decay for each row of the state */
  Flag l2norm;
  float l2eps, scale;
} Delta;

SIZE(deltaTiles, long p) { return ceilDivide(p, DELTA_LANES); }
/** Floats of one head's state, in tiles. */
SIZE(deltaState, long n, long p) { return deltaTiles(p) * DELTA_LANES * n; }
/** Floats of a DeltaSpan. */
SIZE(deltaSpan, long n) { return DELTA_SPAN * (3 * ((n + 3) & ~3L) + 16); }
/** Floats of a thread, forward and in a step. */
SIZE(deltaFloats, long n, long p) { return maxLong(deltaState(n, p), 2 * ((p + 3) & ~3L)) + deltaSpan(n); }

/** What a span of tokens of one head is, the same for all columns. */
typedef struct {
  long steps, pad;                         /* pad: floats from a token's vector to the next one's */
  float *query, *key, *decay;              /* [span][n]: scaled, of length one; exp(g) (not wide: the first of a row only) */
  float *queryKey, *beta, *inverse[2];     /* [span]: query . key; 1 / length of q and k */
  int restarts[DELTA_SPAN];
} DeltaSpan;

void layOutDelta(DeltaSpan *d, float *memory, long n);
/** Tokens [t, t + steps) of one head. */
void prepareDelta(const Delta *s, DeltaSpan *d, long row, long head, long t, long steps);

/** One tile over one span: the state before it, changed to that after it; rows of v; what comes out. */
typedef struct {
  float *state;         /* [n][lanes] */
  const float *v;       /* [span][lanes] */
  float *y;             /* [span][lanes], or 0 */
  float *decayed;       /* [span][n][lanes], or 0: the state of each token before its correction, kept */
  float *error, *missing; /* [span][lanes]: beta missing; v - decayed^T k */
} DeltaTile;
void advanceDelta(const Delta *s, const DeltaSpan *d, const DeltaTile *tile);

typedef struct {
  Out dq, dk, dv, dg, dbeta;
  MaybeOut dInitialState;
} DeltaGradients;

/** Floats of a thread, backward: states at each span's start, adjoint, decayed states and sums of a span. */
SIZE(deltaBackFloats, long l, long n, long p) {
  return deltaSpan(n) + DELTA_LANES * n + (2 + ceilDivide(l, DELTA_SPAN)) * deltaState(n, p) + DELTA_SPAN * DELTA_LANES * n + 3 * DELTA_SPAN * 4 * n;
}
/** Gradients of heads [items) of [b, h]; memory: deltaBackFloats. */
void deltaBackward(const Delta *s, Span items, const float *dY, const float *dLastState, const DeltaGradients *g, float *memory);

/** Rows of memory, `apart` floats from one another, to rows of a tile, zeros past `count`; and back. */
OUTLINE void loadTile(float *out, const float *in, long rows, long apart, long count) {
  for (long i = 0; i < rows; i++, in += apart)
    for (int v = 0; v < DELTA_LANES; v += 4, out += 4) store4(out, count >= DELTA_LANES ? load4(in + v) : v < count ? loadPart(in + v, count - v) : splat(0));
}
OUTLINE void storeTile(float *out, const float *in, long rows, long apart, long count) {
  if (count >= DELTA_LANES) {
    for (long i = 0; i < rows; i++, out += apart, in += DELTA_LANES)
      for (int v = 0; v < DELTA_LANES; v += 4) store4(out + v, load4(in + v));
    return;
  }
  for (long i = 0; i < rows; i++, out += apart, in += DELTA_LANES)
    for (int v = 0; v < count; v += 4) storePart(out + v, load4(in + v), count - v);
}
