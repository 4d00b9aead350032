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
  float top = s->sink ? s->sink[head] : -__builtin_inff();
  F4 most = splat(top), scale = splat(s->scale);
  long j = first;
  if (s->softCap != 0 || s->visible) {
    for (; j <= own; j += 4) {
      F4 score = scale * loadPart(weights + j, own + 1 - j);
      if (s->softCap != 0) score = splat(s->softCap) * tanh4(score / splat(s->softCap));
      storePart(weights + j, score, own + 1 - j);
    }
    for (j = first; s->visible && j < own; j++)
      if (hidden(s, row, j, own)) weights[j] = -__builtin_inff();
    scale = splat(1), j = first;
  }
  for (; j + 4 <= own + 1; j += 4) {
    F4 score = scale * load4(weights + j);
    store4(weights + j, score);
    most = max4(most, score);
  }
  top = maxLane(most);
  for (; j <= own; j++) {
    weights[j] *= scale[0];
    top = weights[j] > top ? weights[j] : top;
  }
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
  F4 inverse = splat(1.0f / sum);
  for (long j = first; j <= own; j += 4) storePart(weights + j, loadPart(weights + j, own + 1 - j) * inverse, own + 1 - j);
  return drawn / sum;
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
/** Adds to a row for each key what tiles of queries send it: out [keys] += weights^T x. */
INLINE void addQueries(const int queries, const int vectors, float *out, long outRow, const float *weights, long weightRow, const float *x, long xRow, long count) {
  F4 own[TILE_QUERIES][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < queries; i++)
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) own[i][c] = load4(x + i * xRow + 4 * c);
  for (; count > 0; count--, weights++, out += outRow) {
    F4 sums[2];
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) sums[c] = load4(out + 4 * c);
#pragma clang loop unroll(full)
    for (int i = 0; i < queries; i++) {
      F4 weight = splat(weights[i * weightRow]);
#pragma clang loop unroll(full)
      for (int c = 0; c < vectors; c++) sums[c] = madd(weight, own[i][c], sums[c]);
    }
#pragma clang loop unroll(full)
    for (int c = 0; c < vectors; c++) store4(out + 4 * c, sums[c]);
  }
}
static __attribute__((noinline)) void addQueriesOfTile(float *out, long outRow, const float *weights, long weightRow, const float *x, long xRow, long count) {
  addQueries(TILE_QUERIES, 2, out, outRow, weights, weightRow, x, xRow, count);
}
static __attribute__((noinline)) void addQueriesOfOne(float *out, long outRow, const float *weights, const float *x, long count) {
  addQueries(1, 2, out, outRow, weights, 0, x, 0, count);
}

/** Queries [t, t + count) of a head, and the keys they meet: none before `first`, all of them those of [lo, hi), none behind `last`. */
typedef struct {
  long row, head, t, count, first, lo, hi, last, at;
} QueryTile;
static QueryTile tileOf(const Attention *s, long row, long head, long t) {
  // What a query may see begins and ends no earlier than for the query before it.
  long count = minLong(TILE_QUERIES, s->l - t), own = s->m - s->l + t, lo = firstKey(s, row, t + count - 1);
  QueryTile tile = {row, head, t, count, firstKey(s, row, t), lo, own + 1, own + count - 1, ((row * s->l + t) * s->h + head) * s->p};
  int some = lo > tile.hi;
  for (long j = lo; s->visible && j < tile.hi; j++) some |= s->visible[row * s->m + j] == 0;
  // Then each query goes by its own keys.
  if (some) tile.lo = tile.hi = tile.last + 1;
  return tile;
}
/** Keys of query i of a tile before or behind those that all see, some of them hidden where there are such. */
typedef struct { long from, until, own; } Rim;
INLINE Rim before(const Attention *s, const QueryTile *tile, long i) {
  long own = s->m - s->l + tile->t + i;
  return (Rim){firstKey(s, tile->row, tile->t + i), minLong(tile->lo, own + 1), own};
}
INLINE Rim behind(const Attention *s, const QueryTile *tile, long i) {
  long own = s->m - s->l + tile->t + i;
  return (Rim){tile->hi, own + 1, own};
}

