// Selective scan forward (Mamba, Gu & Dao 2023, section 3.3): discretization, recurrence, C, skip and gate in one pass.
#include "scan.h"

enum { STEP_STREAMS = 4 };

#define DECAY(i)                                                                 \
  ({                                                                             \
    F4 a_ = load4(An + 4 * i), t_, r_, p_;                                       \
    if (inRange) {                                                               \
      t_ = madd(d##i, a_, magic);                                                \
      r_ = madd(d##i, a_, magic - t_);                                           \
      p_ = madd(k6, r_, k5);                                                     \
      p_ = madd(p_, r_, k4);                                                     \
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
  F4 magic = K(MAGIC), k0 = K(POWER0), k1 = K(POWER1), k2 = K(POWER2), k3 = K(POWER3), k4 = K(POWER4), k5 = K(POWER5), k6 = K(POWER6);
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

/** The coefficients of exp2Fast in registers: states are written in between, and could be where those lie for all a compiler knows. */
typedef struct {
  F4 magic, k0, k1, k2, k3, k4, k5, k6;
} Exp2Terms;
INLINE F4 exp2By(const Exp2Terms *p, F4 d, F4 a) {
  F4 t = madd(d, a, p->magic), r = madd(d, a, p->magic - t);
  F4 q = madd(p->k6, r, p->k5);
  q = madd(q, r, p->k4);
  q = madd(q, r, p->k3);
  q = madd(q, r, p->k2);
  q = madd(q, r, p->k1);
  q = madd(q, r, p->k0);
  return (F4)((U4)q + ((U4)t << 23));
}
/** Four states a step on: decay, update, and their part of C . state. */
INLINE F4 stepStates(F4 decay, float *h, const float *B, const float *C, F4 x, F4 sum) {
  F4 next = madd(decay, load4(h), x * load4(B));
  store4(h, next);
  return madd(next, load4(C), sum);
}
/** One channel's states one step on, lanes over n; lanes of C . state. */
INLINE F4 stepChannel(const int inRange, const Exp2Terms *p, float *h, const float *A, const float *B, const float *C, long n, F4 d, F4 x) {
  F4 sum = splat(0);
  long j = 0;
  for (; inRange && j + 16 <= n; j += 16)
#pragma clang loop unroll(full)
    for (long i = j; i < j + 16; i += 4) sum = stepStates(exp2By(p, d, load4(A + i)), h + i, B + i, C + i, x, sum);
  for (; j + 4 <= n; j += 4) sum = stepStates(inRange ? exp2By(p, d, load4(A + j)) : exp2Any(d * load4(A + j)), h + j, B + j, C + j, x, sum);
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
/** `count` (1 to 4) channels of one group, and the largest |A| of each; a NaN is the largest. */
typedef struct {
  long first, count, group;
  F4 largestA;
} Channels;
static Channels channelsAt(const ScanStep *s, long first, long count) {
  I4 most[4] = {};
  for (long k = 0; k < count; k++) {
    const float *A = s->A + (first + k) * s->n;
    for (long j = 0; j < s->n; j += 4) most[k] = maxInt4(most[k], (I4)abs4(loadPart(A + j, s->n - j)));
  }
  F4 a = (F4)most[0], b = (F4)most[1], c = (F4)most[2], d = (F4)most[3];
  transpose4(&a, &b, &c, &d);
  return (Channels){first, count, first / (s->d / s->g), (F4)maxInt4(maxInt4((I4)a, (I4)b), maxInt4((I4)c, (I4)d))};
}

INLINE void stepRowIn(const int inRange, const ScanStep *s, const Channels *c, long row, const float *dts, const float *dus, F4 *sums) {
  const long n = s->n, at = (row * s->g + c->group) * n;
  const Exp2Terms p = {K(MAGIC), K(POWER0), K(POWER1), K(POWER2), K(POWER3), K(POWER4), K(POWER5), K(POWER6)};
  float *h = s->state + (row * s->d + c->first) * n;
  const float *A = s->A + c->first * n;
  for (long k = 0; k < c->count; k++, h += n, A += n) sums[k] = stepChannel(inRange, &p, h, A, s->B + at, s->C + at, n, splat(dts[k]), splat(dus[k]));
}
static __attribute__((noinline)) void stepRowAnyRange(const ScanStep *s, const Channels *c, long row, const float *dts, const float *dus, F4 *sums) {
  stepRowIn(0, s, c, row, dts, dus, sums);
}
/** The channels of one row a step on. */
static void stepRow(const ScanStep *s, const Channels *c, long row) {
  const long i = row * s->d + c->first, count = c->count;
  F4 raw = loadPart(s->delta + i, count), u = loadPart(s->u + i, count), gate = s->z ? silu4(loadPart(s->z + i, count)) : splat(1.0f);
  if (s->deltaBias) raw += loadPart(s->deltaBias + c->first, count);
  F4 dt = s->deltaSoftplus ? softplus4(raw) : raw, dtLog = dt * K(TO_LOG2), sums[4] = {};
  float dts[4], dus[4];
  store4(dts, dtLog);
  store4(dus, dt * u);
  if (anyTrue(~(abs4(dtLog) * c->largestA <= splat(126.0f)))) stepRowAnyRange(s, c, row, dts, dus, sums);
  else stepRowIn(1, s, c, row, dts, dus, sums);
  F4 y = sumEach(sums[0], sums[1], sums[2], sums[3]);
  if (s->D) y += loadPart(s->D + c->first, count) * u;
  storePart(s->y + i, y * gate, count);
}

/**
 * One step, lanes over n. Four channels at a time where they divide so, else one: what they have in common would cost as much as
 * their states. All rows of a channel one after the other: A is read once. States come from memory, since a model's weights pass
 * between two steps: several stretches in turn, as in integers.c, which rows are by themselves.
 */
KERNEL(selectiveScanStep, ScanStep s) {
  long block = s.d / s.g % 4 == 0 ? 4 : 1, streams = maxLong(1, STEP_STREAMS / maxLong(1, s.b));
  Span items = share(s.d / block, 1, thread, threads);
  long stretch = (items.hi - items.lo + streams - 1) / streams;
  for (long i = items.lo; i < items.lo + stretch; i++)
    for (long at = i; at < items.hi; at += stretch) {
      Channels c = channelsAt(&s, at * block, block);
      for (long row = 0; row < s.b; row++) stepRow(&s, &c, row);
    }
}
