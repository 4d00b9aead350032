// Elementwise kernels of one operand.
#include "vmath.h"

#define UNARY(name, expression)                                              \
  KERNEL(name, Out y, In from, long count) {                                 \
    Span s = share(count, 16, thread, threads);                               \
    long i = s.lo;                                                           \
    for (; i + 4 <= s.hi; i += 4) {                                          \
      F4 x = load4(from + i);                                                \
      store4(y + i, expression);                                             \
    }                                                                        \
    if (i < s.hi) {                                                          \
      F4 x = loadPart(from + i, s.hi - i);                                   \
      storePart(y + i, expression, s.hi - i);                                \
    }                                                                        \
  }
#define UNARY_INT(name, expression)                                          \
  KERNEL(name, OutWords y, InWords from, long count) {                       \
    Span s = share(count, 16, thread, threads);                               \
    for (long i = s.lo; i < s.hi; i++) {                                     \
      int x = from[i];                                                       \
      y[i] = expression;                                                     \
    }                                                                        \
  }

UNARY(unaryNeg, -x)
UNARY(unaryAbs, abs4(x))
UNARY(unaryExp, exp4(x))
UNARY(unaryExpm1, expm1_4(x))
UNARY(unaryLog, log4(x))
UNARY(unaryLog1p, log1p4(x))
UNARY(unarySqrt, sqrt4(x))
UNARY(unaryRsqrt, splat(1.0f) / sqrt4(x))
UNARY(unarySquare, x *x)
UNARY(unaryReciprocal, splat(1.0f) / x)
UNARY(unarySigmoid, sigmoid4(x))
UNARY(unaryTanh, tanh4(x))
UNARY(unarySoftplus, softplus4(x))
UNARY(unaryRelu, select4(x < splat(0.0f), splat(0.0f), x))
UNARY(unarySilu, silu4(x))
UNARY(unaryGelu, gelu4(x))
UNARY(unarySin, sin4(x))
UNARY(unaryCos, cos4(x))
UNARY(unaryErf, erf4(x))
UNARY(unarySign, select4(x > splat(0.0f), splat(1.0f), select4(x < splat(0.0f), splat(-1.0f), x)))
UNARY(unaryFloor, floor4(x))
UNARY(unaryRound, nearest4(x))
UNARY_INT(unaryNegInt, (int)(0u - (unsigned)x))
UNARY_INT(unaryAbsInt, x < 0 ? (int)(0u - (unsigned)x) : x)
UNARY_INT(unarySquareInt, (int)((unsigned)x * (unsigned)x))
UNARY_INT(logicalNot, x == 0)
UNARY_INT(castIntToBool, x != 0)
UNARY_INT(castFloatToBool, (x & 0x7fffffff) != 0)
UNARY_INT(castIntToFloat, floatAsBits((float)x))

/** Truncates towards zero. */
KERNEL(castFloatToInt, OutInts y, In from, long count) {
  Span s = share(count, 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long lanes = minLong(4, s.hi - i);
    storePart((float *)y + i, (F4)truncate4(loadPart(from + i, lanes)), lanes);
  }
}
/** NaN stays. */
KERNEL(clip, Out y, In from, long count, float min, float max) {
  F4 low = splat(min), high = splat(max);
  Span s = share(count, 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long lanes = minLong(4, s.hi - i);
    storePart(y + i, min4(max4(loadPart(from + i, lanes), low), high), lanes);
  }
}
KERNEL(fill, Out y, float value, long count) {
  Span s = share(count, 64, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) storePart(y + i, splat(value), s.hi - i);
}
KERNEL(fillInt, OutInts y, int value, long count) {
  Span s = share(count, 64, thread, threads);
  for (long i = s.lo; i < s.hi; i++) y[i] = value;
}
KERNEL(copyWords, OutWords out, InWords from, long count) {
  Span s = share(count, 64, thread, threads);
  if (s.hi > s.lo) memcpy(out + s.lo, from + s.lo, (UW)(s.hi - s.lo) * 4);
}
KERNEL(selectWords, OutWords out, InWords condition, InWords t, InWords e, long count) {
  Span s = share(count, 16, thread, threads);
  for (long i = s.lo; i < s.hi; i++) out[i] = condition[i] ? t[i] : e[i];
}
