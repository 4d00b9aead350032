// (Compiled with -fno-strict-aliasing: vectors and floats look into one memory.)
// The few 128-bit operations the kernels use, as GCC/Clang vector extensions, so that the same source runs natively
// under sanitizers. RELAXED (the relaxed-SIMD flavour) fuses multiply-adds; the plain flavour rounds twice.
#pragma once

typedef float F4 __attribute__((vector_size(16)));
typedef int I4 __attribute__((vector_size(16)));
typedef unsigned U4 __attribute__((vector_size(16)));
typedef short S8 __attribute__((vector_size(16)));
typedef double D2 __attribute__((vector_size(16)));
typedef long long L2 __attribute__((vector_size(16)));
typedef float F4Loose __attribute__((vector_size(16), aligned(4)));
typedef int I4Loose __attribute__((vector_size(16), aligned(4)));
typedef unsigned short U8 __attribute__((vector_size(16))); /* eight 16-bit lanes */
typedef signed char C8 __attribute__((vector_size(8)));
typedef C8 C8Loose __attribute__((aligned(1)));
typedef short S8Loose __attribute__((vector_size(16), aligned(2)));
typedef unsigned char B8 __attribute__((vector_size(8)));
typedef B8 B8Loose __attribute__((aligned(1)));
typedef unsigned short H4 __attribute__((vector_size(8)));
typedef H4 H4Loose __attribute__((aligned(2)));

#define INLINE static inline __attribute__((always_inline))
/** For what is called from several places but seldom: inlined, it would fill the binary. */
#define OUTLINE static __attribute__((noinline, unused))

/** Keeps loads that come behind a value there: the compiler gathers those of many steps in front, where they do not fit in registers. */
#ifdef __wasm__
#define KEEP_PLACE(value) __asm__ volatile("" : "+r"(value) : : "memory")
#else
#define KEEP_PLACE(value)
#endif

INLINE F4 load4(const float *p) { return *(const F4Loose *)p; }
INLINE void store4(float *p, F4 v) { *(F4Loose *)p = v; }
INLINE I4 loadInt4(const int *p) { return *(const I4Loose *)p; }
INLINE void storeInt4(int *p, I4 v) { *(I4Loose *)p = v; }
INLINE F4 splat(float x) { return (F4){x, x, x, x}; }
INLINE I4 splatInt(int x) { return (I4){x, x, x, x}; }
INLINE F4 select4(I4 mask, F4 a, F4 b) { return (F4)(((I4)a & mask) | ((I4)b & ~mask)); }
INLINE I4 selectInt4(I4 mask, I4 a, I4 b) { return (a & mask) | (b & ~mask); }
INLINE F4 abs4(F4 a) { return (F4)((I4)a & splatInt(0x7fffffff)); }
INLINE F4 toFloat4(I4 a) { return __builtin_convertvector(a, F4); }

#ifdef __wasm__
#include <wasm_simd128.h>
INLINE F4 sqrt4(F4 a) { return (F4)wasm_f32x4_sqrt((v128_t)a); }
/** Integer part towards zero, saturating, NaN to 0. */
INLINE I4 truncate4(F4 a) { return (I4)wasm_i32x4_trunc_sat_f32x4((v128_t)a); }
/** Signed 16-bit products summed in pairs. */
INLINE I4 dot16(S8 a, S8 b) { return (I4)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b); }
/** Eight 32-bit integers as 16-bit ones, saturating. */
INLINE S8 narrow16(I4 a, I4 b) { return (S8)wasm_i16x8_narrow_i32x4((v128_t)a, (v128_t)b); }
INLINE I4 maxInt4(I4 a, I4 b) { return (I4)wasm_i32x4_max((v128_t)a, (v128_t)b); }
/** Eight 16-bit integers as bytes, saturating. */
INLINE void storeBytes8(signed char *p, S8 a) { wasm_v128_store64_lane(p, wasm_i8x16_narrow_i16x8((v128_t)a, (v128_t)a), 0); }
INLINE F4 min4(F4 a, F4 b) { return (F4)wasm_f32x4_pmin((v128_t)a, (v128_t)b); }
INLINE F4 max4(F4 a, F4 b) { return (F4)wasm_f32x4_pmax((v128_t)a, (v128_t)b); }
INLINE F4 floor4(F4 a) { return (F4)wasm_f32x4_floor((v128_t)a); }
INLINE F4 nearest4(F4 a) { return (F4)wasm_f32x4_nearest((v128_t)a); }
INLINE float sqrt1(float a) { return __builtin_sqrtf(a); }
/** 1 if any bit is set. */
INLINE int anyTrue(I4 a) { return wasm_v128_any_true((v128_t)a); }
#else
INLINE F4 sqrt4(F4 a) { return (F4){__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])}; }
INLINE int truncate1(float a) {
  if (!(a == a)) return 0;
  if (a >= 2147483648.0f) return 2147483647;
  if (a <= -2147483648.0f) return -2147483647 - 1;
  return (int)a;
}
INLINE I4 truncate4(F4 a) { return (I4){truncate1(a[0]), truncate1(a[1]), truncate1(a[2]), truncate1(a[3])}; }
INLINE I4 dot16(S8 a, S8 b) {
  return (I4){a[0] * b[0] + a[1] * b[1], a[2] * b[2] + a[3] * b[3], a[4] * b[4] + a[5] * b[5], a[6] * b[6] + a[7] * b[7]};
}
INLINE S8 narrow16(I4 a, I4 b) { return (S8){a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]}; } /* of values in range */
INLINE I4 maxInt4(I4 a, I4 b) { return selectInt4(a > b, a, b); }
INLINE void storeBytes8(signed char *p, S8 a) {
  for (int i = 0; i < 8; i++) p[i] = (signed char)(a[i] > 127 ? 127 : a[i] < -128 ? -128 : a[i]);
}
INLINE F4 min4(F4 a, F4 b) { return select4(b < a, b, a); }
INLINE F4 max4(F4 a, F4 b) { return select4(a < b, b, a); }
INLINE F4 floor4(F4 a) { return (F4){__builtin_floorf(a[0]), __builtin_floorf(a[1]), __builtin_floorf(a[2]), __builtin_floorf(a[3])}; }
INLINE F4 nearest4(F4 a) { return (F4){__builtin_rintf(a[0]), __builtin_rintf(a[1]), __builtin_rintf(a[2]), __builtin_rintf(a[3])}; }
INLINE float sqrt1(float a) { return __builtin_sqrtf(a); }
INLINE int anyTrue(I4 a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }
#endif

