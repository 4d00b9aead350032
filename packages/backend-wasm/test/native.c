// Runs kernels natively, under address and undefined-behaviour sanitizers, on shapes whose rows end in the middle of a vector and on
// buffers of exactly the size the kernels may touch. Values are compared with plain loops in double.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rt.h"
#include "packed.h"

extern Kernel gemm, selectiveScan, selectiveScanGrad, selectiveScanStep, causalConv1d, causalConv1dGrad, causalConv1dStep, causalConv1dState, rmsNorm, rmsNormGrad, layerNorm,
    layerNormGrad, linearPacked, embeddingPacked, stridedCopy, softmax, crossEntropy, crossEntropyGrad, adamW, ssdScan, ssdScanGrad, sumWhole, sumAxis, argMax, cumsum, gather, segmentSum,
    unarySoftplus, unaryGelu, unarySin, binaryAdd, binaryPow, binaryDivInt, fill, castFloatToInt, causalAttention, causalAttentionGrad, mamba3Scan, mamba3ScanGrad;

static void *scratch;
void *scratchOf(int thread) { return (char *)scratch + (UW)thread * SCRATCH_BYTES; }
void barrier(int thread, int threads) {
  (void)thread;
  if (threads != 1) abort(); // natively one thread runs everything
}

static unsigned seed = 1;
static float draw(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(seed >> 8) / 8388608.0f - 1.0f;
}
/** An own block of exactly `count` floats: one past its end is the sanitizer's. */
static float *floats(long count) {
  float *p = malloc((size_t)(count > 0 ? count : 1) * sizeof(float));
  for (long i = 0; i < count; i++) p[i] = draw();
  return p;
}
static int *ints(long count, int below) {
  int *p = malloc((size_t)count * sizeof(int));
  for (long i = 0; i < count; i++) p[i] = (int)((draw() + 1) * 0.5f * (float)below) % below;
  return p;
}
#define A(p) ((W)(p))
static W word(float f) { return floatAsBits(f); }
#define CALL(kernel, ...)                    \
  do {                                       \
    W words_[] = {__VA_ARGS__};              \
    W *copy_ = malloc(sizeof words_);        \
    memcpy(copy_, words_, sizeof words_);    \
    kernel(copy_, 0, 1);                     \
    free(copy_);                             \
  } while (0)

static int failures = 0;
static void expectNear(const char *what, double got, double want, double bound) {
  if (fabs(got - want) <= bound) return;
  printf("%s: got %.9g, want %.9g, bound %.3g\n", what, got, want, bound);
  failures++;
}

static void testGemm(long m, long n, long k) {
  for (int form = 0; form < 4; form++) {
    float *a = floats(m * k), *b = floats(k * n), *bias = floats(n), *c = floats(m * n);
    long ar = form & 1 ? 1 : k, ac = form & 1 ? m : 1, br = form & 2 ? 1 : n, bc = form & 2 ? k : 1;
    CALL(gemm, A(a), A(b), A(c), A(bias), m, n, k, ar, ac, br, bc, n, 0, 1, 0, 0, 0, 0);
    for (long i = 0; i < m; i++)
      for (long j = 0; j < n; j++) {
        double sum = bias[j];
        for (long q = 0; q < k; q++) sum += (double)a[i * ar + q * ac] * b[q * br + j * bc];
        expectNear("gemm", c[i * n + j], sum, 1e-6 * (double)(k + 1));
      }
    free(a), free(b), free(bias), free(c);
  }
}

