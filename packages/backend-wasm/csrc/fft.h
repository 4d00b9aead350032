// Complex float transforms of a power of two, four independent ones at once (one a lane), in place and without reordering: forward leaves
// frequencies in digit-reversed places, inverse takes them from there. A convolution never needs them in order.
#pragma once
#include "turn.h"

typedef struct { F4 re, im; } C4;

INLINE C4 c4Add(C4 x, C4 y) { return (C4){x.re + y.re, x.im + y.im}; }
INLINE C4 c4Sub(C4 x, C4 y) { return (C4){x.re - y.re, x.im - y.im}; }
/** i x */
INLINE C4 c4Turn(C4 x) { return (C4){-x.im, x.re}; }
INLINE C4 c4Times(C4 x, C4 y) { return (C4){nmadd(x.im, y.im, x.re * y.re), madd(x.re, y.im, x.im * y.re)}; }
/** x conj(y) */
INLINE C4 c4TimesConj(C4 x, C4 y) { return (C4){madd(x.im, y.im, x.re * y.re), nmadd(x.re, y.im, x.im * y.re)}; }
INLINE C4 c4Splat(const float *pair) { return (C4){splat(pair[0]), splat(pair[1])}; }

/** Fills entries [0, size) of table with exp(-2 pi i k / size), this thread's share; a barrier must follow. */
void fillTwiddles(float *table, long size, int thread, int threads);
/** x [size] in place; table as fillTwiddles left it. */
void fftForward(C4 *x, long size, const float *table);
/** The inverse times `size`, from digit-reversed places. */
void fftInverse(C4 *x, long size, const float *table);
/** Where fftForward leaves frequency k. */
INLINE long fftPlace(long k, long size) {
  long place = 0;
  for (; size >= 4; size /= 4, k >>= 2) place += (k & 3) * (size / 4);
  return place + (size == 2 ? k & 1 : 0);
}
