// Packed weights: their rows as floats, and products with them as they lie.
#include "byRows.h"
#include "gemm.h"
#include "integers.h"

INLINE F4 intsOfBytes(const signed char *p) { return (F4){p[0], p[1], p[2], p[3]}; }

void unpackRow(float *out, const unsigned char *weight, int format, long k, long row, long from, long count) {
  if (format == FORMAT_F16 || format == FORMAT_BF16) {
    const unsigned short *p = (const unsigned short *)weight + row * k + from;
    long i = 0;
    for (; i + 4 <= count; i += 4) store4(out + i, format == FORMAT_F16 ? halves4(p + i) : brains4(p + i));
    for (; i < count; i++) {
      unsigned short last[4] = {p[i], 0, 0, 0};
      out[i] = (format == FORMAT_F16 ? halves4(last) : brains4(last))[0];
    }
    return;
  }
  long bytes = format == FORMAT_Q8 ? Q8_BYTES : Q4_BYTES, lane = row % 4;
  const unsigned char *block = weight + (row / 4 * (k / BLOCK) + from / BLOCK) * bytes;
  for (long i = 0; i < count; i += BLOCK, block += bytes) {
    F4 scale = splat(halves4((const unsigned short *)block)[lane]);
    const unsigned char *q = block + 8 + 4 * lane;
    if (format == FORMAT_Q8) {
      for (int j = 0; j < 32; j += 4) store4(out + i + j, intsOfBytes((const signed char *)q + 4 * j) * scale);
    } else {
      for (int j = 0; j < 16; j++) {
        int byte = q[(j & ~3) * 4 + (j & 3)];
        out[i + j] = (float)((byte & 15) - 8) * scale[0];
        out[i + 16 + j] = (float)((byte >> 4) - 8) * scale[0];
      }
    }
  }
}

void multiplyPacked(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads) {
  if (k > SCRATCH_BYTES / 8) { // not even one row of x fits beside the weights
    Problem g = {{x, k, 1}, {0, 1, k}, weight, 0, format, y, bias, m, n, k, n};
    multiplyPart(&g, thread, threads, (float *)scratchOf(thread));
  } else if (format == FORMAT_Q8 || format == FORMAT_Q4) multiplyIntegers(y, x, weight, bias, m, n, k, format, thread, threads);
  else {
    Span rows = share(n, 4, thread, threads);
    ByRows p = {x, weight + rows.lo * k * 2, bias ? bias + rows.lo : 0, y + rows.lo, m, rows.hi - rows.lo, k, k, k, n, format};
    multiplyByRows(&p, (float *)scratchOf(thread));
  }
}

/** y [m, n], x [m, k]. */
KERNEL(linearPacked, Out y, In x, Packed weight, MaybeIn bias, long m, long n, long k, int format) {
  multiplyPacked(y, x, weight, bias, m, n, k, format, thread, threads);
}

/** y [m, k], x [m, n], weight [n, k] in q8 or q4. */
KERNEL(linearTurned, Out y, In x, Packed weight, long m, long n, long k, int format) {
  multiplyIntegersTurned(y, x, weight, m, n, k, format, thread, threads);
}

/** y [count, d], weight [v, d] */
KERNEL(embeddingPacked, Out y, Packed weight, InInts ids, long count, long v, long d, int format) {
  Span s = share(count, 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    if (ids[i] < 0 || ids[i] >= v)
      for (long j = 0; j < d; j++) y[i * d + j] = __builtin_nanf("");
    else unpackRow(y + i * d, weight, format, d, ids[i], 0, d);
  }
}
