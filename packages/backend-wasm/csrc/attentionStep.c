// One token's attention over a cache of fixed capacity: a head of keys and the queries that share it belong to one thread.
#include "halves.h"

typedef struct {
  Out y;
  InOut keys, values;
  InOutInts position;
  In q, k, v;
  MaybeIn rotary, visible, sink;
  long b, m, h, hkv, p, r;
  float scale, softCap;
  Flag interleaved, halves; /* halves: keys and values are words of two halves */
} AttentionStep;

/** Keys at a time. */
enum { KEYS = 4 };
/** Floats that a thread needs: weights of m keys and a turned query of each of the queries that share them, and some keys or values out of halves. */
SIZE(attentionStepSpace, long m, long p, long group) { return group * (m + p) + 4 * p; }

/** to = a vector of p, its first r entries turned by the angles whose cosines, then sines, begin at `turn`. */
static void turned(float *to, const float *x, const float *turn, long r, long p, int interleaved) {
  memcpy(to, x, (UW)p * sizeof(float));
  long half = r / 2;
  for (long i = 0; i < half; i++) {
    long first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : i + half;
    float cosine = turn[i], sine = turn[half + i];
    to[first] = x[first] * cosine - x[second] * sine;
    to[second] = x[second] * cosine + x[first] * sine;
  }
}

INLINE int hiddenAt(const AttentionStep *s, long row, long j, long t) { return s->visible && j != t && s->visible[row * s->m + j] == 0; }

/** Turns dot products with the keys up to t, which lie in `weights` [m], into what each value weighs; `sink` is the head's or 0. */
INLINE void weigh(const AttentionStep *s, long row, long t, const float *sink, float *weights) {
  float top = sink ? *sink : -__builtin_inff();
  for (long j = 0; j <= t; j++) {
    float score = s->scale * weights[j];
    if (s->softCap != 0) score = s->softCap * tanh4(splat(score / s->softCap))[0];
    weights[j] = hiddenAt(s, row, j, t) ? -__builtin_inff() : score;
    top = weights[j] > top ? weights[j] : top;
  }
  float sum = sink ? exp4(splat(*sink - top))[0] : 0;
  for (long j = 0; j <= t; j += 4) {
    long count = minLong(4, t + 1 - j);
    F4 e = exp4(loadPart(weights + j, count) - splat(top));
    storePart(weights + j, e, count);
    for (long i = 0; i < count; i++) sum += e[i];
  }
  for (long j = 0; j <= t; j++) weights[j] /= sum;
}

/** Keys or values [j, j + count) of a row and head: where they lie, or in `space` where they are halves. Behind their end the last one again. */
INLINE void fewOf(const AttentionStep *s, const float *cache, long first, long j, long count, float *space, const float **out) {
  for (long i = 0; i < KEYS; i++) {
    long own = i < count ? i : count - 1, at = first + (j + own) * s->hkv * s->p;
    out[i] = s->halves ? space + own * s->p : cache + at;
    if (s->halves && i < count) loadHalves(space + i * s->p, (const int *)cache + at / 2, s->p / 2);
  }
}

/** Dot products of a query with some keys, each one chain over the channels. */
static void scoreFew(float *out, const float *query, const float **key, long p, long count) {
  F4 dot[KEYS] = {splat(0), splat(0), splat(0), splat(0)};
  long c = 0;
  for (; c + 4 <= p; c += 4) {
    F4 q = load4(query + c);
#pragma clang loop unroll(full)
    for (int i = 0; i < KEYS; i++) dot[i] = madd(q, load4(key[i] + c), dot[i]);
  }
  if (c < p)
    for (int i = 0; i < KEYS; i++) dot[i] = madd(loadPart(query + c, p - c), loadPart(key[i] + c, p - c), dot[i]);
  for (long i = 0; i < count; i++) out[i] = sum4(dot[i]);
}

