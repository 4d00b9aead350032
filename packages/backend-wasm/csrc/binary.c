// Elementwise kernels of two operands. `axes` lists the extents, the strides of a and the strides of b, `rank` of each.
// The caller merged axes, so that the last axis is long and its strides are 0 or 1.
#include "vmath.h"

/** One row: strides 0 or 1. */
typedef void Row(void *out, const void *a, const void *b, long n, long strideA, long strideB);

static void overRows(int *out, const int *x, const int *y, long rank, const W *extent, int thread, int threads, Row *row) {
  const W *strideA = extent + rank, *strideB = strideA + rank;
  long inner = extent[rank - 1], sa = strideA[rank - 1], sb = strideB[rank - 1], rows = 1;
  for (long i = 0; i < rank - 1; i++) rows *= extent[i];
  if (rows < threads) {
    Span s = share(inner, 16, thread, threads);
    for (long r = 0; r < rows; r++) {
      long at = r, offsetA = 0, offsetB = 0;
      for (long i = rank - 2; i >= 0; i--) {
        offsetA += at % extent[i] * strideA[i];
        offsetB += at % extent[i] * strideB[i];
        at /= extent[i];
      }
      if (s.hi > s.lo) row(out + r * inner + s.lo, x + offsetA + s.lo * sa, y + offsetB + s.lo * sb, s.hi - s.lo, sa, sb);
    }
    return;
  }
  Span s = share(rows, 1, thread, threads);
  for (long r = s.lo; r < s.hi; r++) {
    long at = r, offsetA = 0, offsetB = 0;
    for (long i = rank - 2; i >= 0; i--) {
      long index = at % extent[i];
      offsetA += index * strideA[i];
      offsetB += index * strideB[i];
      at /= extent[i];
    }
    row(out + r * inner, x + offsetA, y + offsetB, inner, sa, sb);
  }
}

#define BINARY(name, expression)                                                                  \
  static void name##Row(void *o, const void *a, const void *b, long n, long sa, long sb) {        \
    float *out = (float *)o;                                                                      \
    const float *p = (const float *)a, *q = (const float *)b;                                     \
    long i = 0;                                                                                   \
    for (; i + 4 <= n; i += 4) {                                                                  \
      F4 x = sa ? load4(p + i) : splat(*p), y = sb ? load4(q + i) : splat(*q);                    \
      store4(out + i, (F4)(expression));                                                          \
    }                                                                                             \
    if (i < n) {                                                                                  \
      F4 x = sa ? loadPart(p + i, n - i) : splat(*p), y = sb ? loadPart(q + i, n - i) : splat(*q); \
      storePart(out + i, (F4)(expression), n - i);                                                \
    }                                                                                             \
  }                                                                                               \
  KERNEL(name, OutWords out, InWords a, InWords b, long rank, List axes) { overRows(out, a, b, rank, axes, thread, threads, name##Row); }
#define BINARY_INT(name, expression)                                                              \
  static void name##Row(void *o, const void *a, const void *b, long n, long sa, long sb) {        \
    int *out = (int *)o;                                                                          \
    const int *p = (const int *)a, *q = (const int *)b;                                           \
    for (long i = 0; i < n; i++) {                                                                \
      int x = p[i * sa], y = q[i * sb];                                                           \
      out[i] = expression;                                                                        \
    }                                                                                             \
  }                                                                                               \
  KERNEL(name, OutWords out, InWords a, InWords b, long rank, List axes) { overRows(out, a, b, rank, axes, thread, threads, name##Row); }

INLINE F4 pow4(F4 x, F4 y) { return (F4){pow1(x[0], y[0]), pow1(x[1], y[1]), pow1(x[2], y[2]), pow1(x[3], y[3])}; }
INLINE int powInt(int x, int y) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
  unsigned result = 1, base = (unsigned)x;
  for (; y; y >>= 1, base *= base)
    if (y & 1) result *= base;
  return (int)result;
}
/** Towards zero; 0 for a divisor of 0. */
INLINE int divideInt(int x, int y) { return y == 0 ? 0 : y == -1 ? (int)(0u - (unsigned)x) : x / y; }
/** The NaN, if one operand is. */
INLINE F4 orNaN(F4 x, F4 y, F4 value) { return select4(x == x, select4(y == y, value, y), x); }

BINARY(binaryAdd, x + y)
BINARY(binarySub, x - y)
BINARY(binaryMul, x *y)
BINARY(binaryDiv, x / y)
BINARY(binaryMaximum, orNaN(x, y, max4(x, y)))
BINARY(binaryMinimum, orNaN(x, y, min4(x, y)))
BINARY(binaryPow, pow4(x, y))
BINARY(binaryEqual, (x == y) & splatInt(1))
BINARY(binaryNotEqual, (x != y) & splatInt(1))
BINARY(binaryLess, (x < y) & splatInt(1))
BINARY(binaryLessEqual, (x <= y) & splatInt(1))
BINARY(binaryGreater, (x > y) & splatInt(1))
BINARY(binaryGreaterEqual, (x >= y) & splatInt(1))
BINARY_INT(binaryAddInt, (int)((unsigned)x + (unsigned)y))
BINARY_INT(binarySubInt, (int)((unsigned)x - (unsigned)y))
BINARY_INT(binaryMulInt, (int)((unsigned)x * (unsigned)y))
BINARY_INT(binaryDivInt, divideInt(x, y))
BINARY_INT(binaryMaximumInt, x > y ? x : y)
BINARY_INT(binaryMinimumInt, x < y ? x : y)
BINARY_INT(binaryPowInt, powInt(x, y))
BINARY_INT(binaryEqualInt, x == y)
BINARY_INT(binaryNotEqualInt, x != y)
BINARY_INT(binaryLessInt, x < y)
BINARY_INT(binaryLessEqualInt, x <= y)
BINARY_INT(binaryGreaterInt, x > y)
BINARY_INT(binaryGreaterEqualInt, x >= y)
BINARY_INT(logicalAnd, (x != 0) & (y != 0))
