// Causal softmax attention, tiles of queries by keys, lanes over the head's channels.
#include "byRows.h"
#include "vmath.h"

typedef struct {
  In q, k, v;
  MaybeInts seqIdx;
  MaybeIn visible, sink;
  long b, l, m, h, hkv, p, window;
  float scale, softCap;
} Attention;

INLINE float dotRow(const float *x, const float *y, long count) {
  F4 sum = splat(0);
  for (long i = 0; i < count; i += 4) sum = madd(loadPart(x + i, count - i), loadPart(y + i, count - i), sum);
  return sum4(sum);
}
/** y += factor x */
INLINE void addRow(float *y, const float *x, float factor, long count) {
  for (long i = 0; i < count; i += 4) storePart(y + i, madd(splat(factor), loadPart(x + i, count - i), loadPart(y + i, count - i)), count - i);
}
INLINE long keyRow(const Attention *s, long row, long j, long head) { return ((row * s->m + j) * s->hkv + head * s->hkv / s->h) * s->p; }
INLINE int hidden(const Attention *s, long row, long j, long own) { return s->visible && j != own && s->visible[row * s->m + j] == 0; }
/** First key that token t may see: where its sequence begins, or its window. */
static long firstKey(const Attention *s, long row, long t) {
  long least = s->m - s->l + t + 1 - s->window;
  if (least < 0) least = 0;
  if (s->seqIdx)
    for (long i = t; i > 0 && s->m - s->l + i > least; i--)
      if (s->seqIdx[row * s->l + i] != s->seqIdx[row * s->l + i - 1]) return s->m - s->l + i;
  return least;
}
/** Scores of one query over keys [first, own], from products with them to what the softmax takes; the largest, the sink's included. */
INLINE float scores(const Attention *s, long row, long head, long first, long own, float *weights) {
  for (long j = first; j <= own; j += 4) {
    F4 score = splat(s->scale) * loadPart(weights + j, own + 1 - j);
    if (s->softCap != 0) score = splat(s->softCap) * tanh4(score / splat(s->softCap));
    storePart(weights + j, score, own + 1 - j);
  }
  if (s->visible)
    for (long j = first; j < own; j++)
      if (hidden(s, row, j, own)) weights[j] = -__builtin_inff();
  float top = s->sink ? s->sink[head] : -__builtin_inff();
  F4 most = splat(top);
  long j = first;
  for (; j + 4 <= own + 1; j += 4) most = max4(most, load4(weights + j));
  top = maxLane(most);
  for (; j <= own; j++) top = weights[j] > top ? weights[j] : top;
  return top;
}
/** Attention weights of one query from its products with keys [first, own], in place at weights[j]; what the head's sink draws, 0 without one. */
static float shareOut(const Attention *s, long row, long head, long first, long own, float *weights) {
  float top = scores(s, row, head, first, own, weights);
  float drawn = s->sink ? exp4(splat(s->sink[head] - top))[0] : 0;
  F4 sums = {drawn, 0, 0, 0};
  for (long j = first; j <= own; j += 4) {
    long count = own + 1 - j;
    F4 e = keepLanes(exp4(loadPart(weights + j, count) - splat(top)), count);
    storePart(weights + j, e, count);
    sums += e;
  }
  float sum = sum4(sums);
  for (long j = first; j <= own; j += 4) storePart(weights + j, loadPart(weights + j, own + 1 - j) / splat(sum), own + 1 - j);
  return drawn / sum;
}
/** Attention weights of one query over keys [first, own], into weights[j]. */
static float weigh(const Attention *s, long row, long t, long head, long first, float *weights) {
  long own = s->m - s->l + t;
  const float *q = s->q + ((row * s->l + t) * s->h + head) * s->p;
  for (long j = first; j <= own; j++) weights[j] = dotRow(q, s->k + keyRow(s, row, j, head), s->p);
  return shareOut(s, row, head, first, own, weights);
}

