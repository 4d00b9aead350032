// Elementwise kernels of one operand: out, x, count.
#include "vmath.h"

#define UNARY(name, expression)                                              \
  KERNEL(name) {                                                             \
    float *out = (float *)a[0];                                              \
    const float *in = (const float *)a[1];                                   \
    Span s = share(a[2], 16, thread, threads);                               \
    long i = s.lo;                                                           \
    for (; i + 4 <= s.hi; i += 4) {                                          \
      F4 x = load4(in + i);                                                  \
      store4(out + i, expression);                                           \
    }                                                                        \
    if (i < s.hi) {                                                          \
      F4 x = loadPart(in + i, s.hi - i);                                     \
      storePart(out + i, expression, s.hi - i);                              \
    }                                                                        \
  }
#define UNARY_INT(name, expression)                                          \
  KERNEL(name) {                                                             \
    int *out = (int *)a[0];                                                  \
    const int *in = (const int *)a[1];                                       \
    Span s = share(a[2], 16, thread, threads);                               \
    for (long i = s.lo; i < s.hi; i++) {                                     \
      int x = in[i];                                                         \
      out[i] = expression;                                                   \
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
KERNEL(castFloatToInt) {
  Span s = share(a[2], 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long count = minLong(4, s.hi - i);
    storePart((float *)a[0] + i, (F4)truncate4(loadPart((const float *)a[1] + i, count)), count);
  }
}
/** out, x, count, min, max; NaN stays. */
KERNEL(clip) {
  F4 low = splat(wordAsFloat(a[3])), high = splat(wordAsFloat(a[4]));
  Span s = share(a[2], 16, thread, threads);
  for (long i = s.lo; i < s.hi; i += 4) {
    long count = minLong(4, s.hi - i);
    storePart((float *)a[0] + i, min4(max4(loadPart((const float *)a[1] + i, count), low), high), count);
  }
}
/** out, word, count */
KERNEL(fill) {
  int *out = (int *)a[0], word = (int)a[1];
  Span s = share(a[2], 64, thread, threads);
  for (long i = s.lo; i < s.hi; i++) out[i] = word;
}
/** out, x, count of 4-byte words */
KERNEL(copyWords) {
  Span s = share(a[2], 64, thread, threads);
  if (s.hi > s.lo) memcpy((int *)a[0] + s.lo, (const int *)a[1] + s.lo, (UW)(s.hi - s.lo) * 4);
}
/** out, condition, t, e, count: words of any type */
KERNEL(selectWords) {
  int *out = (int *)a[0];
  const int *condition = (const int *)a[1], *t = (const int *)a[2], *e = (const int *)a[3];
  Span s = share(a[4], 16, thread, threads);
  for (long i = s.lo; i < s.hi; i++) out[i] = condition[i] ? t[i] : e[i];
}
