// Runs kernels natively, under address and undefined-behaviour sanitizers, on shapes whose rows end in the middle of a vector and on
// buffers of exactly the size the kernels may touch. Values are compared with plain loops in double.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rt.h"
#include "packed.h"

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
/** One thread runs the whole kernel. */
#define CALL(kernel, ...) kernel(0, 1, __VA_ARGS__)

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
    CALL(gemm, a, (Packed)b, c, bias, m, n, k, ar, ac, br, bc, 1, 0, 0, FORMAT_F32);
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
  Scan s = {u, delta, Am, B, C, D, z, bias, h0, seq, b, l, d, n, g, 1};
  CALL(selectiveScan, y, last, s);
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
  long perThread = scanBackFloats(b, l, g, n);
  float *workspace = floats(perThread), *dY = floats(b * l * d), *dLast = floats(b * d * n);
  float *out[] = {floats(b * l * d), floats(b * l * d), floats(d * n), floats(b * l * g * n), floats(b * l * g * n), floats(d), floats(b * l * d), floats(d), floats(b * d * n)};
  ScanGradients gradients = {out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7], out[8]};
  CALL(selectiveScanGrad, s, dY, dLast, gradients, workspace, perThread);
  double dD = 0;
  for (long i = 0; i < b * l; i++) dD += (double)dY[i * d] * u[i * d] * z[i * d] / (1 + exp(-(double)z[i * d]));
  expectNear("dD", out[5][0], dD, 1e-4);
  for (int i = 0; i < 9; i++) free(out[i]);
  float *state = floats(b * d * n), *step = floats(b * d);
  CALL(selectiveScanStep, ((ScanStep){state, step, u, delta, Am, B, C, D, z, bias, b, d, n, g, 1}));
  free(u), free(delta), free(Am), free(B), free(C), free(D), free(z), free(bias), free(h0), free(y), free(last), free(seq), free(workspace), free(dY), free(dLast), free(state), free(step);
}

static void testConv(long b, long l, long d, long k) {
  float *x = floats(b * l * d), *w = floats(d * k), *bias = floats(d), *h0 = floats(b * (k - 1) * d), *y = floats(b * l * d), *dY = floats(b * l * d), *dLast = floats(b * (k - 1) * d);
  float *dx = floats(b * l * d), *dw = floats(d * k), *db = floats(d), *dh = floats(b * (k - 1) * d), *last = floats(b * (k - 1) * d), *step = floats(b * d);
  int *seq = ints(b * l, 2);
  for (int packed = 0; packed < 2; packed++) {
    Conv c = {x, w, bias, h0, packed ? seq : 0, b, l, d, k, 1};
    CALL(causalConv1d, y, c);
    CALL(causalConv1dState, last, x, h0, c.seqIdx, b, l, d, k);
    CALL(causalConv1dGrad, ((ConvGradients){dY, dLast, dx, dw, db, dh}), c);
  }
  CALL(causalConv1d, y, ((Conv){x, w, bias, h0, 0, b, l, d, k, 0}));
  for (long c = 0; c < d; c++) {
    double sum = bias[c];
    for (long j = 0; j < k; j++) {
      long t = l - k + j;
      sum += (double)w[c * k + j] * (t >= 0 ? x[t * d + c] : h0[(k - 1 + t) * d + c]);
    }
    expectNear("conv", y[(l - 1) * d + c], sum, 1e-5);
  }
  CALL(causalConv1dStep, step, x, h0, w, bias, b, d, k, 1);
  free(x), free(w), free(bias), free(h0), free(y), free(dY), free(dLast), free(dx), free(dw), free(db), free(dh), free(last), free(step), free(seq);
}

