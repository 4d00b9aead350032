// Mixtures of experts: rows of x, each by the matrices that were chosen for it. A matrix [n, k] an expert, all in one weight.
#include "gemm.h"

static long bytesOfRow(int format, long k) { return format == FORMAT_Q8 ? k / BLOCK * Q8_BYTES / 4 : k / BLOCK * Q4_BYTES / 4; }

/** Rows [m, k] of A by one expert, this thread's part. B lies as in `linearByExpert`. */
static void byOne(float *c, const float *a, const unsigned char *weight, long expert, long m, long n, long k, long rowB, long columnB, int format,
                  int thread, int threads) {
  int halves = format == FORMAT_F16 || format == FORMAT_BF16;
  if (format != FORMAT_F32 && (halves || n % 4 == 0)) {
    long bytes = halves ? 2 * k : bytesOfRow(format, k);
    multiplyPacked(c, a, weight + expert * n * bytes, 0, m, n, k, format, thread, threads);
    return;
  }
  const float *floats = (const float *)weight + (format == FORMAT_F32 ? expert * n * k : 0);
  Problem g = {{a, k, 1}, {floats, rowB, columnB}, format == FORMAT_F32 ? 0 : weight, expert * n, format, c, 0, m, n, k, n};
  multiplyPart(&g, thread, threads, scratchOf(thread));
}

/** y [count, n]: choice i of row i / s of x [.., k] by expert ids[i], one after the other; for a few of them. */
KERNEL(expertRows, Out y, In x, Packed weight, InInts ids, long count, long s, long experts, long n, long k, int format) {
  for (long i = 0; i < count; i++) {
    if (ids[i] >= 0 && ids[i] < experts) byOne(y + i * n, x + i / s * k, weight, ids[i], 1, n, k, 1, k, format, thread, threads);
    else if (thread == 0) memset(y + i * n, 0, (UW)n * sizeof(float));
  }
}

/** The choices by expert, in order: those of expert e stand in order [count] from starts[e] to starts[e + 1]; what is no expert's comes last. */
KERNEL(orderByExpert, OutInts starts, OutInts order, InInts ids, long count, long experts) {
  if (thread) return;
  memset(starts, 0, (UW)(experts + 1) * sizeof(int));
  long last = count;
  for (long i = 0; i < count; i++)
    if (ids[i] >= 0 && ids[i] < experts) starts[ids[i] + 1]++;
  for (long e = 0; e < experts; e++) starts[e + 1] += starts[e];
  // Backwards, so that each expert's count runs down to where it begins.
  for (long i = count - 1; i >= 0; i--)
    if (ids[i] >= 0 && ids[i] < experts) order[--starts[ids[i] + 1]] = (int)i;
    else order[--last] = (int)i;
  for (long e = 0; e < experts; e++) starts[e] = starts[e + 1];
  starts[experts] = (int)last;
}

/** y [count, n]: row order[i] / s of x in place i; with `back`, row i of x in place order[i], zeros for what is no expert's. */
KERNEL(moveChoices, Out y, In x, InInts order, InInts starts, long count, long s, long experts, long n, Flag back) {
  Span part = share(count, 1, thread, threads);
  for (long i = part.lo; i < part.hi; i++) {
    float *to = y + (back ? order[i] : i) * n;
    if (i < starts[experts]) memcpy(to, x + (back ? i : order[i] / s) * n, (UW)n * sizeof(float));
    else memset(to, 0, (UW)n * sizeof(float));
  }
}

/** c [count, n] = a [count, k] by expert, both in the order of the experts. B of an expert is [k, n] with those strides, n k floats from the next. */
KERNEL(linearByExpert, Out c, In a, Packed weight, InInts starts, long experts, long n, long k, long rowB, long columnB, int format) {
  for (long e = 0; e < experts; e++)
    if (starts[e + 1] > starts[e])
      byOne(c + starts[e] * n, a + starts[e] * k, weight, e, starts[e + 1] - starts[e], n, k, rowB, columnB, format, thread, threads);
}

/** c [experts, n, k]: of each the sum of its rows' products, dy [count, n] and x [count, k] in the order of the experts. */
KERNEL(outerByExpert, Out c, In dy, In x, InInts starts, long experts, long n, long k) {
  for (long e = 0; e < experts; e++) {
    Problem g = {{dy + starts[e] * n, 1, n}, {x + starts[e] * k, k, 1}, 0, 0, FORMAT_F32, c + e * n * k, 0, n, k, starts[e + 1] - starts[e], k};
    multiplyPart(&g, thread, threads, scratchOf(thread));
  }
}