/** a * b + c: one rounding in the relaxed flavour (where the machine has FMA), two in the plain one. */
#if defined(RELAXED) && defined(__wasm__)
INLINE F4 madd(F4 a, F4 b, F4 c) { return (F4)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c); }
INLINE F4 nmadd(F4 a, F4 b, F4 c) { return (F4)wasm_f32x4_relaxed_nmadd((v128_t)a, (v128_t)b, (v128_t)c); }
#elif defined(RELAXED)
INLINE F4 madd(F4 a, F4 b, F4 c) {
  return (F4){__builtin_fmaf(a[0], b[0], c[0]), __builtin_fmaf(a[1], b[1], c[1]), __builtin_fmaf(a[2], b[2], c[2]), __builtin_fmaf(a[3], b[3], c[3])};
}
INLINE F4 nmadd(F4 a, F4 b, F4 c) { return madd(-a, b, c); }
#else
INLINE F4 madd(F4 a, F4 b, F4 c) { return a * b + c; }
INLINE F4 nmadd(F4 a, F4 b, F4 c) { return c - a * b; }
#endif

INLINE float sum4(F4 a) { return (a[0] + a[2]) + (a[1] + a[3]); }
INLINE float maxLane(F4 a) {
  F4 b = max4(a, __builtin_shufflevector(a, a, 2, 3, 0, 1));
  return b[0] > b[1] ? b[0] : b[1];
}
/** Lane sums of four vectors as one vector. */
INLINE F4 sumEach(F4 a, F4 b, F4 c, F4 d) {
  F4 ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  F4 cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}
INLINE void transpose4(F4 *a, F4 *b, F4 *c, F4 *d) {
  F4 ab = __builtin_shufflevector(*a, *b, 0, 4, 1, 5), cd = __builtin_shufflevector(*c, *d, 0, 4, 1, 5);
  F4 abHigh = __builtin_shufflevector(*a, *b, 2, 6, 3, 7), cdHigh = __builtin_shufflevector(*c, *d, 2, 6, 3, 7);
  *a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5), *b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *c = __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5), *d = __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7);
}
/** The first `count` lanes, zero in the others. */
INLINE F4 keepLanes(F4 x, long count) {
  int kept = count < 4 ? (int)count : 4;
  return (F4)((I4)x & ((I4){0, 1, 2, 3} < splatInt(kept)));
}
// The ends of rows, out of line: they are rare, and inline they would be most of the binary.
OUTLINE F4 loadEnd(const float *p, long count) {
  F4 v = splat(0);
  v[0] = p[0];
  if (count > 1) v[1] = p[1];
  if (count > 2) v[2] = p[2];
  return v;
}
OUTLINE void storeEnd(float *p, F4 v, long count) {
  p[0] = v[0];
  if (count > 1) p[1] = v[1];
  if (count > 2) p[2] = v[2];
}
/** Loads `count` (1 to 4) floats, zero in the other lanes; never reads past them. */
INLINE F4 loadPart(const float *p, long count) { return count >= 4 ? load4(p) : loadEnd(p, count); }
INLINE void storePart(float *p, F4 v, long count) {
  if (count >= 4) store4(p, v);
  else storeEnd(p, v, count);
}
