#include "fft.h"

enum { FFT_IN_CACHE = 512 };

void fillTwiddles(float *table, long size, int thread, int threads) {
  Span part = share(size, 16, thread, threads);
  for (long k = part.lo; k < part.hi; k++) {
    Complex turn = turnOf(-6.283185307179586477 * (double)k / (double)size);
    table[2 * k] = (float)turn.re, table[2 * k + 1] = (float)turn.im;
  }
}

/** One radix-4 pass over a block of n, decimated in frequency; `stride` is the table's length over n. */
static void fftSplit(C4 *x, long n, const float *table, long stride) {
  C4 *x1 = x + n / 4, *x2 = x + n / 2, *x3 = x + 3 * (n / 4);
  for (long j = 0; j < n / 4; j++) {
    C4 even = c4Add(x[j], x2[j]), evenDifference = c4Sub(x[j], x2[j]), odd = c4Add(x1[j], x3[j]), turned = c4Turn(c4Sub(x1[j], x3[j]));
    const float *w = table + 2 * j * stride, *w2 = table + 4 * j * stride, *w3 = table + 6 * j * stride;
    x[j] = c4Add(even, odd);
    x1[j] = c4Times(c4Sub(evenDifference, turned), c4Splat(w));
    x2[j] = c4Times(c4Sub(even, odd), c4Splat(w2));
    x3[j] = c4Times(c4Add(evenDifference, turned), c4Splat(w3));
  }
}
/** The same pass backwards, times 4. */
static void fftJoin(C4 *x, long n, const float *table, long stride) {
  C4 *x1 = x + n / 4, *x2 = x + n / 2, *x3 = x + 3 * (n / 4);
  for (long j = 0; j < n / 4; j++) {
    C4 b = c4TimesConj(x1[j], c4Splat(table + 2 * j * stride)), c = c4TimesConj(x2[j], c4Splat(table + 4 * j * stride));
    C4 d = c4TimesConj(x3[j], c4Splat(table + 6 * j * stride));
    C4 even = c4Add(x[j], c), evenDifference = c4Sub(x[j], c), odd = c4Add(b, d), turned = c4Turn(c4Sub(b, d));
    x[j] = c4Add(even, odd);
    x1[j] = c4Add(evenDifference, turned);
    x2[j] = c4Sub(even, odd);
    x3[j] = c4Sub(evenDifference, turned);
  }
}
static void fftPairs(C4 *x, long n) {
  for (long i = 0; i < n; i += 2) {
    C4 sum = c4Add(x[i], x[i + 1]);
    x[i + 1] = c4Sub(x[i], x[i + 1]);
    x[i] = sum;
  }
}
INLINE int isOddPower(long n) { return (__builtin_ctzl((unsigned long)n) & 1) != 0; }

/** Large blocks quarter by quarter, so that what is at work fits the cache; small ones pass by pass. */
static void fftDown(C4 *x, long n, const float *table, long stride) {
  if (n > FFT_IN_CACHE) {
    fftSplit(x, n, table, stride);
    for (int q = 0; q < 4; q++) fftDown(x + q * (n / 4), n / 4, table, 4 * stride);
    return;
  }
  for (long m = n; m >= 4; m /= 4, stride *= 4)
    for (long i = 0; i < n; i += m) fftSplit(x + i, m, table, stride);
  if (isOddPower(n)) fftPairs(x, n);
}
static void fftUp(C4 *x, long n, const float *table, long stride) {
  if (n > FFT_IN_CACHE) {
    for (int q = 0; q < 4; q++) fftUp(x + q * (n / 4), n / 4, table, 4 * stride);
    fftJoin(x, n, table, stride);
    return;
  }
  if (isOddPower(n)) fftPairs(x, n);
  for (long m = isOddPower(n) ? 8 : 4; m <= n; m *= 4)
    for (long i = 0; i < n; i += m) fftJoin(x + i, m, table, stride * (n / m));
}
void fftForward(C4 *x, long size, const float *table) { fftDown(x, size, table, 1); }
void fftInverse(C4 *x, long size, const float *table) { fftUp(x, size, table, 1); }
