// The arguments of Mamba-3's scan, as the recurrence (mamba3.c) and the chunks (mamba3Chunked.c) take them.
#pragma once
#include "outer.h"

typedef struct {
  In q, k, v, adt, dt, trap; /* [b, l, h, r, n] twice, [b, l, h, r, p], [b, l, h] three times */
  MaybeIn D, z, initialState;
  MaybeIn initialK, initialV; /* what the token before the first wrote */
  MaybeInts seqIdx;
  long b, l, h, r, p, n;
} Mamba3;

/** As ssdOnceMore. `memory`: outerFloats(p, n, 2 r, r). */
void mamba3OnceMore(const Mamba3 *s, long lo, long hi, float *y, float *lastState, float *memory);

typedef struct {
  Out dq, dk, dv, dadt, ddt, dtrap;
  MaybeOut dD, dz, dInitialState, dInitialK, dInitialV;
} Mamba3Gradients;

/** Gradients of one head of one row by the recurrence; dD is added to. */
void mamba3HeadBack(const Mamba3 *s, Outer *o, long row, long head, const float *dY, const float *dLastState, float *checkpoints, Mamba3Gradients *g);
