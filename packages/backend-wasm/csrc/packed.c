// Products with packed weights: y = x W^T + bias for a few rows of x (decoding), each weight read once in one sequential stream.
#include "packed.h"

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
    if (format == FORMAT_Q8) {
      const signed char *q = (const signed char *)block + 8 + lane * 32;
      for (int j = 0; j < 32; j += 4) store4(out + i + j, intsOfBytes(q + j) * scale);
    } else {
      const unsigned char *q = block + 8 + lane * 16;
      for (int j = 0; j < 16; j++) {
        out[i + j] = (float)((q[j] & 15) - 8) * scale[0];
        out[i + 16 + j] = (float)((q[j] >> 4) - 8) * scale[0];
      }
    }
  }
}

/**
 * A row of x in blocks of 32: int16 values of 8 bits, their scale, and the sum of the integers. For q4 the columns stand in the
 * order in which 16-bit words of its bytes yield them: even bytes' low halves, odd bytes' low halves, then the high ones.
 */
typedef struct {
  short q[BLOCK];
  float scale;
  int sum, padding[2];
} Quantised;

static void quantise(Quantised *out, const float *x, long k, int format) {
  for (; k > 0; k -= BLOCK, x += BLOCK, out++) {
    F4 m = splat(0);
    for (int i = 0; i < BLOCK; i += 4) m = max4(m, abs4(load4(x + i)));
    float top = maxLane(m);
    F4 inverse = splat(top > 0 ? 127.0f / top : 0.0f);
    I4 sum = splatInt(0);
    for (int i = 0; i < BLOCK; i += 4) {
      I4 q = truncate4(nearest4(load4(x + i) * inverse));
      sum += q;
      for (int j = 0; j < 4; j++) out->q[format == FORMAT_Q4 ? (i & 16) | (j & 1) << 3 | (i & 15) >> 1 | j >> 1 : i + j] = (short)q[j];
    }
    out->scale = top / 127.0f;
    out->sum = sum[0] + sum[1] + sum[2] + sum[3];
  }
}

