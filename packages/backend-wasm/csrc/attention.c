// Causal softmax attention, query by query, lanes over the head's channels.
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
/** A score, bounded where there is a cap. */
INLINE float capped(float score, float softCap) {
  return softCap == 0 ? score : softCap * tanh4(splat(score / softCap))[0];
}
/** Attention weights of one query over keys [first, own], into weights[j]; what the head's sink draws, 0 without one. */
static float weigh(const Attention *s, long row, long t, long head, long first, float *weights) {
  long own = s->m - s->l + t;
  const float *q = s->q + ((row * s->l + t) * s->h + head) * s->p;
  float top = s->sink ? s->sink[head] : -__builtin_inff();
  for (long j = first; j <= own; j++) {
    weights[j] = hidden(s, row, j, own) ? -__builtin_inff() : capped(s->scale * dotRow(q, s->k + keyRow(s, row, j, head), s->p), s->softCap);
    top = weights[j] > top ? weights[j] : top;
  }
  float drawn = s->sink ? exp4(splat(s->sink[head] - top))[0] : 0, sum = drawn;
  for (long j = first; j <= own; j += 4) {
    long count = own + 1 - j;
    F4 e = exp4(loadPart(weights + j, count) - splat(top));
    storePart(weights + j, e, count);
    for (long i = 0; i < minLong(4, count); i++) sum += e[i];
  }
  for (long j = first; j <= own; j++) weights[j] /= sum;
  return drawn / sum;
}

/** `workspace`: m floats a thread. */
KERNEL(causalAttention, Out y, Attention s, Space workspace) {
  float *weights = workspace + thread * s.m;
  Span items = share(s.b * s.l * s.h, 1, thread, threads);
  for (long i = items.lo; i < items.hi; i++) {
    // Heads outermost, so that one head's keys stay near.
    long t = i % s.l, head = i / s.l % s.h, row = i / (s.l * s.h), first = firstKey(&s, row, t);
    float *to = y + ((row * s.l + t) * s.h + head) * s.p;
    weigh(&s, row, t, head, first, weights);
    memset(to, 0, (UW)s.p * sizeof(float));
    for (long j = first; j <= s.m - s.l + t; j++)
      if (weights[j] != 0) addRow(to, s.v + keyRow(&s, row, j, head), weights[j], s.p);
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
          if (weights[j] != 0) mean += weights[j] * dotRow(dy, s.v + keyRow(&s, row, j, head), s.p);
        ofSink -= drawn * mean;
        memset(dQuery, 0, (UW)s.p * sizeof(float));
        for (long j = first; j <= own; j++) {
          if (weights[j] == 0) continue;
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
