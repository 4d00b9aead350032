// The arguments of Mamba-2's scan, as the recurrence (ssd.c) and the chunks (ssdChunked.c) take them.
#pragma once
#include "outer.h"

typedef struct {
  In x, dt, A, B, C; /* [b, l, h, p], [b, l, h], [h], [b, l, g, n] twice */
  MaybeIn D, z, dtBias, initialState;
  MaybeInts seqIdx;
  long b, l, h, p, g, n;
  Flag dtSoftplus;
  float dtMin, dtMax;
  Flag wideD; /* D is [h, p] */
} Ssd;

/**
 * The heads [lo, hi) of [b, h] whose y holds a NaN, once more by the recurrence: a product with what a token does not see, or no longer,
 * would spread it. `memory`: outerFloats(p, n, 1, 1).
 */
void ssdOnceMore(const Ssd *s, long lo, long hi, float *y, float *lastState, float *memory);

typedef struct {
  Out dx, ddt, dA, dB, dC;
  MaybeOut dD, dz, ddtBias, dInitialState;
} SsdGradients;

/** Gradients of one head of one row by the recurrence; what heads or rows share is added to. */
void ssdHeadBack(const Ssd *s, Outer *o, long row, long head, const float *dY, const float *dLastState, float *checkpoints, SsdGradients *g, float *dB, float *dC);
