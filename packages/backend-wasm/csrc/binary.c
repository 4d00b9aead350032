// Elementwise kernels of two operands. `axes` lists the extents, the strides of a and the strides of b, `rank` of each.
// The caller merged axes, so that the last axis is long and its strides are 0 or 1.
#include "vmath.h"

/** One row: strides 0 or 1. */
typedef void Row(void *out, const void *a, const void *b, long n, long strideA, long strideB);

/** Axes but the last, and where the rows of two operands lie: steps from row to row without dividing. */
enum { MOST_AXES = 16 };
typedef struct {
  const W *extent, *strideA, *strideB;
  long rank, index[MOST_AXES], a, b;
} Walk;
static Walk walkFrom(const W *extent, long rank, long row) {
  Walk w = {extent, extent + rank, extent + 2 * rank, rank, {0}, 0, 0};
  for (long i = rank - 2; i >= 0; i--) {
    w.index[i] = row % extent[i];
    row /= extent[i];
    w.a += w.index[i] * w.strideA[i];
    w.b += w.index[i] * w.strideB[i];
  }
  return w;
}
INLINE void nextRow(Walk *w) {
  for (long i = w->rank - 2; i >= 0; i--) {
    w->a += w->strideA[i];
    w->b += w->strideB[i];
    if (++w->index[i] < w->extent[i]) return;
    w->a -= w->index[i] * w->strideA[i];
    w->b -= w->index[i] * w->strideB[i];
    w->index[i] = 0;
  }
}

/** Rows so short that starting one takes longer than it does are laid out one after another and done together. */
enum { SHORT_ROW = 32, LAID_OUT = 1024 };
typedef enum { DENSE, REPEATED, SCATTERED } Layout;
/** Whether rows of an operand follow each other in memory, or are all the same one. */
static Layout layoutOf(const W *extent, const W *stride, long rank) {
  long dense = extent[rank - 1];
  int isDense = stride[rank - 1] == 1, isRepeated = 1;
  for (long i = rank - 2; i >= 0; i--) {
    if (stride[i] != dense) isDense = 0;
    if (stride[i] != 0) isRepeated = 0;
    dense *= extent[i];
  }
  return isDense ? DENSE : isRepeated ? REPEATED : SCATTERED;
}
/** A row; where all of it is one number, up to three words past its end are written too. */
INLINE void layOut(int *to, const int *from, long inner, long stride) {
  if (stride == 0) {
    I4 all = splatInt(*from);
    for (long j = 0; j < inner; j += 4) storeInt4(to + j, all);
  } else if (inner == 2) {
    memcpy(to, from, 2 * sizeof(int));
  } else {
    long j = 0;
    for (; j + 4 <= inner; j += 4) storeInt4(to + j, loadInt4(from + j));
    for (; j < inner; j++) to[j] = from[j];
  }
}
static void shortRows(int *out, const int *x, const int *y, long rank, const W *extent, Span rows, Row *row, int *memory) {
  const W *strideA = extent + rank, *strideB = strideA + rank;
  long inner = extent[rank - 1], sa = strideA[rank - 1], sb = strideB[rank - 1], most = LAID_OUT / inner;
  Layout a = layoutOf(extent, strideA, rank), b = layoutOf(extent, strideB, rank);
  int *laidA = memory, *laidB = memory + LAID_OUT + 4;
  for (long i = 0; a == REPEATED && i < most; i++) layOut(laidA + i * inner, x, inner, sa);
  for (long i = 0; b == REPEATED && i < most; i++) layOut(laidB + i * inner, y, inner, sb);
  Walk w = walkFrom(extent, rank, rows.lo);
  for (long r = rows.lo; r < rows.hi; r += most) {
    long count = minLong(most, rows.hi - r);
    for (long i = 0; (a == SCATTERED || b == SCATTERED) && i < count;) {
      long run = minLong(count - i, extent[rank - 2] - w.index[rank - 2]); // rows as far from each other
      for (long k = 0; a == SCATTERED && k < run; k++) layOut(laidA + (i + k) * inner, x + w.a + k * strideA[rank - 2], inner, sa);
      for (long k = 0; b == SCATTERED && k < run; k++) layOut(laidB + (i + k) * inner, y + w.b + k * strideB[rank - 2], inner, sb);
      i += run;
      w.index[rank - 2] += run - 1, w.a += (run - 1) * strideA[rank - 2], w.b += (run - 1) * strideB[rank - 2];
      nextRow(&w);
    }
    row(out + r * inner, a == DENSE ? x + r * inner : laidA, b == DENSE ? y + r * inner : laidB, count * inner, 1, 1);
  }
}

static void overRows(int *out, const int *x, const int *y, long rank, const W *extent, int thread, int threads, Row *row) {
  const W *strideA = extent + rank, *strideB = strideA + rank;
  long inner = extent[rank - 1], sa = strideA[rank - 1], sb = strideB[rank - 1], rows = 1;
  for (long i = 0; i < rank - 1; i++) rows *= extent[i];
  if (rows < threads) {
    Span s = share(inner, 16, thread, threads);
    Walk w = walkFrom(extent, rank, 0);
    for (long r = 0; r < rows; r++, nextRow(&w))
      if (s.hi > s.lo) row(out + r * inner + s.lo, x + w.a + s.lo * sa, y + w.b + s.lo * sb, s.hi - s.lo, sa, sb);
    return;
  }
  Span s = share(rows, 1, thread, threads);
  if (inner > 0 && inner <= SHORT_ROW && rank > 1) return shortRows(out, x, y, rank, extent, s, row, (int *)scratchOf(thread));
  Walk w = walkFrom(extent, rank, s.lo);
  for (long r = s.lo; r < s.hi; r++, nextRow(&w)) row(out + r * inner, x + w.a, y + w.b, inner, sa, sb);
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

/** x^y of positive finite x and finite y, by what pow1 does, two at a time. */
static F4 pow4(F4 x, F4 y) {
  I4 plain = (x > splat(0)) & (x < splat(__builtin_inff())) & (abs4(y) < splat(__builtin_inff()));
  if (anyTrue(~plain)) return (F4){pow1(x[0], y[0]), pow1(x[1], y[1]), pow1(x[2], y[2]), pow1(x[3], y[3])};
  D2 low = exp2Double((D2){y[0], y[1]} * log2Double((D2){x[0], x[1]})), high = exp2Double((D2){y[2], y[3]} * log2Double((D2){x[2], x[3]}));
  return (F4){(float)low[0], (float)low[1], (float)high[0], (float)high[1]};
}
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
