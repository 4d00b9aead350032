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

/** Floats that a thread needs: weights of m keys, a query and a sum of p, in whole vectors of halves. */
SIZE(attentionStepSpace, long m, long p) { return m + 2 * p + 16; }

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

/** Turns dot products with the keys up to t, which lie in `weights`, into what each value weighs; `sink` is the head's or 0. */
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

/** y of one query over the keys up to t; `weights` has room for m, `query` is turned. */
static void attendOne(const AttentionStep *s, float *y, const float *query, long row, long t, long shared, const float *sink, float *weights) {
  long stride = s->hkv * s->p, from = (row * s->m * s->hkv + shared) * s->p;
  for (long j = 0; j <= t; j++) {
    F4 dot = splat(0);
    const float *key = s->keys + from + j * stride;
    for (long c = 0; c < s->p; c += 4) dot = madd(loadPart(query + c, s->p - c), loadPart(key + c, s->p - c), dot);
    weights[j] = sum4(dot);
  }
  weigh(s, row, t, sink, weights);
  memset(y, 0, (UW)s->p * sizeof(float));
  for (long j = 0; j <= t; j++) {
    if (hiddenAt(s, row, j, t)) continue; // what is hidden may hold anything; a weight that is 0 of itself keeps the NaN of its value
    F4 weight = splat(weights[j]);
    const float *value = s->values + from + j * stride;
    for (long c = 0; c < s->p; c += 4)
      storePart(y + c, madd(weight, loadPart(value + c, s->p - c), loadPart(y + c, s->p - c)), s->p - c);
  }
}

/** Up to four words; zeros behind their end. */
INLINE I4 loadWords(const int *p, long count) { return count >= 4 ? loadInt4(p) : (I4)loadPart((const float *)p, count); }

/** As `attendOne` where the cache is halves. `query` comes in and `sums` go out with the even ones of every eight before the odd ones, as words bring them. */
static void attendHalves(const AttentionStep *s, float *sums, const float *query, long row, long t, long shared, const float *sink, float *weights) {
  long words = s->p / 2, stride = s->hkv * words, from = (row * s->m * s->hkv + shared) * words;
  const int *keys = (const int *)s->keys + from, *values = (const int *)s->values + from;
  for (long j = 0; j <= t; j++) {
    F4 dot = splat(0);
    for (long c = 0; c < words; c += 4) {
      I4 key = loadWords(keys + j * stride + c, words - c);
      dot = madd(load4(query + 2 * c), floatsOfWords(key, 0), dot);
      dot = madd(load4(query + 2 * c + 4), floatsOfWords(key, 1), dot);
    }
    weights[j] = sum4(dot);
  }
  weigh(s, row, t, sink, weights);
  for (long c = 0; c < words; c += 4) {
    store4(sums + 2 * c, splat(0));
    store4(sums + 2 * c + 4, splat(0));
  }
  for (long j = 0; j <= t; j++) {
    if (hiddenAt(s, row, j, t)) continue;
    F4 weight = splat(weights[j]);
    for (long c = 0; c < words; c += 4) {
      I4 value = loadWords(values + j * stride + c, words - c);
      store4(sums + 2 * c, madd(weight, floatsOfWords(value, 0), load4(sums + 2 * c)));
      store4(sums + 2 * c + 4, madd(weight, floatsOfWords(value, 1), load4(sums + 2 * c + 4)));
    }
  }
}

/** Place of entry c of p where the even ones of every eight stand before the odd ones. */
INLINE long apart(long c) { return (c & ~7) + (c & 1) * 4 + (c & 7) / 2; }

/** `workspace`: attentionStepSpace floats a thread. */
KERNEL(causalAttentionStep, AttentionStep s, Space workspace) {
  float *weights = workspace + thread * attentionStepSpace(s.m, s.p), *query = weights + s.m, *sums = query + s.p + 8;
  Span items = share(s.b * s.hkv, 1, thread, threads);
  long group = s.h / s.hkv;
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
      turned(query, s.k + i * s.p, turn, s.r, s.p, s.interleaved);
      storeHalves((int *)s.keys + slot / 2, query, s.p / 2);
      storeHalves((int *)s.values + slot / 2, s.v + i * s.p, s.p / 2);
    } else {
      turned(s.keys + slot, s.k + i * s.p, turn, s.r, s.p, s.interleaved);
      memcpy(s.values + slot, s.v + i * s.p, (UW)s.p * sizeof(float));
    }
    for (long head = 0; head < group; head++) {
      const float *q = s.q + (row * s.h + shared * group + head) * s.p, *sink = s.sink ? s.sink + shared * group + head : 0;
      float *own = y + head * s.p;
      if (!s.halves) {
        turned(query, q, turn, s.r, s.p, s.interleaved);
        attendOne(&s, own, query, row, t, shared, sink, weights);
        continue;
      }
      turned(sums, q, turn, s.r, s.p, s.interleaved);
      memset(query, 0, (UW)(s.p + 8) * sizeof(float));
      for (long c = 0; c < s.p; c++) query[apart(c)] = sums[c];
      attendHalves(&s, sums, query, row, t, shared, sink, weights);
      for (long c = 0; c < s.p; c++) own[c] = sums[apart(c)];
    }
  }
  // Every thread has read the positions before they move on.
  if (threads > 1) barrier(thread, threads);
  if (thread == 0)
    for (long row = 0; row < s.b; row++) s.position[row] = (int)((unsigned)s.position[row] + 1u);
}
