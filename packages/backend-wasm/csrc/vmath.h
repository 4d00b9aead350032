// Elementary functions on four lanes. Errors are relative, a few ulp (2^-24 each), measured in test/math.test.ts.
#pragma once
#include "rt.h"

#define LOG2E 1.44269504088896341f
#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer in the low mantissa bits */

/*
 * Coefficients lie in memory, not in the code: engines rebuild a vector literal from integer halves at each use, which costs more
 * than the arithmetic. Defined in vmath.c, and not const, so that the compiler cannot fold them back into literals.
 */
#define VECTOR_CONSTANTS(X)                                                                                                            \
  X(MAGIC, ROUND_MAGIC) X(ONE, 1.0f) X(TWO, 2.0f) X(HALF, 0.5f) X(TO_LOG2, LOG2E)                                                      \
  X(POWER0, 1.0f) X(POWER1, 0.6931472028550945f) X(POWER2, 0.24022647913627435f) X(POWER3, 0.055503324710423345f)                      \
  X(POWER4, 0.009618437357649562f) X(POWER5, 0.001339887445228043f) X(POWER6, 1.5353361993071223e-4f)                                   \
  X(LN2_HIGH, 0.693359375f) X(LN2_LOW, -2.12194440e-4f) X(EXP_FLOOR, -120.0f) X(SHRINK, 5.42101086242752217e-20f)                      \
  X(HALF_SCALE, 5.192296858534828e33f) /* 2^112 */                                                                                      \
  X(EXP2, 0.49999993448727736f) X(EXP3, 0.16666520645542726f) X(EXP4, 0.04166838788246558f) X(EXP5, 0.008368715200632926f)             \
  X(EXP6, 0.0013814602127344795f)                                                                                                      \
  X(ATANH1, 0.33333208142790394f) X(ATANH2, 0.20010763621400857f) X(ATANH3, 0.14000902608812957f) X(ATANH4, 0.1400599354244488f)
#define VECTOR_CONSTANT_NAME(name, value) K_##name,
enum { VECTOR_CONSTANTS(VECTOR_CONSTANT_NAME) K_COUNT };
extern float vectorConstants[];
#define K(name) splat(vectorConstants[K_##name])

/**
 * 2^x for |x| <= 126, relative error 1.6e-8 of the polynomial (degree 6 on [-1/2, 1/2], minimax among those that give 2^0 exactly: a step of
 * 0 must leave a state as it is, however often) plus rounding. One degree less errs by 9.2e-8, to one side: where little is written, a state is
 * the product of hundreds of decays, and an error that does not average out grows with their number.
 */
INLINE F4 exp2Fast(F4 x) {
  F4 t = x + K(MAGIC), r = x - (t - K(MAGIC));
  F4 p = madd(K(POWER6), r, K(POWER5));
  p = madd(p, r, K(POWER4));
  p = madd(p, r, K(POWER3));
  p = madd(p, r, K(POWER2));
  p = madd(p, r, K(POWER1));
  p = madd(p, r, K(POWER0));
  return (F4)((U4)p + ((U4)t << 23));
}

/** Multiplies by 2^k for any k in [-252, 252], through two factors so that denormals and overflow come out right. */
INLINE F4 scaleByPower(F4 p, I4 k) {
  I4 half = k >> 1, one = (I4)K(ONE);
  return p * (F4)(((U4)half << 23) + (U4)one) * (F4)(((U4)(k - half) << 23) + (U4)one);
}

