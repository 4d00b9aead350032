// Kernels that move words of any type: strided copies (transpose, slice, concat, pad, tile, reverse), gather, one-hot.
#include "rt.h"

/** [rows, columns] to [columns, rows] in 4 x 4 blocks. */
static void transposeBlock(int *out, long outStride, const int *in, long inStride, long rows, long columns) {
  long i = 0;
  for (; i + 4 <= rows; i += 4) {
    long j = 0;
    for (; j + 4 <= columns; j += 4) {
      const int *p = in + i * inStride + j;
      I4 a = loadInt4(p), b = loadInt4(p + inStride), c = loadInt4(p + 2 * inStride), d = loadInt4(p + 3 * inStride);
      I4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      I4 abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7), cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      int *q = out + j * outStride + i;
      storeInt4(q, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
      storeInt4(q + outStride, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
      storeInt4(q + 2 * outStride, __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5));
      storeInt4(q + 3 * outStride, __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7));
    }
    for (; j < columns; j++)
      for (long k = 0; k < 4; k++) out[j * outStride + i + k] = in[(i + k) * inStride + j];
  }
  for (; i < rows; i++)
    for (long j = 0; j < columns; j++) out[j * outStride + i] = in[i * inStride + j];
}

/**
 * From word `inFrom` of `in` to word `outFrom` of `out`. `axes` lists the extents, the strides of out and the strides of in (words, may be
 * negative or 0), `rank` >= 2 of each. The last two axes are the inner plane: copied row by row, or transposed in blocks where the rows
 * of `in` are the columns of `out`.
 */
KERNEL(stridedCopy, OutWords out, InWords in, long outFrom, long inFrom, long rank, List axes) {
  const W *extent = axes, *outStride = extent + rank, *inStride = outStride + rank;
  long rows = extent[rank - 2], columns = extent[rank - 1];
  long outRow = outStride[rank - 2], outColumn = outStride[rank - 1], inRow = inStride[rank - 2], inColumn = inStride[rank - 1];
  long planes = 1;
  for (long i = 0; i < rank - 2; i++) planes *= extent[i];
  int byPlanes = planes >= threads;
  Span p = byPlanes ? share(planes, 1, thread, threads) : (Span){0, planes};
  Span r = byPlanes ? (Span){0, rows} : share(rows, 4, thread, threads);
  for (long plane = p.lo; plane < p.hi; plane++) {
    long at = plane, offsetOut = 0, offsetIn = 0;
    for (long i = rank - 3; i >= 0; i--) {
      long index = at % extent[i];
      offsetOut += index * outStride[i];
      offsetIn += index * inStride[i];
      at /= extent[i];
    }
    int *to = out + outFrom + offsetOut + r.lo * outRow;
    const int *from = in + inFrom + offsetIn + r.lo * inRow;
    long count = r.hi - r.lo;
    if (outColumn == 1 && inColumn == 1) {
      for (long i = 0; i < count; i++, to += outRow, from += inRow) {
        if (columns >= 32) memcpy(to, from, (UW)columns * 4);
        else
          for (long j = 0; j < columns; j++) to[j] = from[j];
      }
    } else if (outRow == 1 && inColumn == 1) transposeBlock(to, outColumn, from, inRow, count, columns);
    else
      for (long i = 0; i < count; i++, to += outRow, from += inRow)
        for (long j = 0; j < columns; j++) to[j * outColumn] = from[j * inColumn];
  }
}

/** y [outer, count, inner], x [outer, axis, inner]; the word `none` for an id that is none of the axis. */
KERNEL(gather, OutWords y, InWords x, InInts ids, long outer, long axis, long inner, long count, int none) {
  Span s = share(outer * count, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    long id = ids[i % count];
    int *to = y + i * inner;
    const int *from = x + (i / count * axis + id) * inner;
    int inside = id >= 0 && id < axis;
    for (long j = 0; j < inner; j++) to[j] = inside ? from[j] : none;
  }
}
/** y [count, depth] */
KERNEL(oneHot, Out y, InInts ids, long count, long depth) {
  Span s = share(count, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++)
    for (long j = 0; j < depth; j++) y[i * depth + j] = ids[i] == j ? 1.0f : 0.0f;
}
/** y [segments, inner], x [count, inner]: rows added by id; each thread owns columns, so no two write one word. */
KERNEL(segmentSum, Out y, In x, InInts ids, long count, long inner, long segments, Flag ints) {
  Span s = share(inner, 16, thread, threads);
  for (long i = 0; i < segments; i++)
    for (long j = s.lo; j < s.hi; j++) y[i * inner + j] = 0.0f;
  for (long i = 0; i < count; i++) {
    if (ids[i] < 0 || ids[i] >= segments) continue;
    float *to = y + ids[i] * inner;
    const float *from = x + i * inner;
    long j = s.lo;
    for (; ints && j < s.hi; j++) ((unsigned *)to)[j] += ((const unsigned *)from)[j];
    for (; j + 4 <= s.hi; j += 4) store4(to + j, load4(to + j) + load4(from + j));
    for (; j < s.hi; j++) to[j] += from[j];
  }
}
