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

/**
 * Powers of two that bring a row to about 1 and back, a lane each. Rows that share a transform, as its real and imaginary part, do not see each
 * other so, however loud one is; a row that is not finite is 0 in it, and NaN afterwards.
 */
typedef struct { F4 to, back; } Level;
/** Of bits of the largest absolute value. */
INLINE Level levelOf(I4 peak) {
  Level level;
  for (int i = 0; i < 4; i++) {
    int e = peak[i] == 0 ? 127 : (int)maxLong(1, minLong(253, peak[i] >> 23));
    union { int i; float f; } to = {(254 - e) << 23}, back = {e << 23};
    level.to[i] = peak[i] >= 0x7f800000 ? 0.0f : to.f;
    level.back[i] = peak[i] >= 0x7f800000 ? __builtin_nanf("") : back.f;
  }
  return level;
}
INLINE I4 louder(I4 peak, F4 x) {
  I4 bits = (I4)x & splatInt(0x7fffffff);
  return (I4)select4(bits > peak, (F4)bits, (F4)peak);
}
/** x brought to about 1, or 0. */
INLINE F4 levelled(F4 x, F4 to) { return select4(to == splat(0), splat(0), x * to); }

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