static void testRows(long rows, long d) {
  float *x = floats(rows * d), *w = floats(d), *z = floats(rows * d), *y = floats(rows * d), *dY = floats(rows * d), *dx = floats(rows * d), *dw = floats(d), *dz = floats(rows * d), *losses = floats(rows);
  int *targets = ints(rows, (int)d), *best = ints(rows, 2);
  CALL(rmsNorm, y, ((Rms){x, w, z, rows, d, d, 1e-5f, 1}));
  CALL(rmsNormGrad, dx, dw, dz, dY, ((Rms){x, w, z, rows, d, d, 1e-5f, 0}));
  CALL(layerNorm, y, x, w, w, rows, d, 1e-5f);
  CALL(layerNormGrad, dx, dw, dw, dY, x, w, rows, d, 1e-5f);
  CALL(softmax, y, x, rows, d);
  double total = 0;
  for (long i = 0; i < d; i++) total += y[i];
  expectNear("softmax", total, 1, 1e-5);
  CALL(crossEntropy, losses, x, targets, rows, d, -100);
  CALL(crossEntropyGrad, dx, x, targets, losses, rows, d, -100);
  CALL(unarySoftplus, y, x, rows * d);
  CALL(unaryGelu, y, x, rows * d);
  CALL(unarySin, y, x, rows * d);
  CALL(castFloatToInt, (int *)y, x, rows * d);
  const W axes[] = {rows, d, d, 1, 0, 1}, line[] = {rows, 1, 1}, turned[] = {rows, d, 1, rows, d, 1};
  CALL(binaryAdd, (int *)y, (int *)x, (int *)w, 2, axes);
  CALL(binaryPow, (int *)y, (int *)x, (int *)w, 2, axes);
  CALL(binaryDivInt, (int *)y, targets, targets, 1, line);
  CALL(sumWhole, losses, x, rows * d);
  CALL(sumAxis, w, x, 1, rows, d);
  CALL(sumAxis, losses, x, rows, d, 1);
  CALL(argMax, best, (int *)x, rows, d, 1, 0);
  CALL(cumsum, y, x, rows, d, 1, 1, 1, 0);
  CALL(gather, (int *)dx, (int *)x, best, rows, d, 1, 1, 0);
  CALL(segmentSum, y, x, best, rows, d, rows, 0);
  CALL(stridedCopy, (int *)y, (int *)x, 0, 0, 2, turned);
  expectNear("transpose", y[rows > 1 ? 1 : 0], x[rows > 1 ? d : 0], 0);
  CALL(adamW, x, y, z, dY, floats(8), 0, rows * d);
  CALL(fill, y, 7, rows * d);
  free(x), free(w), free(z), free(y), free(dY), free(dx), free(dw), free(dz), free(losses), free(targets), free(best);
}

static void testPacked(long m, long n, long k, int format) {
  long bytes = format == FORMAT_Q8 ? (n + 3) / 4 * (k / BLOCK) * Q8_BYTES : format == FORMAT_Q4 ? (n + 3) / 4 * (k / BLOCK) * Q4_BYTES : n * k * 2;
  unsigned char *weight = malloc((size_t)bytes);
  for (long i = 0; i < bytes; i++) weight[i] = (unsigned char)(i * 37 % 61); // halves stay finite
  float *x = floats(m * k), *y = floats(m * n), *bias = floats(n), *row = floats(k), *long_ = floats(20 * k), *product = floats(20 * n);
  int *ids = ints(3, (int)n);
  CALL(linearPacked, y, x, weight, bias, m, n, k, format);
  CALL(gemm, long_, weight, product, bias, 20, n, k, k, 1, 1, k, 1, 0, 0, format);
  unpackRow(row, weight, format, k, n - 1, 0, k);
  double sum = bias[n - 1];
  for (long i = 0; i < k; i++) sum += (double)row[i] * long_[i];
  expectNear("packed gemm", product[n - 1], sum, 1e-4 * (1 + fabs(sum)));
  if (format == FORMAT_Q8 || format == FORMAT_Q4) {
    float *dx = floats(m * k);
    CALL(linearTurned, dx, y, weight, m, n, k, format);
    double exact = 0, most = 0, top = 0, all = 0, total = 0;
    for (long o = 0; o < n; o++) {
      const double dy = y[(m - 1) * n + o];
      unpackRow(row, weight, format, k, o, 0, k);
      exact += dy * row[k - 1], all += fabs(dy), total += fabs(row[k - 1]);
      most = fmax(most, fabs(row[k - 1])), top = fmax(top, fabs(dy));
    }
    expectNear("turned product", dx[m * k - 1], exact, (top * total + most * all) / 200);
    free(dx);
  }
  float *rows = floats(3 * k);
  ids[0] = -1, ids[1] = (int)n; // none of the table
  CALL(embeddingPacked, rows, weight, ids, 3, n, k, format);
  expectNear("rows of no id are not numbers", isnan(rows[0]) && isnan(rows[k]) && isnan(rows[k - 1]) && !isnan(rows[2 * k]), 1, 0);
  free(weight), free(x), free(y), free(bias), free(row), free(long_), free(product), free(rows), free(ids);
}