typedef struct { F4 r; I4 k; } Reduced;
/** x = k ln 2 + r with |r| <= ln2 / 2; ln 2 in two parts (Cody and Waite). */
INLINE Reduced reduceExp(F4 x) {
  F4 t = madd(x, K(TO_LOG2), K(MAGIC)), kf = t - K(MAGIC);
  Reduced out = {nmadd(kf, K(LN2_LOW), nmadd(kf, K(LN2_HIGH), x)), (I4)t - (I4)K(MAGIC)};
  return out;
}
/** e^r - 1 for |r| <= ln2 / 2; minimax of (e^r - 1 - r) / r^2, error 3e-9 of e^r. */
INLINE F4 expm1Core(F4 r) {
  F4 q = madd(K(EXP6), r, K(EXP5));
  q = madd(q, r, K(EXP4));
  q = madd(q, r, K(EXP3));
  q = madd(q, r, K(EXP2));
  return madd(q * r, r, r);
}
INLINE F4 clampExp(F4 x) { return max4(splat(-110.0f), min4(splat(100.0f), x)); }
INLINE F4 exp4(F4 x) {
  Reduced e = reduceExp(clampExp(x));
  F4 y = scaleByPower(K(ONE) + expm1Core(e.r), e.k);
  return select4(x == x, y, x);
}
/** e^x for x <= 0 (NaN stays NaN): what sigmoid, silu and softplus need. Denormal results through a factor of 2^-64. */
INLINE F4 expNegative(F4 x) {
  F4 c = max4(x, K(EXP_FLOOR));
  Reduced e = reduceExp(c);
  F4 p = K(ONE) + expm1Core(e.r);
  return p * (F4)((((U4)e.k + (U4)splatInt(64)) << 23) + (U4)K(ONE)) * K(SHRINK);
}
INLINE F4 expm1_4(F4 x) {
  Reduced e = reduceExp(clampExp(x));
  F4 p = expm1Core(e.r), one = scaleByPower(K(ONE), e.k);
  // one * (1 + p) - 1: for k = 0 exactly p; otherwise (one - 1) is exact or negligible against one * p
  F4 y = select4(e.k == splatInt(0), p, select4(e.k > splatInt(64), scaleByPower(K(ONE) + p, e.k), madd(p, one, one - K(ONE))));
  y = select4(x == splat(0.0f), x, y);
  return select4(x == x, y, x);
}

/** ln(1 + f) + kf ln 2 for 1 + f in [sqrt(1/2), sqrt 2]: series in s = f / (2 + f), as fdlibm does (Sun, 1993). */
INLINE F4 logOfMantissa(F4 f, F4 kf, F4 correction) {
  F4 s = f / (K(TWO) + f), z = s * s;
  F4 q = madd(splat(0.24279078841f), z, splat(0.28498786688f));
  q = madd(q, z, splat(0.40000972152f));
  q = madd(q, z, splat(0.66666662693f)) * z;
  F4 half = K(HALF) * f * f;
  F4 low = madd(s, half + q, madd(kf, K(LN2_LOW), correction));
  return madd(kf, K(LN2_HIGH), f - (half - low));
}
INLINE F4 log4(F4 x) {
  I4 denormal = x < splat(1.17549435e-38f);
  F4 scaled = select4(denormal, x * splat(8388608.0f), x);
  I4 bits = (I4)((U4)scaled + (U4)splatInt(0x3f800000 - 0x3f3504f3));
  I4 k = (bits >> 23) - splatInt(127) - (denormal & splatInt(23));
  F4 m = (F4)((bits & splatInt(0x007fffff)) + splatInt(0x3f3504f3));
  F4 y = logOfMantissa(m - K(ONE), toFloat4(k), splat(0.0f));
  F4 inf = splat(__builtin_inff());
  y = select4(x == inf, x, y);
  y = select4(x == splat(0.0f), -inf, y);
  return select4(x >= splat(0.0f), y, splat(__builtin_nanf("")));
}
/** ln(1 + x) with the rounding of 1 + x given back as a correction. */
INLINE F4 log1p4(F4 x) {
  F4 u = K(ONE) + x;
  I4 bits = (I4)((U4)u + (U4)splatInt(0x3f800000 - 0x3f3504f3));
  I4 k = (bits >> 23) - splatInt(127);
  F4 m = (F4)((bits & splatInt(0x007fffff)) + splatInt(0x3f3504f3));
  I4 big = u > splat(16777216.0f);
  F4 lost = select4(u > K(TWO), K(ONE) - (u - x), x - (u - K(ONE)));
  F4 f = select4(k == splatInt(0), x, m - K(ONE));
  F4 correction = select4((k == splatInt(0)) | big, splat(0.0f), lost / u);
  F4 y = logOfMantissa(f, toFloat4(k), correction);
  y = select4(abs4(x) < splat(1e-7f), x, y);
  y = select4(x == splat(__builtin_inff()), x, y);
  y = select4(x == splat(-1.0f), splat(-__builtin_inff()), y);
  return select4(x >= splat(-1.0f), y, splat(__builtin_nanf("")));
}
/** max(x, 0) + ln(1 + e) with e = exp(-|x|) in (0, 1]: 2 atanh(e / (2 + e)), relatively exact down to the smallest e. */
INLINE F4 softplusFrom(F4 x, F4 e) {
  F4 s = e / (K(TWO) + e), z = s * s;
  F4 q = madd(K(ATANH4), z, K(ATANH3));
  q = madd(q, z, K(ATANH2));
  q = madd(q, z, K(ATANH1));
  F4 s2 = s + s;
  return max4(x, splat(0.0f)) + madd(s2 * z, q, s2);
}
INLINE F4 softplus4(F4 x) { return softplusFrom(x, expNegative(-abs4(x))); }
INLINE F4 sigmoidFrom(F4 x, F4 e) { return select4(x >= splat(0.0f), K(ONE), e) / (K(ONE) + e); }
INLINE F4 sigmoid4(F4 x) { return sigmoidFrom(x, expNegative(-abs4(x))); }
INLINE F4 tanh4(F4 x) {
  F4 e = expm1_4(splat(-2.0f) * abs4(x));
  F4 y = -e / (K(TWO) + e);
  y = (F4)((I4)y | ((I4)x & splatInt((int)0x80000000)));
  return select4(x == x, y, x);
}
INLINE F4 silu4(F4 x) { return x * sigmoid4(x); }

