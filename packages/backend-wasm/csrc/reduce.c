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
static void sumAll(float *out, const float *x, long count, int thread, int threads, int square) {
  double *parts = (double *)scratchOf(0);
  Span s = share(PARTS, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    Span part = share(count, CHUNK, (int)i, PARTS);
    parts[i] = part.hi > part.lo ? sumRow(x + part.lo, part.hi - part.lo, square) : 0;
  }
  barrier(thread, threads);
  if (thread) return;
  double total = 0;
  for (int i = 0; i < PARTS; i++) total += parts[i];
  *out = (float)total;
}
KERNEL(sumWhole, Out y, In x, long count) { sumAll(y, x, count, thread, threads, 0); }
KERNEL(sumSquares, Out y, In x, long count) { sumAll(y, x, count, thread, threads, 1); }

/** Sums of two columns, two rows a vector. */
static void sumPairs(float *y, const float *p, long count) {
  double d0 = 0, d1 = 0;
  for (long at = 0; at < count; at += CHUNK) {
    long end = minLong(count, at + CHUNK), k = at;
    F4 sum = splat(0);
    for (; k + 2 <= end; k += 2) sum += load4(p + 2 * k);
    d0 += sum[0] + sum[2], d1 += sum[1] + sum[3];
    if (k < end) d0 += p[2 * k], d1 += p[2 * k + 1];
  }
  y[0] = (float)d0, y[1] = (float)d1;
}
/** y [outer, inner], x [outer, count, inner]. inner = 1: along rows; otherwise lanes over inner. */
KERNEL(sumAxis, Out y, In x, long outer, long count, long inner) {
  if (inner == 1) {
    Span s = share(outer, 1, thread, threads);
    for (long i = s.lo; i < s.hi; i++) y[i] = (float)sumRow(x + i * count, count, 0);
    return;
  }
  int byOuter = outer >= threads;
  if (inner == 2 && byOuter) {
    Span s = share(outer, 1, thread, threads);
    for (long i = s.lo; i < s.hi; i++) sumPairs(y + 2 * i, x + 2 * i * count, count);
    return;
  }
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
      storePart(y + i * inner + j, (F4){(float)d0, (float)d1, (float)d2, (float)d3}, lanes);
    }
}

