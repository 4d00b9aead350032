// Scans whose state is a matrix a head, [p, n], that decays by a scalar and takes in outer products:
//   h_t = alpha_t h_{t-1} + sum_i value_{t,i} key_{t,i}^T,   y_{t,j} = h_t query_{t,j}
// Mamba-2 has one update and one query a step, Mamba-3 two updates and one query a rank. Rows of n are padded to multiples of 4.
#pragma once
#include "vmath.h"

enum { OUTER_SPAN = 16 };

/** True where one of `rows` rows of `width` floats, `stride` apart, holds a NaN. */
INLINE int holdsNan(const float *p, long rows, long stride, long width) {
  I4 found = splatInt(0);
  for (long i = 0; i < rows; i++, p += stride)
    for (long c = 0; c < width; c += 4) {
      F4 x = loadPart(p + c, width - c);
      found |= x != x;
    }
  return (found[0] | found[1] | found[2] | found[3]) != 0;
}

typedef struct {
  long p, n, pad, updates, queries;
  float alpha[OUTER_SPAN], dAlpha[OUTER_SPAN];
  int fresh[OUTER_SPAN];      /* another sequence starts: what the state was is no part of it */
  float *values, *dValues;    /* [span][updates][p], weights multiplied in */
  float *keys, *dKeys;        /* [span][updates][pad] */
  float *queriesAt, *dQueries; /* [span][queries][pad] */
  float *y, *dY;              /* [span][queries][p] */
  float *state;               /* [p][pad] */
  float *states, *adjoint;    /* [span + 1][p][pad], [p][pad]: backward only */
} Outer;

SIZE(padded, long n) { return (n + 3) & ~3L; }
/** Floats that layOutOuter takes. */
SIZE(outerFloats, long p, long n, long updates, long queries) {
  return 2 * OUTER_SPAN * (updates + queries) * (p + padded(n)) + (OUTER_SPAN + 3) * p * padded(n);
}
/** Floats of the states kept at the start of every span of a row. */
SIZE(checkpointFloats, long l, long p, long n) { return ceilDivide(l, OUTER_SPAN) * p * padded(n); }
void layOutOuter(Outer *o, float *memory, long p, long n, long updates, long queries);
/** Runs `steps` steps from o->state, leaves the last state there and y; `keep`: states[0 .. steps] too. */
void outerForward(Outer *o, long steps, int keep);
/** Goes back over the steps that outerForward kept: o->adjoint from after to before, and every d-array. */
void outerBackward(Outer *o, long steps);

/** [rows, n] to [rows, pad], zeros after n; and back. */
OUTLINE void padRows(float *out, const float *in, long rows, long n, long pad) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < pad; j++) out[i * pad + j] = j < n ? in[i * n + j] : 0.0f;
}
OUTLINE void unpadRows(float *out, const float *in, long rows, long n, long pad) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < n; j++) out[i * n + j] = in[i * pad + j];
}