/** products [count][m] of a tile's queries `x` with keys or values. */
static void multiplyKeys(const Attention *s, const QueryTile *tile, const float *x, const float *keys, float *products, float *scratch) {
  const unsigned char *from = (const unsigned char *)(keys + keyRow(s, tile->row, tile->first, tile->head));
  ByRows product = {x + tile->at, from, 0, products + tile->first, tile->count, tile->last + 1 - tile->first, s->p, s->h * s->p, s->hkv * s->p, s->m, FORMAT_F32};
  multiplyByRows(&product, scratch);
}
/**
 * y += weights v for the queries of a tile, v being keys or values. Each sum is one chain over its keys in their order, whatever the tile. A
 * key that a query does not see is not multiplied, since it may hold anything; a weight that is 0 of itself keeps the NaN of its value.
 */
static void sumKeys(const Attention *s, const QueryTile *tile, float *y, const float *weights, const float *values) {
  long yRow = s->h * s->p, vRow = s->hkv * s->p, whole = s->p & ~7L;
  y += tile->at;
  const float *v = values + keyRow(s, tile->row, 0, tile->head);
  for (long i = 0; i < tile->count; i++) {
    Rim rim = before(s, tile, i);
    for (long j = rim.from; j < rim.until; j++)
      if (!hidden(s, tile->row, j, rim.own)) addRow(y + i * yRow, v + j * vRow, weights[i * s->m + j], s->p);
  }
  for (long j = tile->lo; j < tile->hi; j += NEAR_KEYS) {
    long count = minLong(NEAR_KEYS, tile->hi - j);
    for (long c = 0; c < whole; c += 8) {
      if (tile->count == TILE_QUERIES) addKeysOfTile(y + c, yRow, weights + j, s->m, v + j * vRow + c, vRow, count);
      else
        for (long i = 0; i < tile->count; i++) addKeysOfOne(y + i * yRow + c, weights + i * s->m + j, v + j * vRow + c, vRow, count);
    }
    if (whole < s->p)
      for (long i = 0; i < tile->count; i++)
        for (long k = j; k < j + count; k++) addRow(y + i * yRow + whole, v + k * vRow + whole, weights[i * s->m + k], s->p - whole);
  }
  for (long i = 0; i < tile->count; i++) {
    Rim rim = behind(s, tile, i);
    for (long j = rim.from; j < rim.until; j++)
      if (!hidden(s, tile->row, j, rim.own)) addRow(y + i * yRow, v + j * vRow, weights[i * s->m + j], s->p);
  }
}
/** The other way: keys or values `out` += weights^T x, x being queries or y's gradient. */
static void sumQueries(const Attention *s, const QueryTile *tile, float *out, const float *weights, const float *x) {
  long xRow = s->h * s->p, outRow = s->hkv * s->p, whole = s->p & ~7L;
  x += tile->at;
  out += keyRow(s, tile->row, 0, tile->head);
  for (long i = 0; i < tile->count; i++) {
    Rim rims[] = {before(s, tile, i), behind(s, tile, i)};
    for (int r = 0; r < 2; r++)
      for (long j = rims[r].from; j < rims[r].until; j++)
        if (!hidden(s, tile->row, j, rims[r].own)) addRow(out + j * outRow, x + i * xRow, weights[i * s->m + j], s->p);
  }
  for (long j = tile->lo; j < tile->hi; j += NEAR_KEYS) {
    long count = minLong(NEAR_KEYS, tile->hi - j);
    for (long c = 0; c < whole; c += 8) {
      if (tile->count == TILE_QUERIES) addQueriesOfTile(out + j * outRow + c, outRow, weights + j, s->m, x + c, xRow, count);
      else
        for (long i = 0; i < tile->count; i++) addQueriesOfOne(out + j * outRow + c, outRow, weights + i * s->m + j, x + i * xRow + c, count);
    }
    if (whole < s->p)
      for (long i = 0; i < tile->count; i++)
        for (long k = j; k < j + count; k++) addRow(out + k * outRow + whole, x + i * xRow + whole, weights[i * s->m + k], s->p - whole);
  }
}

