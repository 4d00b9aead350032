// Reductions of the middle axis of [outer, count, inner], softmax, running sums.
#include "vmath.h"

enum { CHUNK = 512, PARTS = 64 };

/** Sum in float over chunks, chunks in double: the error does not grow with the length. */
static double sumRow(const float *p, long count, int square) {
  double total = 0;
  for (long at = 0; at < count; at += CHUNK) {
    long end = minLong(count, at + CHUNK), i = at;
    F4 s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (; i + 16 <= end; i += 16) {
      F4 x0 = load4(p + i), x1 = load4(p + i + 4), x2 = load4(p + i + 8), x3 = load4(p + i + 12);
      if (square) s0 = madd(x0, x0, s0), s1 = madd(x1, x1, s1), s2 = madd(x2, x2, s2), s3 = madd(x3, x3, s3);
      else s0 += x0, s1 += x1, s2 += x2, s3 += x3;
    }
    for (; i < end; i++) {
      float x = p[i];
      s0[0] += square ? x * x : x;
    }
    total += sum4((s0 + s1) + (s2 + s3));
  }
  return total;
}

/** Sum of a whole tensor, in 64 parts whatever the thread count. */
static void sumAll(const W *a, int thread, int threads, int square) {
  double *parts = (double *)scratchOf(0);
  long count = a[2];
  Span s = share(PARTS, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    Span part = share(count, CHUNK, (int)i, PARTS);
    parts[i] = part.hi > part.lo ? sumRow((const float *)a[1] + part.lo, part.hi - part.lo, square) : 0;
  }
  barrier(thread, threads);
  if (thread) return;
  double total = 0;
  for (int i = 0; i < PARTS; i++) total += parts[i];
  *(float *)a[0] = (float)total;
}
/** out, x, count */
KERNEL(sumWhole) { sumAll(a, thread, threads, 0); }
/** out, x, count */
KERNEL(sumSquares) { sumAll(a, thread, threads, 1); }

/** out [outer, inner], x [outer, count, inner], outer, count, inner. inner = 1: along rows; otherwise lanes over inner. */
KERNEL(sumAxis) {
  float *out = (float *)a[0];
  const float *x = (const float *)a[1];
  long outer = a[2], count = a[3], inner = a[4];
  if (inner == 1) {
    Span s = share(outer, 1, thread, threads);
    for (long i = s.lo; i < s.hi; i++) out[i] = (float)sumRow(x + i * count, count, 0);
    return;
  }
  int byOuter = outer >= threads;
  Span o = byOuter ? share(outer, 1, thread, threads) : (Span){0, outer};
  Span c = byOuter ? (Span){0, inner} : share(inner, 16, thread, threads);
  for (long i = o.lo; i < o.hi; i++)
    for (long j = c.lo; j < c.hi; j += 4) {
      long lanes = minLong(4, c.hi - j);
      const float *p = x + i * count * inner + j;
      double d0 = 0, d1 = 0, d2 = 0, d3 = 0;
      for (long at = 0; at < count; at += CHUNK) {
        F4 sum = splat(0);
        for (long k = at; k < minLong(count, at + CHUNK); k++) sum += loadPart(p + k * inner, lanes);
        d0 += sum[0], d1 += sum[1], d2 += sum[2], d3 += sum[3];
      }
      storePart(out + i * inner + j, (F4){(float)d0, (float)d1, (float)d2, (float)d3}, lanes);
    }
}

#define REDUCE(name, type, first, update)                                                  \
  KERNEL(name) {                                                                           \
    type *out = (type *)a[0];                                                              \
    const type *x = (const type *)a[1];                                                    \
    long outer = a[2], count = a[3], inner = a[4];                                         \
    Span s = share(outer * inner, 16, thread, threads);                                    \
    for (long i = s.lo; i < s.hi; i++) {                                                   \
      const type *p = x + i / inner * count * inner + i % inner;                           \
      type best = first;                                                                   \
      for (long k = 0; k < count; k++) {                                                   \
        type v = p[k * inner];                                                             \
        update;                                                                            \
      }                                                                                    \
      out[i] = best;                                                                       \
    }                                                                                      \
  }
REDUCE(maxAxis, float, -__builtin_inff(), best = v > best || v != v ? v : best)
REDUCE(minAxis, float, __builtin_inff(), best = v < best || v != v ? v : best)
REDUCE(maxAxisInt, int, -2147483647 - 1, best = v > best ? v : best)
REDUCE(minAxisInt, int, 2147483647, best = v < best ? v : best)
REDUCE(sumAxisInt, int, 0, best = (int)((unsigned)best + (unsigned)v))