static void testMatrixState(long b, long l, long h, long p, long g, long n) {
  float *x = floats(b * l * h * p), *dt = floats(b * l * h), *Am = floats(h), *B = floats(b * l * g * n), *C = floats(b * l * g * n), *D = floats(h), *z = floats(b * l * h * p), *h0 = floats(b * h * p * n);
  float *y = floats(b * l * h * p), *last = floats(b * h * p * n);
  int *seq = ints(b * l, 2);
  long work = outerFloats(p, n, 1, 1), back = ssdBackFloats(b, l, p, g, n);
  float *w = floats(work), *wBack = floats(back);
  Ssd s = {x, dt, Am, B, C, D, z, 0, h0, seq, b, l, h, p, g, n, 1, 0, 1e30f, 0};
  CALL(ssdScan, y, last, s, w);
  float *out[] = {floats(b * l * h * p), floats(b * l * h), floats(h), floats(b * l * g * n), floats(b * l * g * n), floats(h), floats(b * l * h * p), floats(b * h * p * n)};
  SsdGradients gradients = {out[0], out[1], out[2], out[3], out[4], out[5], out[6], 0, out[7]};
  CALL(ssdScanGrad, gradients, y, last, s, wBack);
  for (int i = 0; i < 8; i++) free(out[i]);
  free(x), free(dt), free(Am), free(B), free(C), free(D), free(z), free(h0), free(y), free(last), free(seq), free(w), free(wBack);
}

static void testDelta(long b, long l, long h, long n, long p, int wide) {
  float *q = floats(b * l * h * n), *k = floats(b * l * h * n), *v = floats(b * l * h * p), *g = floats(b * l * h * (wide ? n : 1)), *beta = floats(b * l * h), *h0 = floats(b * h * n * p);
  float *y = floats(b * l * h * p), *last = floats(b * h * n * p), *w = floats(deltaFloats(n, p)), *wBack = floats(deltaBackFloats(l, n, p));
  int *seq = ints(b * l, 2);
  for (long i = 0; i < b * l * h * (wide ? n : 1); i++) g[i] = -fabsf(g[i]);
  Delta s = {q, k, v, g, beta, h0, seq, b, l, h, n, p, wide, 1, 1e-6f, 0.5f};
  CALL(gatedDeltaRule, y, last, s, w);
  for (long i = 0; i < b * h; i++)
    for (long c = 0; c < p; c++) {
      double state[64];
      for (long e = 0; e < n; e++) state[e] = h0[(i * n + e) * p + c];
      for (long t = 0; t < l; t++) {
        long token = i / h * l + t, at = token * h + i % h;
        double qq = 1e-6, kk = 1e-6, answer = 0, out = 0;
        for (long e = 0; e < n; e++) qq += (double)q[at * n + e] * q[at * n + e], kk += (double)k[at * n + e] * k[at * n + e];
        for (long e = 0; e < n; e++) {
          if (t > 0 && seq[token] != seq[token - 1]) state[e] = 0;
          state[e] *= exp(g[wide ? at * n + e : at]);
          answer += state[e] * k[at * n + e] / sqrt(kk);
        }
        for (long e = 0; e < n; e++) {
          state[e] += k[at * n + e] / sqrt(kk) * beta[at] * (v[at * p + c] - answer);
          out += state[e] * 0.5 * q[at * n + e] / sqrt(qq);
        }
        expectNear("delta rule", y[at * p + c], out, 2e-5);
      }
      for (long e = 0; e < n; e++) expectNear("its last state", last[(i * n + e) * p + c], state[e], 2e-5);
    }
  float *out[] = {floats(b * l * h * n), floats(b * l * h * n), floats(b * l * h * p), floats(b * l * h * (wide ? n : 1)), floats(b * l * h), floats(b * h * n * p)};
  CALL(gatedDeltaRuleGrad, ((DeltaGradients){out[0], out[1], out[2], out[3], out[4], out[5]}), y, last, s, wBack);
  s.l = 1, s.initialState = 0, s.seqIdx = 0;
  CALL(gatedDeltaRuleStep, y, last, s, w);
  for (int i = 0; i < 6; i++) free(out[i]);
  free(q), free(k), free(v), free(g), free(beta), free(h0), free(y), free(last), free(seq), free(w), free(wBack);
}

