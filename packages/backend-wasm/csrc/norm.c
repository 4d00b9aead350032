// Norms over the last axis, forward and backward. A row's sums are taken in float over lanes (d is some thousands at most).
#include "vmath.h"

typedef struct { F4 value, slope; } Gate;
/** silu and its derivative. */
INLINE Gate siluGate(F4 z) {
  F4 s = sigmoid4(z);
  Gate g = {z * s, s * madd(z, splat(1.0f) - s, splat(1.0f))};
  return g;
}
/** Adds the per-thread rows of `width` floats at the start of each scratch, into out; all threads take part. */
static void addPartials(float *out, long offset, long width, int thread, int threads) {
  Span s = share(width, 16, thread, threads);
  for (long i = s.lo; i < s.hi; i++) {
    float sum = 0;
    for (int k = 0; k < threads; k++) sum += ((float *)scratchOf(k))[offset + i];
    out[i] = sum;
  }
}

typedef struct {
  In x;
  MaybeIn weight, z;
  long rows, d, size; /* size: of a group */
  float eps;
  Flag gateLast;
} Rms;
INLINE F4 gatedX(const Rms *n, long at, long count) {
  F4 x = loadPart(n->x + at, count);
  return n->z && !n->gateLast ? x * silu4(loadPart(n->z + at, count)) : x;
}
INLINE float inverseRms(const Rms *n, long from) {
  F4 sum = splat(0);
  for (long i = 0; i < n->size; i += 4) {
    F4 v = gatedX(n, from + i, n->size - i);
    sum = madd(v, v, sum);
  }
  return 1.0f / sqrt1(sum4(sum) / (float)n->size + n->eps);
}

KERNEL(rmsNorm, Out y, Rms n) {
  Span s = share(n.rows, 1, thread, threads);
  for (long from = s.lo * n.d; from < s.hi * n.d; from += n.size) {
    F4 scale = splat(inverseRms(&n, from));
    for (long i = 0; i < n.size; i += 4) {
      long count = n.size - i;
      F4 v = gatedX(&n, from + i, count) * scale;
      if (n.weight) v = v * loadPart(n.weight + (from + i) % n.d, count);
      if (n.z && n.gateLast) v = v * silu4(loadPart(n.z + from + i, count));
      storePart(y + from + i, v, count);
    }
  }
}

static void rmsGroupBack(const Rms *n, const float *dY, long from, float *dx, float *dz, float *dWeight) {
  float inverse = inverseRms(n, from);
  F4 r = splat(inverse), dot = splat(0);
  for (long i = 0; i < n->size; i += 4) {
    long count = n->size - i, at = from + i;
    F4 v = gatedX(n, at, count) * r, dy = loadPart(dY + at, count), w = n->weight ? loadPart(n->weight + at % n->d, count) : splat(1.0f);
    if (n->z && n->gateLast) {
      Gate g = siluGate(loadPart(n->z + at, count));
      storePart(dz + at, dy * w * v * g.slope, count);
      dy = dy * g.value;
    }
    if (dWeight) storePart(dWeight + at % n->d, madd(dy, v, loadPart(dWeight + at % n->d, count)), count);
    dot = madd(dy * w, v, dot);
  }
  F4 mean = splat(sum4(dot) / (float)n->size);
  for (long i = 0; i < n->size; i += 4) {
    long count = n->size - i, at = from + i;
    F4 v = gatedX(n, at, count) * r, dy = loadPart(dY + at, count), w = n->weight ? loadPart(n->weight + at % n->d, count) : splat(1.0f);
    if (n->z && n->gateLast) dy = dy * silu4(loadPart(n->z + at, count));
    F4 dv = r * nmadd(v, mean, dy * w);
    if (n->z && !n->gateLast) {
      Gate g = siluGate(loadPart(n->z + at, count));
      storePart(dz + at, dv * loadPart(n->x + at, count) * g.slope, count);
      dv = dv * g.value;
    }
    storePart(dx + at, dv, count);
  }
}
KERNEL(rmsNormGrad, Out dx, MaybeOut dWeight, MaybeOut dz, In dY, Rms n) {
  float *partial = n.weight ? (float *)scratchOf(thread) : 0;
  if (partial) memset(partial, 0, (UW)n.d * sizeof(float));
  Span s = share(n.rows, 1, thread, threads);
  for (long from = s.lo * n.d; from < s.hi * n.d; from += n.size) rmsGroupBack(&n, dY, from, dx, dz, partial);
  if (!partial) return;
  barrier(thread, threads);
  addPartials(dWeight, 0, n.d, thread, threads);
  barrier(thread, threads);
}

