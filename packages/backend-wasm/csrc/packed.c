// Products with packed weights: y = x W^T + bias for a few rows of x (decoding), each weight read once in one sequential stream.
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

enum { HALF_STREAMS = 4 };
/** Four rows of halves, far apart so that several pages are in the prefetcher, against one row of x. */
INLINE F4 dotHalves(const unsigned short *const *w, const float *x, long k, int brain) {
  F4 sums[HALF_STREAMS][2];
  for (int r = 0; r < HALF_STREAMS; r++) sums[r][0] = sums[r][1] = splat(0);
  long i = 0;
  for (; i + 8 <= k; i += 8)
    for (int u = 0; u < 2; u++) {
      F4 v = load4(x + i + 4 * u);
      for (int r = 0; r < HALF_STREAMS; r++) sums[r][u] = madd(brain ? brains4(w[r] + i + 4 * u) : halves4(w[r] + i + 4 * u), v, sums[r][u]);
    }
  for (; i < k; i++)
    for (int r = 0; r < HALF_STREAMS; r++) {
      unsigned short last[4] = {w[r][i], 0, 0, 0};
      sums[r][0][0] += (brain ? brains4(last) : halves4(last))[0] * x[i];
    }
  return sumEach(sums[0][0] + sums[0][1], sums[1][0] + sums[1][1], sums[2][0] + sums[2][1], sums[3][0] + sums[3][1]);
}
static __attribute__((noinline)) F4 dotF16(const unsigned short *const *w, const float *x, long k) { return dotHalves(w, x, k, 0); }
static __attribute__((noinline)) F4 dotBf16(const unsigned short *const *w, const float *x, long k) { return dotHalves(w, x, k, 1); }
static void halvesRows(const float *x, const unsigned short *weight, const float *bias, float *y, long m, long n, long k, int format, Span rows) {
  long stretch = (rows.hi - rows.lo + HALF_STREAMS - 1) / HALF_STREAMS;
  for (long j = rows.lo; j < rows.lo + stretch && j < rows.hi; j++) {
    long at[HALF_STREAMS];
    const unsigned short *w[HALF_STREAMS];
    for (int r = 0; r < HALF_STREAMS; r++) {
      at[r] = j + r * stretch < rows.hi ? j + r * stretch : j;
      w[r] = weight + at[r] * k;
    }
    for (long i = 0; i < m; i++) {
      F4 sum = format == FORMAT_F16 ? dotF16(w, x + i * k, k) : dotBf16(w, x + i * k, k);
      for (int r = 0; r < HALF_STREAMS; r++) y[i * n + at[r]] = sum[r] + (bias ? bias[at[r]] : 0.0f);
    }
  }
}

void multiplyPacked(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads) {
  if (format == FORMAT_Q8 || format == FORMAT_Q4) multiplyIntegers(y, x, weight, bias, m, n, k, format, thread, threads);
  else halvesRows(x, (const unsigned short *)weight, bias, y, m, n, k, format, share(n, 4, thread, threads));
}

/** y [m, n], x [m, k]: few rows. */
KERNEL(linearPacked, Out y, In x, Packed weight, MaybeIn bias, long m, long n, long k, int format) {
  multiplyPacked(y, x, weight, bias, m, n, k, format, thread, threads);
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