#define REDUCE(name, type, first, update)                                                  \
  KERNEL(name, OutWords y, InWords x, long outer, long count, long inner) {                \
    type *out = (type *)y;                                                                 \
    const type *in = (const type *)x;                                                      \
    Span s = share(outer * inner, 16, thread, threads);                                    \
    for (long i = s.lo; i < s.hi; i++) {                                                   \
      const type *p = in + i / inner * count * inner + i % inner;                          \
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

/** Up to here four rows at once are quicker than each alone. */
enum { ARGMAX_SHORT_ROW = 64 };

/** Place of the largest, the lowest one at a tie, over four lanes; a first element that is no number is never beaten. */
static long largestAt(const float *p, long count) {
  if (p[0] != p[0]) return 0;
  F4 best = splat(-__builtin_inff());
  I4 at = splatInt(0), place = {0, 1, 2, 3};
  long k = 0;
  for (; k + 4 <= count; k += 4, place += splatInt(4)) {
    F4 v = load4(p + k);
    I4 beats = v > best;
    best = select4(beats, v, best);
    at = selectInt4(beats, place, at);
  }
  long found = 0;
  float top = p[0];
  for (int lane = 0; lane < 4 && k > 0; lane++)
    if (best[lane] > top || (best[lane] == top && at[lane] < found)) top = best[lane], found = at[lane];
  for (; k < count; k++)
    if (p[k] > top) top = p[k], found = k;
  return found;
}
/** The first of four columns, others the first one once more: nothing behind a row's end is read. */
INLINE F4 columnsAt(const float *p, const int columns) {
  if (columns == 4) return load4(p);
  return (F4){p[0], columns > 1 ? p[1] : p[0], columns > 2 ? p[2] : p[0], p[0]};
}
/** Of up to four columns side by side, whose rows of `count` floats are a stride apart; lanes, since a branch for each would often be foretold wrongly. */
INLINE I4 largestOf(const float *p, long count, long stride, const int columns) {
  F4 best = columnsAt(p, columns);
  I4 at = splatInt(0);
  for (long k = 1; k < count; k++) {
    F4 v = columnsAt(p + k * stride, columns);
    I4 beats = v > best;
    best = select4(beats, v, best);
    at = selectInt4(beats, splatInt((int)k), at);
  }
  return at;
}
static I4 largestOfColumns(const float *p, long count, long stride, long columns) {
  if (columns == 4) return largestOf(p, count, stride, 4);
  if (columns == 3) return largestOf(p, count, stride, 3);
  return columns == 2 ? largestOf(p, count, stride, 2) : largestOf(p, count, stride, 1);
}
/** Of four short rows one behind the other, a lane each. */
static I4 largestOfRows(const float *p, long count) {
  const float *q = p + count, *r = q + count, *t = r + count;
  F4 best = {*p, *q, *r, *t};
  I4 at = splatInt(0);
  for (long k = 1; k < count; k++) {
    F4 v = {p[k], q[k], r[k], t[k]};
    I4 beats = v > best;
    best = select4(beats, v, best);
    at = selectInt4(beats, splatInt((int)k), at);
  }
  return at;
}
static long largestIntAt(const int *p, long count, long stride) {
  long best = 0;
  int top = p[0];
  for (long k = 1; k < count; k++)
    if (p[k * stride] > top) top = p[k * stride], best = k;
  return best;
}

/** y [outer, inner]: index of the largest of count, the lowest one at a tie; `ints`: x is int32. */
KERNEL(argMax, OutInts y, InWords x, long outer, long count, long inner, Flag ints) {
  Span s = share(outer * inner, 1, thread, threads);
  for (long i = s.lo; i < s.hi;) {
    long column = i % inner, from = i / inner * count * inner + column, columns = 1;
    if (ints) y[i] = (int)largestIntAt(x + from, count, inner);
    else if (inner == 1 && count <= ARGMAX_SHORT_ROW && i + 4 <= s.hi) storeInt4(y + i, largestOfRows((const float *)x + from, count)), columns = 4;
    else if (inner == 1) y[i] = (int)largestAt((const float *)x + from, count);
    else {
      columns = minLong(4, minLong(inner - column, s.hi - i));
      I4 at = largestOfColumns((const float *)x + from, count, inner, columns);
      if (columns == 4) storeInt4(y + i, at);
      else
        for (int lane = 0; lane < columns; lane++) y[i + lane] = at[lane];
    }
    i += columns;
  }
}

/** y [rows, k]: places of the k largest of each row of x [rows, n], the lower one at a tie. */
KERNEL(topK, OutInts y, In x, long rows, long n, long k) {
  Span s = share(rows, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = x + i * n;
    int *places = y + i * k;
    long found = 0;
    for (long at = 0; at < n; at++) {
      // Those that were found stand in order; a new one goes behind all that are not smaller.
      long slot = found;
      while (slot > 0 && p[at] > p[places[slot - 1]]) slot--;
      if (slot >= k) continue;
      found = minLong(k, found + 1);
      for (long j = found - 1; j > slot; j--) places[j] = places[j - 1];
      places[slot] = (int)at;
    }
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
    sum += keepLanes(y, lanes);
  }
  return sum4(sum);
}
/** Over the last axis. */
KERNEL(softmax, Out y, In x, long rows, long count) {
  Span s = share(rows, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = x + i * count;
    float *out = y + i * count;
    F4 scale = splat(1.0f / expRow(out, p, count, maxRow(p, count)));
    for (long j = 0; j < count; j += 4) storePart(out + j, loadPart(out + j, count - j) * scale, count - j);
  }
}
/** Running sums; of whole numbers they wrap around, as int32 does. */
KERNEL(cumsum, Out y, In x, long outer, long count, long inner, Flag exclusive, Flag reverse, Flag ints) {
  Span s = share(outer * inner, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    long from = i / inner * count * inner + i % inner;
    double sum = 0;
    unsigned whole = 0;
    for (long k = 0; k < count; k++) {
      long at = from + (reverse ? count - 1 - k : k) * inner;
      if (ints) {
        unsigned value = ((const unsigned *)x)[at];
        if (exclusive) ((unsigned *)y)[at] = whole;
        whole += value;
        if (!exclusive) ((unsigned *)y)[at] = whole;
        continue;
      }
      float value = x[at];
      if (exclusive) y[at] = (float)sum;
      sum += value;
      if (!exclusive) y[at] = (float)sum;
    }
  }
}

/** ln(1 + x) for x from 0 on, NaN kept. */
static double logOnePlus(double x) { return x < 1e-3 ? x * (1 - x * (0.5 - x * (1.0 / 3 - x * 0.25))) : log1Double(1 + x); }
/** losses [rows], logits [rows, count]; NaN for a target that is no class. */
KERNEL(crossEntropy, Out losses, In logits, InInts targets, long rows, long count, int ignoreIndex) {
  Span s = share(rows, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = logits + i * count;
    float loss = 0;
    if (targets[i] != ignoreIndex) {
      // All but the largest, whose exponential is 1: beside it small ones would be lost.
      float top = maxRow(p, count);
      long largest = largestAt(p, count);
      double sum = 0;
      for (long at = 0; at < count; at += CHUNK) {
        F4 part = splat(0);
        for (long j = at; j < minLong(count, at + CHUNK); j += 4) {
          long lanes = minLong(4, count - j);
          F4 y = keepLanes(exp4(loadPart(p + j, lanes) - splat(top)), lanes);
          I4 own = splatInt((int)j) + (I4){0, 1, 2, 3} == splatInt((int)largest);
          part += select4(own & (y == y), splat(0), y);
        }
        sum += sum4(part);
      }
      int known = targets[i] >= 0 && targets[i] < count;
      loss = known ? (float)(logOnePlus(sum) + ((double)top - p[targets[i]])) : __builtin_nanf("");
    }
    losses[i] = loss;
  }
}
/** Sum of a row of which one is left out. */
static float sumOfOthers(const float *p, long count, long one) {
  double sum = 0;
  for (long at = 0; at < count; at += CHUNK) {
    F4 part = splat(0);
    for (long j = at; j < minLong(count, at + CHUNK); j += 4) {
      F4 y = loadPart(p + j, count - j);
      part += select4(splatInt((int)j) + (I4){0, 1, 2, 3} == splatInt((int)one), splat(0), keepLanes(y, minLong(4, count - j)));
    }
    sum += sum4(part);
  }
  return (float)sum;
}
/** (softmax - onehot) dLoss; at a target that is the largest, softmax - 1 is what the others have, however little. */
KERNEL(crossEntropyGrad, Out dLogits, In logits, InInts targets, In dLosses, long rows, long count, int ignoreIndex) {
  Span s = share(rows, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    const float *p = logits + i * count;
    int known = targets[i] >= 0 && targets[i] < count;
    float *out = dLogits + i * count, upstream = known ? dLosses[i] : __builtin_nanf("");
    if (targets[i] == ignoreIndex) {
      memset(out, 0, (UW)count * sizeof(float));
      continue;
    }
    float scale = upstream / expRow(out, p, count, maxRow(p, count));
    int sure = known && targets[i] == largestAt(p, count);
    float others = sure ? sumOfOthers(out, count, targets[i]) : 0;
    for (long j = 0; j < count; j += 4) storePart(out + j, loadPart(out + j, count - j) * splat(scale), count - j);
    if (sure) out[targets[i]] = -others * scale;
    else if (known) out[targets[i]] -= upstream;
  }
}