/** Queries that meet a key together, in tiles of 6 by 2 vectors of channels; keys that stay near while channels go by. */
enum { TILE_QUERIES = 6, NEAR_KEYS = 64 };

/** y += weights v of `count` keys, for `queries` rows: weights lie `weightRow` apart, y's rows `yRow`, v's `vRow`. */
INLINE void addKeys(const int queries, const int vectors, float *y, long yRow, const float *weights, long weightRow, const float *v, long vRow, long count) {
  F4 sums[TILE_QUERIES][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < queries; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) sums[i][c] = load4(y + i * yRow + 4 * c);
  for (; count > 0; count--, weights++, v += vRow) {
    F4 value[2];
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) value[c] = load4(v + 4 * c);
#pragma clang loop unroll(full)
    for (int i = 0; i < queries; i++) {
      F4 weight = splat(weights[i * weightRow]);
#pragma clang loop unroll(full)
      for (int c = 0; c < vectors; c++) sums[i][c] = madd(weight, value[c], sums[i][c]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < queries; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) store4(y + i * yRow + 4 * c, sums[i][c]);
}
static __attribute__((noinline)) void addKeysOfTile(float *y, long yRow, const float *weights, long weightRow, const float *v, long vRow, long count) {
  addKeys(TILE_QUERIES, 2, y, yRow, weights, weightRow, v, vRow, count);
}
static __attribute__((noinline)) void addKeysOfOne(float *y, const float *weights, const float *v, long vRow, long count) {
  addKeys(1, 2, y, 0, weights, 0, v, vRow, count);
}
/** y += weights v of keys [lo, hi), all of which `queries` rows see; each sum is one chain over its keys in their order, whatever the tile. */
static void addSeen(const Attention *s, long row, long head, long lo, long hi, long queries, float *y, const float *weights) {
  long yRow = s->h * s->p, vRow = s->hkv * s->p, whole = s->p & ~7L;
  for (long j = lo; j < hi; j += NEAR_KEYS) {
    long count = minLong(NEAR_KEYS, hi - j);
    const float *v = s->v + keyRow(s, row, j, head);
    for (long c = 0; c < whole; c += 8) {
      if (queries == TILE_QUERIES) addKeysOfTile(y + c, yRow, weights + j, s->m, v + c, vRow, count);
      else
        for (long i = 0; i < queries; i++) addKeysOfOne(y + i * yRow + c, weights + i * s->m + j, v + c, vRow, count);
    }
    if (whole < s->p)
      for (long i = 0; i < queries; i++)
        for (long k = 0; k < count; k++) addRow(y + i * yRow + whole, v + k * vRow + whole, weights[i * s->m + j + k], s->p - whole);
  }
}
/** The same for one query's keys, of which some may be hidden and hold anything; a weight that is 0 of itself keeps the NaN of its value. */
static void addSome(const Attention *s, long row, long head, long lo, long hi, long own, float *y, const float *weights) {
  for (long j = lo; j < hi; j++)
    if (!hidden(s, row, j, own)) addRow(y, s->v + keyRow(s, row, j, head), weights[j], s->p);
}
/** Queries [t, t + queries) of a head. */
static void attend(const Attention *s, long row, long head, long t, long queries, float *y, float *weights, float *scratch) {
  // What a query may see begins and ends no earlier than for the query before it.
  long own = s->m - s->l + t, last = own + queries - 1, first = firstKey(s, row, t), lo = firstKey(s, row, t + queries - 1), hi = own + 1;
  long at = ((row * s->l + t) * s->h + head) * s->p, rows = s->h * s->p;
  ByRows product = {s->q + at, (const unsigned char *)(s->k + keyRow(s, row, first, head)), 0, weights + first, queries, last + 1 - first, s->p,
                    rows, s->hkv * s->p, s->m, FORMAT_F32};
  multiplyByRows(&product, scratch);
  int some = lo > hi;
  for (long j = lo; s->visible && j < hi; j++) some |= s->visible[row * s->m + j] == 0;
  if (some) hi = lo;
  for (long i = 0; i < queries; i++) {
    long from = firstKey(s, row, t + i);
    shareOut(s, row, head, from, own + i, weights + i * s->m);
    memset(y + at + i * rows, 0, (UW)s->p * sizeof(float));
    addSome(s, row, head, from, some ? own + i + 1 : lo, own + i, y + at + i * rows, weights + i * s->m);
  }
  if (some) return;
  addSeen(s, row, head, lo, hi, queries, y + at, weights);
  for (long i = 0; i < queries; i++) addSome(s, row, head, hi, own + i + 1, own + i, y + at + i * rows, weights + i * s->m);
}

/** Floats a thread's workspace has. */
SIZE(attentionSpace, long m) { return TILE_QUERIES * m; }
KERNEL(causalAttention, Out y, Attention s, Space workspace) {
  long tiles = ceilDivide(s.l, TILE_QUERIES);
  Span items = share(s.b * tiles * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) {
    // Heads outermost, so that one head's keys stay near.
    long t = i % tiles * TILE_QUERIES, head = i / tiles % s.h, row = i / (tiles * s.h);
    attend(&s, row, head, t, minLong(TILE_QUERIES, s.l - t), y, workspace + thread * attentionSpace(s.m), scratchOf(thread));
  }
}
/** `workspace`: m floats a thread, then b h. Threads own shared heads, so sums over queries do not collide. */
KERNEL(causalAttentionGrad, Out dq, Out dk, Out dv, MaybeOut dSink, In dY, Attention s, Space workspace) {
  float *weights = workspace + thread * s.m, *sinks = workspace + threads * s.m;
  Span items = share(s.b * s.hkv, 1, thread, threads);
  long group = s.h / s.hkv;
  for (long i = items.lo; i < items.hi; i++) {
    long row = i / s.hkv, shared = i % s.hkv;
    for (long j = 0; j < s.m; j++) {
      memset(dk + ((row * s.m + j) * s.hkv + shared) * s.p, 0, (UW)s.p * sizeof(float));
      memset(dv + ((row * s.m + j) * s.hkv + shared) * s.p, 0, (UW)s.p * sizeof(float));
    }
    for (long head = shared * group; head < (shared + 1) * group; head++) {
      float ofSink = 0;
      for (long t = 0; t < s.l; t++) {
        long at = ((row * s.l + t) * s.h + head) * s.p, first = firstKey(&s, row, t), own = s.m - s.l + t;
        const float *dy = dY + at, *q = s.q + at;
        float *dQuery = dq + at, mean = 0;
        float drawn = weigh(&s, row, t, head, first, weights);
        for (long j = first; j <= own; j++)
          if (!hidden(&s, row, j, own)) mean += weights[j] * dotRow(dy, s.v + keyRow(&s, row, j, head), s.p);
        ofSink -= drawn * mean;
        memset(dQuery, 0, (UW)s.p * sizeof(float));
        for (long j = first; j <= own; j++) {
          if (hidden(&s, row, j, own)) continue;
          long key = keyRow(&s, row, j, head);
          float dScore = s.scale * weights[j] * (dotRow(dy, s.v + key, s.p) - mean);
          if (s.softCap != 0) {
            float bounded = tanh4(splat(s.scale * dotRow(q, s.k + key, s.p) / s.softCap))[0];
            dScore *= 1 - bounded * bounded;
          }
          addRow(dQuery, s.k + key, dScore, s.p);
          addRow(dk + key, q, dScore, s.p);
          addRow(dv + key, dy, weights[j], s.p);
        }
      }
      sinks[row * s.h + head] = ofSink;
    }
  }
  if (!dSink) return;
  // Rows may be other threads'.
  if (threads > 1) barrier(thread, threads);
  if (thread > 0) return;
  memset(dSink, 0, (UW)s.h * sizeof(float));
  for (long i = 0; i < s.b * s.h; i++) dSink[i % s.h] += sinks[i];
}