INLINE S8 wide(const signed char *p) { return __builtin_convertvector(*(const C8Loose *)p, S8); }
INLINE S8 shorts(const short *p) { return *(const S8Loose *)p; }
/** Lane sums of four integer vectors as one. */
INLINE I4 sumEachInt(I4 a, I4 b, I4 c, I4 d) {
  I4 ab = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  I4 cd = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

INLINE F4 addBlockQ8(F4 sum, const unsigned char *block, const Quantised *x) {
  S8 x0 = shorts(x->q), x1 = shorts(x->q + 8), x2 = shorts(x->q + 16), x3 = shorts(x->q + 24);
  const signed char *w = (const signed char *)block + 8;
#define DOT_Q8(row) ((dot16(wide(w + 32 * row), x0) + dot16(wide(w + 32 * row + 8), x1)) + (dot16(wide(w + 32 * row + 16), x2) + dot16(wide(w + 32 * row + 24), x3)))
  I4 dots = sumEachInt(DOT_Q8(0), DOT_Q8(1), DOT_Q8(2), DOT_Q8(3));
  return madd(toFloat4(dots), halves4((const unsigned short *)block) * splat(x->scale), sum);
}
INLINE F4 addBlockQ4(F4 sum, const unsigned char *block, const Quantised *x) {
  const U8 low = {15, 15, 15, 15, 15, 15, 15, 15};
  S8 x0 = shorts(x->q), x1 = shorts(x->q + 8), x2 = shorts(x->q + 16), x3 = shorts(x->q + 24);
#define DOT_Q4(row)                                                                                                     \
  ({                                                                                                                    \
    U8 w_ = (U8)shorts((const short *)(block + 8 + 16 * row));                                                          \
    (dot16((S8)(w_ & low), x0) + dot16((S8)((w_ >> 8) & low), x1)) + (dot16((S8)((w_ >> 4) & low), x2) + dot16((S8)(w_ >> 12), x3)); \
  })
  I4 dots = sumEachInt(DOT_Q4(0), DOT_Q4(1), DOT_Q4(2), DOT_Q4(3)) - splatInt(8 * x->sum);
  return madd(toFloat4(dots), halves4((const unsigned short *)block) * splat(x->scale), sum);
}
/**
 * STREAMS groups of four rows, `apart` bytes from one another, against one row of x. Several streams keep several pages in the
 * hardware's prefetcher, where one leaves it waiting at each page's end.
 */
enum { STREAMS = 4 };
typedef struct { F4 of[STREAMS]; } Sums;
#define GROUPS(name, add, bytes)                                                                                        \
  static __attribute__((noinline)) Sums name(const unsigned char *block, const long *apart, const Quantised *x, long blocks) { \
    Sums sums;                                                                                                          \
    F4 sum0 = splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;                                                          \
    long apart1 = apart[1], apart2 = apart[2], apart3 = apart[3];                                                       \
    for (; blocks > 0; blocks--, block += bytes, x++) {                                                                 \
      sum0 = add(sum0, block, x);                                                                                       \
      sum1 = add(sum1, block + apart1, x);                                                                              \
      sum2 = add(sum2, block + apart2, x);                                                                              \
      sum3 = add(sum3, block + apart3, x);                                                                              \
    }                                                                                                                   \
    sums.of[0] = sum0, sums.of[1] = sum1, sums.of[2] = sum2, sums.of[3] = sum3;                                                                               \
    return sums;                                                                                                        \
  }
GROUPS(groupsQ8, addBlockQ8, Q8_BYTES)
GROUPS(groupsQ4, addBlockQ4, Q4_BYTES)

/** Four rows of halves, far apart as above, against one row of x. */
INLINE F4 dotHalves(const unsigned short *const *w, const float *x, long k, int brain) {
  F4 sums[STREAMS][2];
  for (int r = 0; r < STREAMS; r++) sums[r][0] = sums[r][1] = splat(0);
  long i = 0;
  for (; i + 8 <= k; i += 8)
    for (int u = 0; u < 2; u++) {
      F4 v = load4(x + i + 4 * u);
      for (int r = 0; r < STREAMS; r++) sums[r][u] = madd(brain ? brains4(w[r] + i + 4 * u) : halves4(w[r] + i + 4 * u), v, sums[r][u]);
    }
  for (; i < k; i++)
    for (int r = 0; r < STREAMS; r++) {
      unsigned short last[4] = {w[r][i], 0, 0, 0};
      sums[r][0][0] += (brain ? brains4(last) : halves4(last))[0] * x[i];
    }
  return sumEach(sums[0][0] + sums[0][1], sums[1][0] + sums[1][1], sums[2][0] + sums[2][1], sums[3][0] + sums[3][1]);
}
static __attribute__((noinline)) F4 dotF16(const unsigned short *const *w, const float *x, long k) { return dotHalves(w, x, k, 0); }
static __attribute__((noinline)) F4 dotBf16(const unsigned short *const *w, const float *x, long k) { return dotHalves(w, x, k, 1); }
static void halvesRows(const float *x, const unsigned short *weight, const float *bias, float *y, long m, long n, long k, int format, Span rows) {
  long stretch = (rows.hi - rows.lo + STREAMS - 1) / STREAMS;
  for (long j = rows.lo; j < rows.lo + stretch && j < rows.hi; j++) {
    long at[STREAMS];
    const unsigned short *w[STREAMS];
    for (int r = 0; r < STREAMS; r++) {
      at[r] = j + r * stretch < rows.hi ? j + r * stretch : j;
      w[r] = weight + at[r] * k;
    }
    for (long i = 0; i < m; i++) {
      F4 sum = format == FORMAT_F16 ? dotF16(w, x + i * k, k) : dotBf16(w, x + i * k, k);
      for (int r = 0; r < STREAMS; r++) y[i * n + at[r]] = sum[r] + (bias ? bias[at[r]] : 0.0f);
    }
  }
}

/** y [m, n], x [m, k], weight, bias or 0, m, n, k, format: few rows. Integer formats quantise x to 8 bits a block, as ggml does. */
KERNEL(linearPacked) {
  const float *x = (const float *)a[1], *bias = (const float *)a[3];
  const unsigned char *weight = (const unsigned char *)a[2];
  float *y = (float *)a[0];
  long m = a[4], n = a[5], k = a[6];
  int format = (int)a[7];
  Span rows = share(n, 4, thread, threads);
  if (format == FORMAT_F16 || format == FORMAT_BF16) {
    halvesRows(x, (const unsigned short *)weight, bias, y, m, n, k, format, rows);
    return;
  }
  long blocks = k / BLOCK, bytes = format == FORMAT_Q8 ? Q8_BYTES : Q4_BYTES, fit = maxLong(1, SCRATCH_BYTES / (long)sizeof(Quantised) / maxLong(1, blocks));
  Quantised *q = (Quantised *)scratchOf(thread);
  for (long from = 0; from < m; from += fit) {
    long count = minLong(fit, m - from);
    if (rows.lo < rows.hi) quantise(q, x + from * k, count * k, format);
    // The thread's groups in STREAMS stretches that run side by side; a last short stretch reads the first one's group again.
    long groups = (rows.hi - rows.lo + 3) / 4, stretch = (groups + STREAMS - 1) / STREAMS;
    for (long group = 0; group < stretch; group++) {
      long at[STREAMS], apart[STREAMS];
      for (int stream = 0; stream < STREAMS; stream++) {
        long next = rows.lo / 4 + group + stream * stretch;
        at[stream] = next < (rows.hi + 3) / 4 ? next : rows.lo / 4 + group;
        apart[stream] = (at[stream] - at[0]) * blocks * bytes;
      }
      for (long i = 0; i < count; i++) {
        Sums sums = (format == FORMAT_Q8 ? groupsQ8 : groupsQ4)(weight + at[0] * blocks * bytes, apart, q + i * blocks, blocks);
        for (int stream = 0; stream < STREAMS; stream++) {
          long j = 4 * at[stream];
          storePart(y + (from + i) * n + j, sums.of[stream] + (bias ? loadPart(bias + j, n - j) : splat(0)), n - j);
        }
      }
    }
  }
}

/** y [count, d], weight [v, d] packed, ids, count, d, format */
KERNEL(embeddingPacked) {
  const int *ids = (const int *)a[2];
  long d = a[4];
  Span s = share(a[3], 1, thread, threads);
  for (long i = s.lo; i < s.hi; i++) unpackRow((float *)a[0] + i * d, (const unsigned char *)a[1], (int)a[5], d, ids[i], 0, d);
}