/** e^(t^2) erfc(t) for t >= 0: (1 + 2t) times it is a polynomial of degree 11 in (t - K) / (t + K), error 1.1e-8. */
INLINE F4 erfcx4(F4 t) {
  F4 s = (t - splat(3.75f)) / (t + splat(3.75f));
  static const float c[12] = {1.2375126206935825f, -0.1402406983093375f, 0.0035862001544713197f, 0.08227923811728552f, -0.1088137180061921f, 0.09228612463238434f,
                              -0.058648378653130176f, 0.028419964963116606f, -0.009842784790066183f, 0.001665132701384227f, 0.0003956332365437893f, -0.00022017895021840265f};
  F4 p = splat(c[11]);
  for (int i = 10; i >= 0; i--) p = madd(p, s, splat(c[i]));
  return p / (splat(1.0f) + t + t);
}
/** e^(-t^2), the square taken in two parts so that its rounding is not multiplied by t^2. */
INLINE F4 expMinusSquare(F4 t) {
  F4 high = (F4)((I4)t & splatInt((int)0xfffff000));
  return exp4(-(high * high)) * exp4(-((t - high) * (t + high)));
}
INLINE F4 erf4(F4 x) {
  F4 t = abs4(x), y = x * x;
  F4 near = madd(splat(7.853861089073422e-05f), y, splat(-0.0008010193533714057f));
  near = madd(near, y, splat(0.005188327673674737f));
  near = madd(near, y, splat(-0.02685381192786165f));
  near = madd(near, y, splat(0.1128358514840522f));
  near = madd(near, y, splat(-0.3761262582421299f));
  near = madd(near, y, splat(1.1283791657267128f)) * x;
  F4 far = splat(1.0f) - expMinusSquare(min4(splat(10.0f), t)) * erfcx4(min4(splat(10.0f), t));
  far = (F4)((I4)far | ((I4)x & splatInt((int)0x80000000)));
  F4 out = select4(t < splat(1.0f), near, far);
  return select4(x == x, out, x);
}
/** x Phi(x) with the tail for x < 0 taken from erfc, so that it keeps its relative accuracy. */
INLINE F4 gelu4(F4 x) {
  F4 t = abs4(x) * splat(0.70710678118654752f);
  F4 tail = splat(0.5f) * expMinusSquare(t) * erfcx4(t);
  F4 out = x * select4(x < splat(0.0f), tail, splat(1.0f) - tail);
  out = select4(x == splat(-__builtin_inff()), splat(0.0f), select4(x == splat(__builtin_inff()), x, out));
  return select4(x == x, out, x);
}

/** Quadrant and rest of x / (pi / 2), in double: exact enough for |x| up to 1e9. */
INLINE float sineOf(float x, int shift) {
  double k = __builtin_rint(x * 0.63661977236758134);
  if (!(k < 1e15 && k > -1e15)) return __builtin_nanf("");
  double r = (x - k * 1.5707963267948966) - k * 6.123233995736766e-17;
  long long quadrant = (long long)k + shift;
  float f = (float)r, z = (float)(r * r), y;
  if (quadrant & 1) y = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  else y = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * f + f;
  return quadrant & 2 ? -y : y;
}
INLINE F4 sin4(F4 x) { return (F4){sineOf(x[0], 0), sineOf(x[1], 0), sineOf(x[2], 0), sineOf(x[3], 0)}; }
INLINE F4 cos4(F4 x) { return (F4){sineOf(x[0], 1), sineOf(x[1], 1), sineOf(x[2], 1), sineOf(x[3], 1)}; }

