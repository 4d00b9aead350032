// Selective scan forward (Mamba, Gu & Dao 2023, section 3.3): discretization, recurrence, C, skip and gate in one pass.
#include "scan.h"

enum { STEP_STREAMS = 4 };

#define DECAY(i)                                                                 \
  ({                                                                             \
    F4 a_ = load4(An + 4 * i), t_, r_, p_;                                       \
    if (inRange) {                                                               \
      t_ = madd(d##i, a_, magic);                                                \
      r_ = madd(d##i, a_, magic - t_);                                           \
      p_ = madd(k5, r_, k4);                                                     \
      p_ = madd(p_, r_, k3);                                                     \
      p_ = madd(p_, r_, k2);                                                     \
      p_ = madd(p_, r_, k1);                                                     \
      p_ = madd(p_, r_, k0);                                                     \
      p_ = (F4)((U4)p_ + ((U4)t_ << 23));                                        \
    } else p_ = exp2Any(d##i *a_);                                               \
    p_;                                                                          \
  })
#define ADVANCE(i)                                                      \
  {                                                                     \
    F4 h_ = madd(DECAY(i), load4(hn + 4 * i), u##i * b);                \
    store4(hn + 4 * i, h_);                                             \
    y##i = madd(h_, c, y##i);                                           \
  }
/** The inner loop; the polynomial is exp2Fast's, its coefficients held in registers. */
INLINE void recur(const int inRange, float *h, const float *A, long n, const float *delta, const float *du, float *y, const float *B, const float *C, long stride, long steps) {
  F4 magic = K(MAGIC), k0 = K(POWER0), k1 = K(POWER1), k2 = K(POWER2), k3 = K(POWER3), k4 = K(POWER4), k5 = K(POWER5);
  for (; steps > 0; steps--, delta += LANES, du += LANES, y += LANES, B += stride, C += stride) {
    F4 y0 = splat(0), y1 = y0, y2 = y0, y3 = y0;
    F4 d0 = load4(delta), d1 = load4(delta + 4), d2 = load4(delta + 8), d3 = load4(delta + 12);
    F4 u0 = load4(du), u1 = load4(du + 4), u2 = load4(du + 8), u3 = load4(du + 12);
    float *hn = h;
    const float *An = A;
    for (long j = 0; j < n; j++, hn += LANES, An += LANES) {
      F4 b = splat(B[j]), c = splat(C[j]);
      ADVANCE(0) ADVANCE(1) ADVANCE(2) ADVANCE(3)
    }
    store4(y, y0);
    store4(y + 4, y1);
    store4(y + 8, y2);
    store4(y + 12, y3);
  }
}
static __attribute__((noinline)) void recurInRange(float *h, const float *A, long n, const float *delta, const float *du, float *y, const float *B, const float *C, long stride, long steps) {
  recur(1, h, A, n, delta, du, y, B, C, stride, steps);
}
static __attribute__((noinline)) void recurAnyRange(float *h, const float *A, long n, const float *delta, const float *du, float *y, const float *B, const float *C, long stride, long steps) {
  recur(0, h, A, n, delta, du, y, B, C, stride, steps);
}

void prepareSteps(const Scan *s, Tile tile, long row, long t, long steps, float *delta, float *du, float *slope) {
  float bias[LANES] = {0}, u[LANES];
  if (s->deltaBias) loadRow(bias, s->deltaBias + tile.first, tile.count);
  for (long i = 0; i < steps; i++, delta += LANES, du += LANES) {
    long at = (row * s->l + t + i) * s->d + tile.first;
    loadRow(delta, s->delta + at, tile.count);
    loadRow(u, s->u + at, tile.count);
    for (int v = 0; v < LANES; v += 4) {
      F4 x = load4(delta + v) + load4(bias + v);
      if (s->deltaSoftplus) {
        F4 e = expNegative(-abs4(x));
        if (slope) store4(slope + i * LANES + v, sigmoidFrom(x, e));
        x = softplusFrom(x, e);
      } else if (slope) store4(slope + i * LANES + v, K(ONE));
      store4(delta + v, x);
      store4(du + v, x * load4(u + v));
    }
  }
}

void advance(const Scan *s, Tile tile, long row, long t, long steps, const float *A, int inRange, float *h, const float *delta, const float *du, float *y) {
  long stride = s->g * s->n;
  for (long from = 0; from < steps;) {
    if (resetsAt(s, row, t + from)) memset(h, 0, (UW)(s->n * LANES) * sizeof(float));
    long to = steps;
    if (s->seqIdx)
      for (to = from + 1; to < steps && !resetsAt(s, row, t + to);) to++;
    long at = (row * s->l + t + from) * stride + tile.group * s->n;
    (inRange ? recurInRange : recurAnyRange)(h, A, s->n, delta + from * LANES, du + from * LANES, y + from * LANES, s->B + at, s->C + at, stride, to - from);
    from = to;
  }
}

/** y = (y + D u) silu(z), to memory. */
static void finishSteps(const Scan *s, Tile tile, long row, long t, long steps, float *y, float *out) {
  float skip[LANES] = {0}, u[LANES], z[LANES];
  if (s->D) loadRow(skip, s->D + tile.first, tile.count);
  for (long i = 0; i < steps; i++, y += LANES) {
    long at = (row * s->l + t + i) * s->d + tile.first;
    if (s->D) loadRow(u, s->u + at, tile.count);
    if (s->z) loadRow(z, s->z + at, tile.count);
    for (int v = 0; v < LANES; v += 4) {
      F4 x = load4(y + v);
      if (s->D) x = madd(load4(skip + v), load4(u + v), x);
      if (s->z) x = x * silu4(load4(z + v));
      store4(y + v, x);
    }
    storeRow(out + at, y, tile.count);
  }
}

static void scanGroup(const Scan *s, long first, long count, long row, float *out, float *lastState, float *scratch) {
  long size = s->n * LANES;
  float *A = scratch, *h = A + count * size, *delta = h + count * size, *du = delta + STEPS * LANES, *y = du + STEPS * LANES;
  float largestA[MAX_GROUP];
  for (long i = 0; i < count; i++) {
    Tile tile = tileAt(s, first + i);
    loadTransposed(A + i * size, s->A + tile.first * s->n, s->n, tile.count, LOG2E);
    largestA[i] = largest(A + i * size, size);
    if (s->initialState) loadTransposed(h + i * size, s->initialState + (row * s->d + tile.first) * s->n, s->n, tile.count, 1.0f);
    else memset(h + i * size, 0, (UW)size * sizeof(float));
  }
  Tile last = tileAt(s, first + count - 1);
  long from = tileAt(s, first).first, width = last.first + last.count - from;
  for (long t = 0; t < s->l; t += STEPS) {
    long steps = minLong(STEPS, s->l - t);
    touchRows(s, s->delta, row, t, steps, from, width);
    touchRows(s, s->u, row, t, steps, from, width);
    touchRows(s, s->z, row, t, steps, from, width);
    touchRows(s, out, row, t, steps, from, width);
    for (long i = 0; i < count; i++) {
      Tile tile = tileAt(s, first + i);
      prepareSteps(s, tile, row, t, steps, delta, du, 0);
      advance(s, tile, row, t, steps, A + i * size, staysInRange(delta, steps, largestA[i]), h + i * size, delta, du, y);
      finishSteps(s, tile, row, t, steps, y, out);
    }
  }
  if (!lastState) return;
  for (long i = 0; i < count; i++) {
    Tile tile = tileAt(s, first + i);
    storeTransposed(lastState + (row * s->d + tile.first) * s->n, h + i * size, s->n, tile.count);
  }
}

KERNEL(selectiveScan, Out y, MaybeOut lastState, Scan s) {
  long tiles = tilesOf(&s), group = groupSize(&s, 2);
  Span items = share(s.b * tiles, 1, thread, threads);
  for (long i = items.lo; i < items.hi;) {
    long count = minLong(minLong(group, items.hi - i), tiles - i % tiles);
    scanGroup(&s, i % tiles, count, i / tiles, y, lastState, scratchOf(thread));
    i += count;
  }
}

/** Four states a step on: decay, update, and their part of C . state. */
INLINE F4 stepStates(F4 decay, float *h, const float *B, const float *C, F4 x, F4 sum) {
  F4 next = madd(decay, load4(h), x * load4(B));
  store4(h, next);
  return madd(next, load4(C), sum);
}
/** Lanes that leave exp2Fast's range (or are NaN). */
INLINE I4 outOfRange(F4 exponent) { return ~(abs4(exponent) <= splat(126.0f)); }
/** One channel's states one step on, lanes over n; lanes of C . state. */
INLINE F4 stepChannel(float *h, const float *A, const float *B, const float *C, long n, float dtLog, float dx) {
  F4 sum = splat(0), d = splat(dtLog), x = splat(dx);
  long j = 0;
  for (; j + 16 <= n; j += 16) {
    F4 e0 = d * load4(A + j), e1 = d * load4(A + j + 4), e2 = d * load4(A + j + 8), e3 = d * load4(A + j + 12);
    if (anyTrue((outOfRange(e0) | outOfRange(e1)) | (outOfRange(e2) | outOfRange(e3)))) break;
    sum = stepStates(exp2Fast(e0), h + j, B + j, C + j, x, sum);
    sum = stepStates(exp2Fast(e1), h + j + 4, B + j + 4, C + j + 4, x, sum);
    sum = stepStates(exp2Fast(e2), h + j + 8, B + j + 8, C + j + 8, x, sum);
    sum = stepStates(exp2Fast(e3), h + j + 12, B + j + 12, C + j + 12, x, sum);
  }
  for (; j + 4 <= n; j += 4) sum = stepStates(exp2Any(d * load4(A + j)), h + j, B + j, C + j, x, sum);
  if (j < n) {
    F4 next = madd(exp2Any(d * loadPart(A + j, n - j)), loadPart(h + j, n - j), x * loadPart(B + j, n - j));
    storePart(h + j, next, n - j);
    sum = madd(next, loadPart(C + j, n - j), sum);
  }
  return sum;
}

typedef struct {
  InOut state;                  /* [b, d, n] */
  Out y;                        /* [b, d] */
  In u, delta, A, B, C;         /* [b, d] twice, [d, n], [b, g, n] twice */
  MaybeIn D, z, deltaBias;
  long b, d, n, g;
  Flag deltaSoftplus;
} ScanStep;
/** `count` (1 to 4) channels of one row and one group, from item i of [b, d]. */
static void stepChannels(const ScanStep *s, long i, long count) {
  long n = s->n, row = i / s->d, first = i - row * s->d, at = (row * s->g + first / (s->d / s->g)) * n;
  F4 raw = loadPart(s->delta + i, count), gate = s->z ? silu4(loadPart(s->z + i, count)) : splat(1.0f);
  if (s->deltaBias) raw += loadPart(s->deltaBias + first, count);
  F4 dt4 = s->deltaSoftplus ? softplus4(raw) : raw;
  float out[4], dts[4];
  store4(dts, dt4);
  for (long k = 0; k < count; k++) {
    long channel = first + k;
    float dt = dts[k], x = s->u[i + k];
    out[k] = sum4(stepChannel(s->state + (i + k) * n, s->A + channel * n, s->B + at, s->C + at, n, dt * LOG2E, dt * x)) + (s->D ? s->D[channel] * x : 0.0f);
  }
  storePart(s->y + i, load4(out) * gate, count);
}

/**
 * One step, lanes over n. Four channels at a time where they divide so, else one: a division a channel would cost as much as its
 * states. State and A come from memory, since a model's weights pass between two steps: four stretches in turn, as in packed.c.
 */
KERNEL(selectiveScanStep, ScanStep s) {
  long block = s.d / s.g % 4 == 0 ? 4 : 1;
  Span items = share(s.b * s.d / block, 1, thread, threads);
  long stretch = (items.hi - items.lo + STEP_STREAMS - 1) / STEP_STREAMS;
  for (long i = items.lo; i < items.lo + stretch; i++)
    for (long at = i; at < items.hi; at += stretch) stepChannels(&s, at * block, block);
}