/** Floats of the products of a tile's queries with all keys. */
SIZE(attentionTile, long m) { return TILE_QUERIES * m; }
/** `workspace`: a tile's products a thread. */
KERNEL(causalAttention, Out y, Attention s, Space workspace) {
  long tiles = ceilDivide(s.l, TILE_QUERIES);
  float *weights = workspace + thread * attentionTile(s.m);
  Span items = share(s.b * tiles * s.h, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    // Heads outermost, so that one head's keys stay near.
    QueryTile tile = tileOf(&s, item / (tiles * s.h), item / tiles % s.h, item % tiles * TILE_QUERIES);
    multiplyKeys(&s, &tile, s.q, s.k, weights, scratchOf(thread));
    for (long i = 0; i < tile.count; i++) {
      shareOut(&s, tile.row, tile.head, firstKey(&s, tile.row, tile.t + i), s.m - s.l + tile.t + i, weights + i * s.m);
      memset(y + tile.at + i * s.h * s.p, 0, (UW)s.p * sizeof(float));
    }
    sumKeys(&s, &tile, y, weights, s.v);
  }
}

/** From the gradients of query t's weights to those of its products with keys [first, own], in place; `products` where scores are capped. What its sink gets. */
static float scoreGrads(const Attention *s, const QueryTile *tile, long first, long own, const float *weights, float *grads, const float *products, float drawn) {
  F4 means = splat(0);
  for (long j = first; s->visible && j < own; j++)
    if (hidden(s, tile->row, j, own)) grads[j] = 0;
  for (long j = first; j <= own; j += 4) means += loadPart(weights + j, own + 1 - j) * loadPart(grads + j, own + 1 - j);
  float mean = sum4(means);
  for (long j = first; j <= own; j += 4) {
    long count = own + 1 - j;
    F4 grad = splat(s->scale) * loadPart(weights + j, count) * (loadPart(grads + j, count) - splat(mean));
    if (s->softCap != 0) {
      F4 bounded = tanh4(splat(s->scale) * loadPart(products + j, count) / splat(s->softCap));
      grad *= splat(1) - bounded * bounded;
    }
    storePart(grads + j, grad, count);
  }
  return -drawn * mean;
}
/** `workspace`: a tile's products three times a thread, then b h. Threads own shared heads, so sums over queries do not collide. */
KERNEL(causalAttentionGrad, Out dq, Out dk, Out dv, MaybeOut dSink, In dY, Attention s, Space workspace) {
  float *weights = workspace + thread * 3 * attentionTile(s.m), *grads = weights + attentionTile(s.m), *products = grads + attentionTile(s.m);
  float *sinks = workspace + threads * 3 * attentionTile(s.m);
  Span items = share(s.b * s.hkv, 1, thread, threads);
  long group = s.h / s.hkv;
  for (long item = items.lo; item < items.hi; item++) {
    long row = item / s.hkv, shared = item % s.hkv;
    for (long j = 0; j < s.m; j++) {
      memset(dk + ((row * s.m + j) * s.hkv + shared) * s.p, 0, (UW)s.p * sizeof(float));
      memset(dv + ((row * s.m + j) * s.hkv + shared) * s.p, 0, (UW)s.p * sizeof(float));
    }
    for (long head = shared * group; head < (shared + 1) * group; head++) {
      float ofSink = 0;
      for (long t = 0; t < s.l; t += TILE_QUERIES) {
        QueryTile tile = tileOf(&s, row, head, t);
        multiplyKeys(&s, &tile, s.q, s.k, weights, scratchOf(thread));
        multiplyKeys(&s, &tile, dY, s.v, grads, scratchOf(thread));
        if (s.softCap != 0) memcpy(products, weights, (UW)attentionTile(s.m) * sizeof(float));
        for (long i = 0; i < tile.count; i++) {
          long first = firstKey(&s, row, t + i), own = s.m - s.l + t + i, at = i * s.m;
          float drawn = shareOut(&s, row, head, first, own, weights + at);
          ofSink += scoreGrads(&s, &tile, first, own, weights + at, grads + at, products + at, drawn);
          memset(dq + tile.at + i * s.h * s.p, 0, (UW)s.p * sizeof(float));
        }
        sumKeys(&s, &tile, dq, grads, s.k);
        sumQueries(&s, &tile, dk, grads, s.q);
        sumQueries(&s, &tile, dv, weights, dY);
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