static void testScan(long b, long l, long d, long n, long g) {
  float *u = floats(b * l * d), *delta = floats(b * l * d), *Am = floats(d * n), *B = floats(b * l * g * n), *C = floats(b * l * g * n), *D = floats(d), *z = floats(b * l * d), *bias = floats(d);
  float *h0 = floats(b * d * n), *y = floats(b * l * d), *last = floats(b * d * n);
  int *seq = ints(b * l, 2);
  for (long i = 0; i < d * n; i++) Am[i] = -fabsf(Am[i]) - 0.1f;
  CALL(selectiveScan, A(y), A(last), A(u), A(delta), A(Am), A(B), A(C), A(D), A(z), A(bias), A(h0), A(seq), b, l, d, n, g, 1);
  for (long i = 0; i < b; i++)
    for (long c = 0; c < d; c++) {
      double h[64];
      for (long j = 0; j < n; j++) h[j] = h0[(i * d + c) * n + j];
      for (long t = 0; t < l; t++) {
        long at = (i * l + t) * d + c;
        double dt = log1p(exp((double)delta[at] + bias[c])), sum = 0;
        for (long j = 0; j < n; j++) {
          long bc = ((i * l + t) * g + c / (d / g)) * n + j;
          if (t > 0 && seq[i * l + t] != seq[i * l + t - 1]) h[j] = 0;
          h[j] = exp(dt * Am[c * n + j]) * h[j] + dt * B[bc] * u[at];
          sum += h[j] * C[bc];
        }
        sum = (sum + (double)D[c] * u[at]) * z[at] / (1 + exp(-(double)z[at]));
        expectNear("scan", y[at], sum, 2e-5);
      }
      for (long j = 0; j < n; j++) expectNear("last state", last[(i * d + c) * n + j], h[j], 2e-5);
    }
  long perThread = 2 * b * l * g * n + 32 * (4 + (l + 15) / 16) * n * 16;
  float *workspace = floats(perThread), *dY = floats(b * l * d), *dLast = floats(b * d * n);
  float *out[] = {floats(b * l * d), floats(b * l * d), floats(d * n), floats(b * l * g * n), floats(b * l * g * n), floats(d), floats(b * l * d), floats(d), floats(b * d * n)};
  CALL(selectiveScanGrad, A(u), A(delta), A(Am), A(B), A(C), A(D), A(z), A(bias), A(h0), A(seq), b, l, d, n, g, 1, A(dY), A(dLast), A(workspace), perThread,
       A(out[0]), A(out[1]), A(out[2]), A(out[3]), A(out[4]), A(out[5]), A(out[6]), A(out[7]), A(out[8]));
  double dD = 0;
  for (long i = 0; i < b * l; i++) dD += (double)dY[i * d] * u[i * d] * z[i * d] / (1 + exp(-(double)z[i * d]));
  expectNear("dD", out[5][0], dD, 1e-4);
  for (int i = 0; i < 9; i++) free(out[i]);
  float *state = floats(b * d * n), *step = floats(b * d);
  CALL(selectiveScanStep, A(state), A(step), A(u), A(delta), A(Am), A(B), A(C), A(D), A(z), A(bias), b, d, n, g, 1);
  free(u), free(delta), free(Am), free(B), free(C), free(D), free(z), free(bias), free(h0), free(y), free(last), free(seq), free(workspace), free(dY), free(dLast), free(state), free(step);
}

static void testConv(long b, long l, long d, long k) {
  float *x = floats(b * l * d), *w = floats(d * k), *bias = floats(d), *h0 = floats(b * (k - 1) * d), *y = floats(b * l * d), *dY = floats(b * l * d), *dLast = floats(b * (k - 1) * d);
  float *dx = floats(b * l * d), *dw = floats(d * k), *db = floats(d), *dh = floats(b * (k - 1) * d), *last = floats(b * (k - 1) * d), *step = floats(b * d);
  int *seq = ints(b * l, 2);
  for (int packed = 0; packed < 2; packed++) {
    W s = packed ? A(seq) : 0;
    CALL(causalConv1d, A(y), A(x), A(w), A(bias), A(h0), s, b, l, d, k, 1);
    CALL(causalConv1dState, A(last), A(x), A(h0), s, b, l, d, k);
    CALL(causalConv1dGrad, A(dx), A(dw), A(db), A(dh), A(dY), A(dLast), A(x), A(w), A(bias), A(h0), s, b, l, d, k, 1);
  }
  CALL(causalConv1d, A(y), A(x), A(w), A(bias), A(h0), 0, b, l, d, k, 0);
  for (long c = 0; c < d; c++) {
    double sum = bias[c];
    for (long j = 0; j < k; j++) {
      long t = l - k + j;
      sum += (double)w[c * k + j] * (t >= 0 ? x[t * d + c] : h0[(k - 1 + t) * d + c]);
    }
    expectNear("conv", y[(l - 1) * d + c], sum, 1e-5);
  }
  CALL(causalConv1dStep, A(step), A(x), A(h0), A(w), A(bias), b, d, k, 1);
  free(x), free(w), free(bias), free(h0), free(y), free(dY), free(dLast), free(dx), free(dw), free(db), free(dh), free(last), free(step), free(seq);
}

