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

#if defined(RELAXED) && defined(__wasm__)
/*
 * relaxed_dot multiplies int8 by 7-bit unsigned: q8 takes x's positive and negative parts, each at most 127, in two products;
 * q4 takes its own integers, 0 to 15, as the unsigned ones.
 */
#define RELAXED_DOT 1
typedef signed char Integer;
#else
#define RELAXED_DOT 0
typedef short Integer;
#endif

/**
 * A row of x in blocks of 32: integers of 8 bits, their scale and sum. With RELAXED_DOT and q8, positive parts and negative parts;
 * without RELAXED_DOT, columns 1 and 2 of every four change places, since 16-bit words yield the even bytes first.
 */
typedef struct {
  Integer q[RELAXED_DOT ? 2 * BLOCK : BLOCK];
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
    for (int i = 0; i < BLOCK; i += 8) {
      I4 a = truncate4(nearest4(load4(x + i) * inverse)), b = truncate4(nearest4(load4(x + i + 4) * inverse));
      sum += a + b;
#if RELAXED_DOT
      if (format == FORMAT_Q8) {
        storeBytes8(out->q + i, max16(narrow16(a, b), (S8){0}));
        storeBytes8(out->q + BLOCK + i, max16(narrow16(-a, -b), (S8){0}));
      } else storeBytes8(out->q + i, narrow16(a, b));
#else
      S8 q = narrow16(a, b);
      *(S8Loose *)(out->q + i) = __builtin_shufflevector(q, q, 0, 2, 1, 3, 4, 6, 5, 7);
#endif
    }
    out->scale = top / 127.0f;
    out->sum = sum[0] + sum[1] + sum[2] + sum[3];
  }
}

/** Four bytes, or two 16-bit integers, of x for every row. */
INLINE I4 fourOf(const Integer *p) { return splatInt(*(const int *)p); }
INLINE I4 weights16(const unsigned char *block, int c) { return loadInt4((const int *)(block + 8 + 16 * c)); }
#if RELAXED_DOT
INLINE I4 dotBytes(I4 bytes, I4 small, I4 sum) { return (I4)wasm_i32x4_relaxed_dot_i8x16_i7x16_add((v128_t)bytes, (v128_t)small, (v128_t)sum); }
INLINE I4 dotsQ8(const unsigned char *block, const Integer *x) {
  I4 positive = splatInt(0), negative = positive;
#pragma clang loop unroll(full)
  for (int c = 0; c < 8; c++) {
    I4 w = weights16(block, c);
    positive = dotBytes(w, fourOf(x + 4 * c), positive);
    negative = dotBytes(w, fourOf(x + BLOCK + 4 * c), negative);
  }
  return positive - negative;
}
INLINE I4 dotsQ4(const unsigned char *block, const Integer *x) {
  I4 half = splatInt(0x0f0f0f0f), sum0 = splatInt(0), sum1 = sum0;
#pragma clang loop unroll(full)
  for (int c = 0; c < 4; c++) {
    I4 w = weights16(block, c);
    sum0 = dotBytes(fourOf(x + 4 * c), w & half, sum0);
    sum1 = dotBytes(fourOf(x + 16 + 4 * c), (I4)((U4)w >> 4) & half, sum1);
  }
  return sum0 + sum1;
}
#else
INLINE I4 dotsQ8(const unsigned char *block, const Integer *x) {
  I4 sum0 = splatInt(0), sum1 = sum0;
  for (int c = 0; c < 8; c++) {
    S8 w = (S8)weights16(block, c);
    sum0 += dot16((S8)((U8)w << 8) >> 8, (S8)fourOf(x + 4 * c));
    sum1 += dot16(w >> 8, (S8)fourOf(x + 4 * c + 2));
  }
  return sum0 + sum1;
}
INLINE I4 dotsQ4(const unsigned char *block, const Integer *x) {
  I4 sum0 = splatInt(0), sum1 = sum0;
  for (int c = 0; c < 4; c++) {
    U8 w = (U8)weights16(block, c);
    sum0 += dot16((S8)(w & 15), (S8)fourOf(x + 4 * c)) + dot16((S8)(w >> 4 & 15), (S8)fourOf(x + 16 + 4 * c));
    sum1 += dot16((S8)(w >> 8 & 15), (S8)fourOf(x + 4 * c + 2)) + dot16((S8)(w >> 12), (S8)fourOf(x + 16 + 4 * c + 2));
  }
  return sum0 + sum1;
}
#endif
INLINE F4 addBlockQ8(F4 sum, const unsigned char *block, const Quantised *x) {
  return madd(toFloat4(dotsQ8(block, x->q)), halves4((const unsigned short *)block) * splat(x->scale), sum);
}
INLINE F4 addBlockQ4(F4 sum, const unsigned char *block, const Quantised *x) {
  return madd(toFloat4(dotsQ4(block, x->q) - splatInt(8 * x->sum)), halves4((const unsigned short *)block) * splat(x->scale), sum);
}
/**
 * `streams` groups of four rows, `apart` bytes from one another, against one row of x. Several streams keep several pages in the
 * hardware's prefetcher, where one leaves it waiting at each page's end.
 */