/** ln x in double for finite x > 0: series in (m - 1) / (m + 1), error below 1e-12. */
INLINE double log1Double(double x) {
  if (x != x) return x;
  union { double d; long long i; } u = {x};
  long long k = ((u.i >> 52) & 2047) - 1023;
  u.i = (u.i & 0xfffffffffffffLL) | 0x3ff0000000000000LL;
  if (u.d > 1.4142135623730951) u.d *= 0.5, k++;
  double s = (u.d - 1) / (u.d + 1), z = s * s, sum = 0;
#pragma unroll
  for (int i = 17; i >= 1; i -= 2) sum = sum * z + 1.0 / i;
  return 2 * s * sum + (double)k * 0.69314718055994531;
}
INLINE double exp1Double(double x) {
  if (x != x) return x;
  if (x > 200) x = 200;
  if (x < -200) x = -200;
  double k = __builtin_rint(x * 1.4426950408889634), r = x - k * 0.69314718055994531, sum = 1.0 / 479001600;
  // 1 / i!, each times what follows: divisions would take most of the time
  static const double inverse[] = {1, 1, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800};
#pragma unroll
  for (int i = 11; i >= 0; i--) sum = sum * r + inverse[i];
  union { long long i; double d; } u = {((long long)k + 1023) << 52};
  return sum * u.d;
}
INLINE D2 splatDouble(double x) { return (D2){x, x}; }
INLINE D2 selectDouble(L2 mask, D2 a, D2 b) { return (D2)(((L2)a & mask) | ((L2)b & ~mask)); }
/** 1.5 * 2^52: adding it rounds to an integer in the low mantissa bits. */
#define ROUND_DOUBLE splatDouble(6755399441055744.0)
/** ln x on two lanes, of finite x > 0; its error is below 1e-11. */
INLINE D2 log2Double(D2 x) {
  L2 bits = (L2)x, k = ((bits >> 52) & 2047) - 1023;
  D2 m = (D2)((bits & 0xfffffffffffffLL) | 0x3ff0000000000000LL);
  L2 above = m > splatDouble(1.4142135623730951);
  m = selectDouble(above, m * splatDouble(0.5), m);
  k -= above;
  D2 s = (m - splatDouble(1)) / (m + splatDouble(1)), z = s * s, sum = splatDouble(1.0 / 13);
#pragma unroll
  for (int i = 11; i >= 1; i -= 2) sum = sum * z + splatDouble(1.0 / i);
  return splatDouble(2) * s * sum + ((D2)(k + (L2)ROUND_DOUBLE) - ROUND_DOUBLE) * splatDouble(0.69314718055994531);
}
/** e^x on two lanes, of numbers; its error is below 1e-11. */
INLINE D2 exp2Double(D2 x) {
  x = selectDouble(x > splatDouble(200), splatDouble(200), selectDouble(x < splatDouble(-200), splatDouble(-200), x));
  D2 rounded = x * splatDouble(1.4426950408889634) + ROUND_DOUBLE, r = x - (rounded - ROUND_DOUBLE) * splatDouble(0.69314718055994531);
  D2 sum = splatDouble(1.0 / 362880);
  static const double inverse[] = {1, 1, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320};
#pragma unroll
  for (int i = 8; i >= 0; i--) sum = sum * r + splatDouble(inverse[i]);
  return sum * (D2)(((L2)rounded - (L2)ROUND_DOUBLE + 1023) << 52);
}
/** a^b as C's powf for finite arguments; through double, so that the result rounds once. */
INLINE float pow1(float a, float b) {
  if (b == 0.0f || a == 1.0f) return 1.0f;
  if (a != a || b != b) return a + b;
  float magnitude = a < 0 ? -a : a;
  int whole = b == __builtin_floorf(b), odd = whole && b * 0.5f != __builtin_floorf(b * 0.5f);
  float sign = odd && __builtin_signbit(a) ? -1.0f : 1.0f;
  if (magnitude == 0.0f) return b > 0 ? sign * 0.0f : sign * __builtin_inff();
  float inf = __builtin_inff();
  if (b == inf || b == -inf) return magnitude == 1.0f ? 1.0f : (magnitude > 1.0f) == (b > 0) ? inf : 0.0f;
  if (magnitude == inf) return b > 0 ? sign * inf : sign * 0.0f;
  if (a < 0 && !whole) return __builtin_nanf("");
  return sign * (float)exp1Double((double)b * log1Double(magnitude));
}