static void testRows(long rows, long d) {
  float *x = floats(rows * d), *w = floats(d), *z = floats(rows * d), *y = floats(rows * d), *dY = floats(rows * d), *dx = floats(rows * d), *dw = floats(d), *dz = floats(rows * d), *losses = floats(rows);
  int *targets = ints(rows, (int)d), *best = ints(rows, 2);
  CALL(rmsNorm, A(y), A(x), A(w), A(z), rows, d, d, word(1e-5f), 1);
  CALL(rmsNormGrad, A(dx), A(dw), A(dz), A(dY), A(x), A(w), A(z), rows, d, d, word(1e-5f), 0);
  CALL(layerNorm, A(y), A(x), A(w), A(w), rows, d, word(1e-5f));
  CALL(layerNormGrad, A(dx), A(dw), A(dw), A(dY), A(x), A(w), rows, d, word(1e-5f));
  CALL(softmax, A(y), A(x), rows, d);
  double total = 0;
  for (long i = 0; i < d; i++) total += y[i];
  expectNear("softmax", total, 1, 1e-5);
  CALL(crossEntropy, A(losses), A(x), A(targets), rows, d, -100);
  CALL(crossEntropyGrad, A(dx), A(x), A(targets), A(losses), rows, d, -100);
  CALL(unarySoftplus, A(y), A(x), rows * d);
  CALL(unaryGelu, A(y), A(x), rows * d);
  CALL(unarySin, A(y), A(x), rows * d);
  CALL(castFloatToInt, A(y), A(x), rows * d);
  CALL(binaryAdd, A(y), A(x), A(w), 2, rows, d, d, 1, 0, 1);
  CALL(binaryPow, A(y), A(x), A(w), 2, rows, d, d, 1, 0, 1);
  CALL(binaryDivInt, A(y), A(targets), A(targets), 1, rows, 1, 1);
  CALL(sumWhole, A(losses), A(x), rows * d);
  CALL(sumAxis, A(w), A(x), 1, rows, d);
  CALL(sumAxis, A(losses), A(x), rows, d, 1);
  CALL(argMax, A(best), A(x), rows, d, 1, 0);
  CALL(cumsum, A(y), A(x), rows, d, 1, 1, 1);
  CALL(gather, A(dx), A(x), A(best), rows, d, 1, 1);
  CALL(segmentSum, A(y), A(x), A(best), rows, d, rows);
  CALL(stridedCopy, A(y), A(x), 2, rows, d, 1, rows, d, 1);
  expectNear("transpose", y[rows > 1 ? 1 : 0], x[rows > 1 ? d : 0], 0);
  CALL(adamW, A(x), A(y), A(z), A(dY), A(floats(8)), 0, rows * d);
  CALL(fill, A(y), 7, rows * d);
  free(x), free(w), free(z), free(y), free(dY), free(dx), free(dw), free(dz), free(losses), free(targets), free(best);
}