/** y += some values by their weights, one after the other. */
static void addFew(float *y, const float *weights, const float **value, long p) {
  F4 w[KEYS];
  for (int i = 0; i < KEYS; i++) w[i] = splat(weights[i]);
  long c = 0;
  for (; c + 4 <= p; c += 4) {
    F4 sum = load4(y + c);
#pragma clang loop unroll(full)
    for (int i = 0; i < KEYS; i++) sum = madd(w[i], load4(value[i] + c), sum);
    store4(y + c, sum);
  }
  if (c == p) return;
  F4 sum = loadPart(y + c, p - c);
  for (int i = 0; i < KEYS; i++) sum = madd(w[i], loadPart(value[i] + c, p - c), sum);
  storePart(y + c, sum, p - c);
}
static void addOne(float *y, float weight, const float *value, long p) {
  for (long c = 0; c < p; c += 4) storePart(y + c, madd(splat(weight), loadPart(value + c, p - c), loadPart(y + c, p - c)), p - c);
}

/** y [group, p] of queries that share keys, over those up to t. Each sum is one chain in the order of channels or keys, whoever is beside it. */
static void attendGroup(const AttentionStep *s, float *y, long row, long t, long shared, long group, float *weights, const float *queries, float *space) {
  long first = (row * s->m * s->hkv + shared) * s->p;
  const float *few[KEYS];
  for (long j = 0; j <= t; j += KEYS) {
    long count = minLong(KEYS, t + 1 - j);
    fewOf(s, s->keys, first, j, count, space, few);
    for (long head = 0; head < group; head++) scoreFew(weights + head * s->m + j, queries + head * s->p, few, s->p, count);
  }
  for (long head = 0; head < group; head++) weigh(s, row, t, s->sink ? s->sink + shared * group + head : 0, weights + head * s->m);
  memset(y, 0, (UW)(group * s->p) * sizeof(float));
  for (long j = 0; j <= t; j += KEYS) {
    long count = minLong(KEYS, t + 1 - j), seen = 0;
    for (long i = 0; i < count; i++) seen += !hiddenAt(s, row, j + i, t);
    if (seen == 0) continue;
    fewOf(s, s->values, first, j, count, space, few);
    for (long head = 0; head < group; head++) {
      const float *own = weights + head * s->m + j;
      if (seen == KEYS) addFew(y + head * s->p, own, few, s->p);
      else // what is hidden may hold anything; a weight that is 0 of itself keeps the NaN of its value
        for (long i = 0; i < count; i++)
          if (!hiddenAt(s, row, j + i, t)) addOne(y + head * s->p, own[i], few[i], s->p);
    }
  }
}

/** `workspace`: attentionStepSpace floats a thread. */
KERNEL(causalAttentionStep, AttentionStep s, Space workspace) {
  long group = s.h / s.hkv;
  float *weights = workspace + thread * attentionStepSpace(s.m, s.p, group), *queries = weights + group * s.m, *space = queries + group * s.p;
  Span items = share(s.b * s.hkv, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) {
    long row = i / s.hkv, shared = i % s.hkv, t = s.position[row];
    float *y = s.y + (row * s.h + shared * group) * s.p;
    if (t < 0 || t >= s.m) {
      for (long c = 0; c < group * s.p; c++) y[c] = __builtin_nanf("");
      continue;
    }
    const float *turn = s.rotary ? s.rotary + t * s.r : 0;
    long slot = ((row * s.m + t) * s.hkv + shared) * s.p;
    if (s.halves) {
      turned(space, s.k + i * s.p, turn, s.r, s.p, s.interleaved);
      storeHalves((int *)s.keys + slot / 2, space, s.p / 2);
      storeHalves((int *)s.values + slot / 2, s.v + i * s.p, s.p / 2);
    } else {
      turned(s.keys + slot, s.k + i * s.p, turn, s.r, s.p, s.interleaved);
      memcpy(s.values + slot, s.v + i * s.p, (UW)s.p * sizeof(float));
    }
    for (long head = 0; head < group; head++)
      turned(queries + head * s.p, s.q + (row * s.h + shared * group + head) * s.p, turn, s.r, s.p, s.interleaved);
    attendGroup(&s, y, row, t, shared, group, weights, queries, space);
  }
  // Every thread has read the positions before they move on.
  if (threads > 1) barrier(thread, threads);
  if (thread == 0)
    for (long row = 0; row < s.b; row++) s.position[row] = (int)((unsigned)s.position[row] + 1u);
}