enum { Q8_STREAMS = 8, Q4_STREAMS = 4, HALF_STREAMS = 4, MOST_STREAMS = 8 };
typedef struct { F4 of[MOST_STREAMS]; } Sums;
#define GROUPS(name, add, bytes, streams)                                                                               \
  static __attribute__((noinline)) Sums name(const unsigned char *block, const long *apart, const Quantised *x, long blocks) { \
    Sums sums;                                                                                                          \
    for (int s = 0; s < streams; s++) sums.of[s] = splat(0);                                                            \
    for (; blocks > 0; blocks--, block += bytes, x++)                                                                   \
      for (int s = 0; s < streams; s++) sums.of[s] = add(sums.of[s], block + apart[s], x);                              \
    return sums;                                                                                                        \
  }
GROUPS(groupsQ8, addBlockQ8, Q8_BYTES, Q8_STREAMS)
GROUPS(groupsQ4, addBlockQ4, Q4_BYTES, Q4_STREAMS)

/** Four rows of halves, far apart as above, against one row of x. */
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

/* Integer formats quantise x to 8 bits a block, as ggml does. */
void multiplyPacked(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads) {
  Span rows = share(n, 4, thread, threads);
  if (format == FORMAT_F16 || format == FORMAT_BF16) {
    halvesRows(x, (const unsigned short *)weight, bias, y, m, n, k, format, rows);
    return;
  }
  int streams = format == FORMAT_Q8 ? Q8_STREAMS : Q4_STREAMS;
  long blocks = k / BLOCK, bytes = format == FORMAT_Q8 ? Q8_BYTES : Q4_BYTES, fit = maxLong(1, SCRATCH_BYTES / (long)sizeof(Quantised) / maxLong(1, blocks));
  Quantised *q = (Quantised *)scratchOf(thread);
  for (long from = 0; from < m; from += fit) {
    long count = minLong(fit, m - from);
    if (rows.lo < rows.hi) quantise(q, x + from * k, count * k, format);
    // The thread's groups in `streams` stretches that run side by side; a last short stretch reads the first one's group again.
    long groups = (rows.hi - rows.lo + 3) / 4, stretch = (groups + streams - 1) / streams;
    for (long group = 0; group < stretch; group++) {
      long at[MOST_STREAMS], apart[MOST_STREAMS];
      for (int stream = 0; stream < streams; stream++) {
        long next = rows.lo / 4 + group + stream * stretch;
        at[stream] = next < (rows.hi + 3) / 4 ? next : rows.lo / 4 + group;
        apart[stream] = (at[stream] - at[0]) * blocks * bytes;
      }
      for (long i = 0; i < count; i++) {
        Sums sums = (format == FORMAT_Q8 ? groupsQ8 : groupsQ4)(weight + at[0] * blocks * bytes, apart, q + i * blocks, blocks);
        for (int stream = 0; stream < streams; stream++) {
          long j = 4 * at[stream];
          storePart(y + (from + i) * n + j, sums.of[stream] + (bias ? loadPart(bias + j, n - j) : splat(0)), n - j);
        }
      }
    }
  }
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