static void testPacked(long m, long n, long k, int format) {
  long bytes = format == FORMAT_Q8 ? (n + 3) / 4 * (k / BLOCK) * Q8_BYTES : format == FORMAT_Q4 ? (n + 3) / 4 * (k / BLOCK) * Q4_BYTES : n * k * 2;
  unsigned char *weight = malloc((size_t)bytes);
  for (long i = 0; i < bytes; i++) weight[i] = (unsigned char)(i * 37 % 61); // halves stay finite
  float *x = floats(m * k), *y = floats(m * n), *bias = floats(n), *row = floats(k), *long_ = floats(20 * k), *product = floats(20 * n);
  int *ids = ints(3, (int)n);
  CALL(linearPacked, A(y), A(x), A(weight), A(bias), m, n, k, format);
  CALL(gemm, A(long_), A(weight), A(product), A(bias), 20, n, k, k, 1, 1, k, n, 0, 1, 0, 0, 0, format);
  unpackRow(row, weight, format, k, n - 1, 0, k);
  double sum = bias[n - 1];
  for (long i = 0; i < k; i++) sum += (double)row[i] * long_[i];
  expectNear("packed gemm", product[n - 1], sum, 1e-4 * (1 + fabs(sum)));
  float *rows = floats(3 * k);
  CALL(embeddingPacked, A(rows), A(weight), A(ids), 3, k, format);
  free(weight), free(x), free(y), free(bias), free(row), free(long_), free(product), free(rows), free(ids);
}

static void testMatrixState(long b, long l, long h, long p, long g, long n) {
  float *x = floats(b * l * h * p), *dt = floats(b * l * h), *Am = floats(h), *B = floats(b * l * g * n), *C = floats(b * l * g * n), *D = floats(h), *z = floats(b * l * h * p), *h0 = floats(b * h * p * n);
  float *y = floats(b * l * h * p), *last = floats(b * h * p * n);
  int *seq = ints(b * l, 2);
  long pad = (n + 3) / 4 * 4, work = 2 * 16 * 2 * (p + pad) + 19 * p * pad, back = 2 * b * l * g * n + work + (l + 15) / 16 * p * pad;
  float *w = floats(work), *wBack = floats(back);
  CALL(ssdScan, A(y), A(last), A(w), work, A(x), A(dt), A(Am), A(B), A(C), A(D), A(z), 0, A(h0), A(seq), b, l, h, p, g, n, 1, word(0), word(1e30f), 0);
  float *out[] = {floats(b * l * h * p), floats(b * l * h), floats(h), floats(b * l * g * n), floats(b * l * g * n), floats(h), floats(b * l * h * p), floats(b * h * p * n)};
  CALL(ssdScanGrad, A(out[0]), A(out[1]), A(out[2]), A(out[3]), A(out[4]), A(out[5]), A(out[6]), 0, A(out[7]), A(y), A(last), A(wBack), back, A(x), A(dt), A(Am), A(B), A(C), A(D), A(z), 0, A(h0), A(seq), b, l, h, p, g, n, 1,
       word(0), word(1e30f), 0);
  for (int i = 0; i < 8; i++) free(out[i]);
  free(x), free(dt), free(Am), free(B), free(C), free(D), free(z), free(h0), free(y), free(last), free(seq), free(w), free(wBack);
}

int main(void) {
  scratch = aligned_alloc(64, SCRATCH_BYTES);
  const long sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {4, 12, 16}, {5, 13, 257}, {130, 25, 33}, {9, 800, 3}};
  for (int i = 0; i < 6; i++) testGemm(sizes[i][0], sizes[i][1], sizes[i][2]);
  testScan(2, 35, 18, 5, 1);
  testScan(1, 1, 1, 1, 1);
  testScan(1, 65, 36, 16, 2);
  testScan(2, 17, 520, 4, 1);
  testConv(2, 9, 5, 4);
  testConv(1, 2, 70, 4);
  testConv(1, 150, 64, 4);
  testConv(2, 7, 130, 3);
  testRows(3, 7);
  testRows(1, 1);
  testRows(6, 64);
  for (int format = FORMAT_F16; format <= FORMAT_Q4; format++) testPacked(3, 37, 288, format);
  testMatrixState(2, 18, 4, 5, 2, 7);
  testMatrixState(1, 1, 1, 1, 1, 1);
  if (failures == 0) printf("native kernels: ok\n");
  return failures > 0;
}