typedef struct { float mean, inverse; } Moments;
INLINE Moments momentsOf(const float *p, long d, float eps) {
  F4 sum = splat(0), squares = splat(0);
  for (long i = 0; i < d; i += 4) sum += loadPart(p + i, d - i);
  Moments m = {sum4(sum) / (float)d, 0};
  for (long i = 0; i < d; i += 4) {
    F4 v = keepLanes(loadPart(p + i, d - i) - splat(m.mean), d - i);
    squares = madd(v, v, squares);
  }
  m.inverse = 1.0f / sqrt1(sum4(squares) / (float)d + eps);
  return m;
}
KERNEL(layerNorm, Out y, In x, MaybeIn weight, MaybeIn bias, long rows, long d, float eps) {
  Span s = share(rows, 1, thread, threads);
  for (long row = s.lo; row < s.hi; row++) {
    const float *in = x + row * d;
    float *out = y + row * d;
    Moments m = momentsOf(in, d, eps);
    for (long i = 0; i < d; i += 4) {
      F4 v = (loadPart(in + i, d - i) - splat(m.mean)) * splat(m.inverse);
      if (weight) v = v * loadPart(weight + i, d - i);
      if (bias) v = v + loadPart(bias + i, d - i);
      storePart(out + i, v, d - i);
    }
  }
}
KERNEL(layerNormGrad, Out dx, MaybeOut dWeight, MaybeOut dBias, In dY, In x, MaybeIn weight, long rows, long d, float eps) {
  float *partWeight = (float *)scratchOf(thread), *partBias = partWeight + d;
  memset(partWeight, 0, (UW)(2 * d) * sizeof(float));
  Span s = share(rows, 1, thread, threads);
  for (long row = s.lo; row < s.hi; row++) {
    const float *in = x + row * d, *upstream = dY + row * d;
    float *out = dx + row * d;
    Moments m = momentsOf(in, d, eps);
    F4 sum = splat(0), dot = splat(0), mean = splat(m.mean), r = splat(m.inverse);
    for (long i = 0; i < d; i += 4) {
      long count = d - i;
      F4 v = (loadPart(in + i, count) - mean) * r, dy = loadPart(upstream + i, count);
      storePart(partWeight + i, madd(dy, v, loadPart(partWeight + i, count)), count);
      storePart(partBias + i, loadPart(partBias + i, count) + dy, count);
      if (weight) dy = dy * loadPart(weight + i, count);
      sum += dy;
      dot = madd(dy, v, dot);
    }
    F4 s0 = splat(sum4(sum) / (float)d), s1 = splat(sum4(dot) / (float)d);
    for (long i = 0; i < d; i += 4) {
      long count = d - i;
      F4 v = (loadPart(in + i, count) - mean) * r, dy = loadPart(upstream + i, count);
      if (weight) dy = dy * loadPart(weight + i, count);
      storePart(out + i, r * (nmadd(v, s1, dy) - s0), count);
    }
  }
  barrier(thread, threads);
  if (dWeight) addPartials(dWeight, 0, d, thread, threads);
  if (dBias) addPartials(dBias, d, d, thread, threads);
  barrier(thread, threads);
}
