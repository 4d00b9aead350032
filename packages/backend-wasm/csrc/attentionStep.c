// One token's attention over a cache of fixed capacity: a head of keys and the queries that share it belong to one thread.
#include "vmath.h"

typedef struct {
  Out y;
  InOut keys, values;
  InOutInts position;
  In q, k, v;
  MaybeIn rotary, visible, sink;
  long b, m, h, hkv, p, r;
  float scale, softCap;
  Flag interleaved;
} AttentionStep;

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

/** y of one query over the keys up to t; `weights` has room for m, `query` is turned, `sink` is its head's or 0. */
static void attendOne(const AttentionStep *s, float *y, const float *query, long row, long t, long shared, const float *sink, float *weights) {
  long stride = s->hkv * s->p, from = (row * s->m * s->hkv + shared) * s->p;
  float top = sink ? *sink : -__builtin_inff();
  for (long j = 0; j <= t; j++) {
    F4 dot = splat(0);
    const float *key = s->keys + from + j * stride;
    for (long c = 0; c < s->p; c += 4) dot = madd(loadPart(query + c, s->p - c), loadPart(key + c, s->p - c), dot);
    float score = s->scale * sum4(dot);
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
  memset(y, 0, (UW)s->p * sizeof(float));
  for (long j = 0; j <= t; j++) {
    if (hiddenAt(s, row, j, t)) continue; // what is hidden may hold anything; a weight that is 0 of itself keeps the NaN of its value
    F4 weight = splat(weights[j] / sum);
    const float *value = s->values + from + j * stride;
    for (long c = 0; c < s->p; c += 4)
      storePart(y + c, madd(weight, loadPart(value + c, s->p - c), loadPart(y + c, s->p - c)), s->p - c);
  }
}

/** `workspace`: m + p floats a thread. */
KERNEL(causalAttentionStep, AttentionStep s, Space workspace) {
  float *weights = workspace + thread * (s.m + s.p), *query = weights + s.m;
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
    turned(s.keys + slot, s.k + i * s.p, turn, s.r, s.p, s.interleaved);
    memcpy(s.values + slot, s.v + i * s.p, (UW)s.p * sizeof(float));
    for (long head = 0; head < group; head++) {
      turned(query, s.q + (row * s.h + shared * group + head) * s.p, turn, s.r, s.p, s.interleaved);
      attendOne(&s, y + head * s.p, query, row, t, shared, s.sink ? s.sink + shared * group + head : 0, weights);
    }
  }
  // Every thread has read the positions before they move on.
  if (threads > 1) barrier(thread, threads);
  if (thread == 0)
    for (long row = 0; row < s.b; row++) s.position[row] = (int)((unsigned)s.position[row] + 1u);
}