/** out int32 [outer, inner], x, outer, count, inner, 1 for int32 input: index of the largest, the lowest one at a tie. */
KERNEL(argMax) {
  int *out = (int *)a[0];
  long outer = a[2], count = a[3], inner = a[4];
  Span s = share(outer * inner, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    long from = i / inner * count * inner + i % inner, best = 0;
    if (a[5]) {
      const int *p = (const int *)a[1] + from;
      for (long k = 1; k < count; k++)
        if (p[k * inner] > p[best * inner]) best = k;
    } else {
      const float *p = (const float *)a[1] + from;
      for (long k = 1; k < count; k++)
        if (p[k * inner] > p[best * inner]) best = k;
    }
    out[i] = (int)best;
  }
}

INLINE float maxRow(const float *p, long count) {
  float best = -__builtin_inff();
  long i = 0;
  if (count >= 4) {
    F4 m = load4(p);
    for (i = 4; i + 4 <= count; i += 4) m = max4(m, load4(p + i));
    best = maxLane(m);
  }
  for (; i < count; i++) best = p[i] > best ? p[i] : best;
  return best;
}
/** out[i] = e^(x[i] - shift); returns the sum. */
INLINE float expRow(float *out, const float *p, long count, float shift) {
  F4 sum = splat(0);
  for (long i = 0; i < count; i += 4) {
    long lanes = minLong(4, count - i);
    F4 y = exp4(loadPart(p + i, lanes) - splat(shift));
    storePart(out + i, y, lanes);
    for (long k = lanes; k < 4; k++) y[k] = 0;
    sum += y;
  }
  return sum4(sum);
}
/** out, x, rows, count: over the last axis */
KERNEL(softmax) {
  long count = a[3];
  Span s = share(a[2], 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = (const float *)a[1] + i * count;
    float *out = (float *)a[0] + i * count;
    F4 scale = splat(1.0f / expRow(out, p, count, maxRow(p, count)));
    for (long j = 0; j < count; j += 4) storePart(out + j, loadPart(out + j, count - j) * scale, count - j);
  }
}
/** out, x, outer, count, inner, exclusive, reverse */
KERNEL(cumsum) {
  long outer = a[2], count = a[3], inner = a[4];
  Span s = share(outer * inner, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    long from = i / inner * count * inner + i % inner;
    double sum = 0;
    for (long k = 0; k < count; k++) {
      long at = from + (a[6] ? count - 1 - k : k) * inner;
      float x = ((const float *)a[1])[at];
      if (a[5]) ((float *)a[0])[at] = (float)sum;
      sum += x;
      if (!a[5]) ((float *)a[0])[at] = (float)sum;
    }
  }
}

/** losses [rows], logits [rows, count], targets, rows, count, ignoreIndex */
KERNEL(crossEntropy) {
  const int *targets = (const int *)a[2];
  long count = a[4];
  Span s = share(a[3], 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = (const float *)a[1] + i * count;
    float loss = 0;
    if (targets[i] != (int)a[5]) {
      float top = maxRow(p, count);
      double sum = 0;
      for (long at = 0; at < count; at += CHUNK) {
        F4 part = splat(0);
        for (long j = at; j < minLong(count, at + CHUNK); j += 4) {
          long lanes = minLong(4, count - j);
          F4 y = exp4(loadPart(p + j, lanes) - splat(top));
          for (long k = lanes; k < 4; k++) y[k] = 0;
          part += y;
        }
        sum += sum4(part);
      }
      loss = (float)(log1Double(sum) + ((double)top - p[targets[i]]));
    }
    ((float *)a[0])[i] = loss;
  }
}
/** dlogits, logits, targets, dlosses, rows, count, ignoreIndex: (softmax - onehot) dloss */
KERNEL(crossEntropyGrad) {
  const int *targets = (const int *)a[2];
  long count = a[5];
  Span s = share(a[4], 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = (const float *)a[1] + i * count;
    float *out = (float *)a[0] + i * count, upstream = ((const float *)a[3])[i];
    if (targets[i] == (int)a[6]) {
      memset(out, 0, (UW)count * sizeof(float));
      continue;
    }
    F4 scale = splat(upstream / expRow(out, p, count, maxRow(p, count)));
    for (long j = 0; j < count; j += 4) storePart(out + j, loadPart(out + j, count - j) * scale, count - j);
    out[targets[i]] -= upstream;
  }
}