/** A row's token under several settings, on a workspace of exactly the size that is told. */
static void testSample(long b, long v) {
  const float settings[][8] = {{0, 0, 1, 0, 1, 1, 0, 0}, {1.44f, 0, 1, 0, 1, 1, 0, 0}, {1.44f, 3, 0.6f, 0.1f, 1.3f, 0.77f, 0.5f, 0.2f}, {0.5f, 0, 1e-9f, 1, 1, 1, 0, 0}};
  for (int i = 0; i < 4; i++)
    for (int counted = 0; counted < 2; counted++) {
      float *logits = floats(b * v), *all = floats(8 * b), *workspace = floats(4 * v), *logprob = floats(b);
      int *ids = ints(b, 9), *random = ints(4 * b, 1 << 20), *counts = ints(b * v, 3);
      for (long row = 0; row < b; row++) memcpy(all + 8 * row, settings[i], sizeof settings[i]);
      logits[0] = -__builtin_inff();
      if (v > 1 && b > 1) logits[2 * v - 1] = __builtin_nanf("");
      CALL(sampleToken, ids, random, counted ? counts : 0, logprob, logits, all, b, v, workspace);
      for (long row = 0; row < b; row++) {
        int refused = (row == 0 && v == 1) || (row == 1 && v > 1);
        expectNear("sampled token", ids[row] < 0 || ids[row] >= v, refused, 0);
      }
      free(logits), free(all), free(workspace), free(logprob), free(ids), free(random), free(counts);
    }
}

/** A step in the middle of a cache, at its last place, and outside of it. */
static void testAttentionStep(long m, long h, long hkv, long p, long r, int halves) {
  const long b = 3, cached = b * m * hkv * p / (halves ? 2 : 1);
  float *y = floats(b * h * p), *keys = floats(cached), *values = floats(cached), *q = floats(b * h * p), *k = floats(b * hkv * p), *v = floats(b * hkv * p);
  float *rotary = floats(m * r), *visible = floats(b * m), *workspace = floats(attentionStepSpace(m, p, h / hkv));
  int position[3] = {(int)m / 2, (int)m - 1, (int)m};
  // Any bits may be no number as halves.
  if (halves) memset(keys, 0, (UW)cached * 4), memset(values, 0, (UW)cached * 4);
  AttentionStep s = {y, keys, values, position, q, k, v, rotary, visible, 0, b, m, h, hkv, p, r, 0.5f, 1, 1, halves};
  CALL(causalAttentionStep, s, workspace);
  expectNear("position", position[0] + position[1] + position[2], (double)(m / 2 + m - 1 + m + 3), 0);
  for (long c = 0; c < h * p; c++) {
    expectNear("step inside", y[c] == y[c] && y[h * p + c] == y[h * p + c], 1, 0);
    expectNear("step outside", y[2 * h * p + c] == y[2 * h * p + c], 0, 0);
  }
  free(y), free(keys), free(values), free(q), free(k), free(v), free(rotary), free(visible), free(workspace);
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
  for (int format = FORMAT_F16; format <= FORMAT_Q4; format++) {
    for (long m = 1; m <= 7; m += 2) testPacked(m, 37, 288, format);
    testPacked(70, 37, 288, format);
  }
  testMatrixState(2, 18, 4, 5, 2, 7);
  testMatrixState(1, 1, 1, 1, 1, 1);
  testDelta(2, 35, 3, 7, 21, 0);
  testDelta(1, 33, 2, 5, 18, 1);
  testDelta(1, 1, 1, 1, 1, 0);
  testSample(1, 1);
  testSample(2, 7);
  testSample(3, 301);
  testAttentionStep(5, 4, 2, 5, 4, 0);
  testAttentionStep(9, 2, 2, 8, 8, 0);
  testAttentionStep(5, 6, 2, 14, 4, 1);
  testAttentionStep(9, 3, 3, 2, 2, 1);
  if (failures == 0) printf("native kernels: ok\n");
  return failures > 0;
}
