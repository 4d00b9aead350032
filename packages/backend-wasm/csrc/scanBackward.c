// Selective scan backward: the forward pass keeps the state at every SPAN-th step only; each span is recomputed with its
// states and decays kept, then walked from its end (Mamba, Gu & Dao 2023, section 3.3.2: recomputation).
#include "scan.h"

enum { SPAN = 16 };

typedef struct {
  Out du, ddelta, dA, dB, dC;
  MaybeOut dD, dz, ddeltaBias, dInitialState;
} ScanGradients;

/** What a tile carries from chunk to chunk. */
typedef struct {
  Tile tile;
  float *A, *h, *adjoint, *dA, *checkpoints;
  float dD[LANES], ddeltaBias[LANES], skip[LANES];
  float largestA;
} Carried;

/** One span of one tile: rows of 16 channels, all a row apart, so that one pointer reaches every array of a step. */
typedef struct {
  float delta[SPAN * LANES], du[SPAN * LANES], q[SPAN * LANES];             /* du: delta u; q: dL / d(C h + D u) */
  float outDu[SPAN * LANES], outDelta[SPAN * LANES];                        /* sums over n */
  float decays[SPAN * LANES], states[(SPAN + 1) * LANES];                   /* of one n */
  float sumB[SPAN * LANES], sumC[SPAN * LANES];                             /* of one n, lanes 0 to 3 */
  float slope[SPAN * LANES], gate[SPAN * LANES];                            /* of softplus; sigmoid of z */
  int keep[SPAN];                                                           /* all ones, 0 where a sequence starts */
} Steps;

typedef struct {
  Carried *at;
  Steps *steps;
} Work;
enum { BACK_GROUP = 32 };
/** Floats of a thread: partial sums of dB and dC, and what the tiles of a group carry. */
SIZE(scanBackFloats, long b, long l, long g, long n) { return 2 * b * l * g * n + BACK_GROUP * (4 + ceilDivide(l, SPAN)) * n * LANES; }

static long spansOf(const Scan *s) { return (s->l + SPAN - 1) / SPAN; }

/** Lane block `i` (four channels) of an array at the step `p` stands on. */
#define LANE4(array, i) ((float *)(p + __builtin_offsetof(Steps, array)) + 4 * (i))
#define DECAY_AGAIN(i)                                                       \
  ({                                                                         \
    F4 d_ = load4(LANE4(delta, i)), t_, r_, p_;                              \
    if (simple) {                                                            \
      t_ = madd(d_, a##i, magic);                                            \
      r_ = madd(d_, a##i, magic - t_);                                       \
      p_ = madd(k6, r_, k5);                                                 \
      p_ = madd(p_, r_, k4);                                                 \
      p_ = madd(p_, r_, k3);                                                 \
      p_ = madd(p_, r_, k2);                                                 \
      p_ = madd(p_, r_, k1);                                                 \
      p_ = madd(p_, r_, k0);                                                 \
      p_ = (F4)((U4)p_ + ((U4)t_ << 23));                                    \
    } else p_ = exp2Any(d_ *a##i);                          \
    p_;                                                                      \
  })
/** What is forgotten may have been anything, NaN too. */
#define KEPT(x) (simple ? (x) : (F4)((I4)(x) & splatInt(keep[t])))
#define FORWARD(i)                                                           \
  {                                                                          \
    F4 e_ = DECAY_AGAIN(i);                                                  \
    store4(LANE4(decays, i), e_);                                            \
    h##i = madd(e_, KEPT(h##i), load4(LANE4(du, i)) * b);                    \
    store4(LANE4(states, i) + LANES, h##i);                                  \
  }
#define BACK(i)                                                              \
  {                                                                          \
    F4 q_ = load4(LANE4(q, i)), before_ = load4(LANE4(states, i));           \
    F4 g_ = madd(c, q_, g##i);                                               \
    sumC = madd(h##i, q_, sumC);                                             \
    sumB = madd(g_, load4(LANE4(du, i)), sumB);                              \
    store4(LANE4(outDu, i), madd(g_, b, load4(LANE4(outDu, i))));            \
    g##i = KEPT(g_ * load4(LANE4(decays, i)));                               \
    F4 gh_ = g##i * KEPT(before_);                                           \
    store4(LANE4(outDelta, i), madd(gh_, a##i, load4(LANE4(outDelta, i))));  \
    dA##i = madd(gh_, load4(LANE4(delta, i)), dA##i);                        \
    h##i = before_;                                                          \
  }
/** What statePair reads of one state index: eight channels of A, checkpoint, adjoint, gradient of A; B and C of the first step. */
typedef struct {
  const float *A, *start, *B, *C;
  float *adjoint, *dA;
  long stride, steps;
} Pair;
/**
 * Eight channels of one state index over a span: the states again (from the checkpoint), then the adjoint back through them.
 * Adds to outDu, outDelta (the latter in units of log2 e) and writes the lanes of dB and dC, or adds to them (`second`).
 * `simple`: no reset and exp2Fast's range.
 */
INLINE void statePair(const int simple, const int second, const Pair *pair, Steps *steps) {
  const float *B = pair->B, *C = pair->C;
  const int *keep = steps->keep;
  long stride = pair->stride, count = pair->steps;
  char *p = (char *)steps + (second ? 32 : 0);
  F4 a0 = load4(pair->A), a1 = load4(pair->A + 4), h0 = load4(pair->start), h1 = load4(pair->start + 4);
  F4 magic = K(MAGIC), k0 = K(POWER0), k1 = K(POWER1), k2 = K(POWER2), k3 = K(POWER3), k4 = K(POWER4), k5 = K(POWER5), k6 = K(POWER6);
  store4(LANE4(states, 0), h0);
  store4(LANE4(states, 1), h1);
  for (long t = 0; t < count; t++, p += 4 * LANES, B += stride) {
    F4 b = splat(*B);
    FORWARD(0) FORWARD(1)
  }
  C += count * stride;
  F4 g0 = load4(pair->adjoint), g1 = load4(pair->adjoint + 4), dA0 = load4(pair->dA), dA1 = load4(pair->dA + 4);
  for (long t = count - 1; t >= 0; t--) {
    p -= 4 * LANES, B -= stride, C -= stride;
    F4 b = splat(*B), c = splat(*C), sumB = splat(0), sumC = splat(0);
    BACK(0) BACK(1)
    if (second) {
      store4(LANE4(sumB, -2), sumB + load4(LANE4(sumB, -2)));
      store4(LANE4(sumC, -2), sumC + load4(LANE4(sumC, -2)));
    } else {
      store4(LANE4(sumB, 0), sumB);
      store4(LANE4(sumC, 0), sumC);
    }
  }
  store4(pair->adjoint, g0), store4(pair->adjoint + 4, g1), store4(pair->dA, dA0), store4(pair->dA + 4, dA1);
}
static __attribute__((noinline)) void pairSimpleFirst(const Pair *pair, Steps *steps) { statePair(1, 0, pair, steps); }
static __attribute__((noinline)) void pairSimpleSecond(const Pair *pair, Steps *steps) { statePair(1, 1, pair, steps); }
static __attribute__((noinline)) void pairAnyFirst(const Pair *pair, Steps *steps) { statePair(0, 0, pair, steps); }
static __attribute__((noinline)) void pairAnySecond(const Pair *pair, Steps *steps) { statePair(0, 1, pair, steps); }

/** out[t * stride] += the lanes of row t */
static void addLaneSums(float *out, long stride, const float *sums, long steps) {
  for (long t = 0; t < steps; t += 4, sums += 4 * LANES) {
    F4 x = sumEach(load4(sums), load4(sums + LANES), load4(sums + 2 * LANES), load4(sums + 3 * LANES));
    for (long k = 0; k < 4 && t + k < steps; k++, out += stride) *out += x[k];
  }
}

/** All of n: 16 channels a state index. */
static void statesBack(const Scan *s, long at, long steps, int simple, const float *start, Work *w, float *dB, float *dC) {
  Carried *c = w->at;
  long stride = s->g * s->n;
  for (long j = 0; j < s->n; j++) {
    long from = j * LANES;
    Pair pair = {c->A + from, start + from, s->B + at + j, s->C + at + j, c->adjoint + from, c->dA + from, stride, steps};
    (simple ? pairSimpleFirst : pairAnyFirst)(&pair, w->steps);
    Pair second = {pair.A + 8, pair.start + 8, pair.B, pair.C, pair.adjoint + 8, pair.dA + 8, stride, steps};
    (simple ? pairSimpleSecond : pairAnySecond)(&second, w->steps);
    addLaneSums(dB + at + j, stride, w->steps->sumB, steps);
    addLaneSums(dC + at + j, stride, w->steps->sumC, steps);
  }
}

/** q = dL / d(C h + D u): the upstream gradient through the gate. Marks resets; returns whether there is one. */
static int upstreamOf(const Scan *s, long row, long t, long steps, const float *dY, Work *w) {
  Tile tile = w->at->tile;
  int anyReset = 0;
  for (long i = 0; i < steps; i++) {
    long at = (row * s->l + t + i) * s->d + tile.first;
    float *q = w->steps->q + i * LANES, z[LANES];
    if (dY) loadRow(q, dY + at, tile.count);
    else memset(q, 0, LANES * sizeof(float));
    if (s->z) {
      loadRow(z, s->z + at, tile.count);
      for (int v = 0; v < LANES; v += 4) {
        F4 x = load4(z + v), gate = sigmoid4(x);
        store4(w->steps->gate + i * LANES + v, gate);
        store4(q + v, load4(q + v) * x * gate);
      }
    }
    int reset = resetsAt(s, row, t + i);
    w->steps->keep[i] = reset ? 0 : -1;
    anyReset |= reset;
  }
  return anyReset;
}

/** Gradients of a span's elementwise inputs, from what statePair left. */
static void finishSpan(const Scan *s, long row, long t, long steps, const float *dY, Work *w, ScanGradients *out) {
  Carried *c = w->at;
  Tile tile = c->tile;
  for (long i = 0; i < steps; i++) {
    long at = (row * s->l + t + i) * s->d + tile.first;
    float u[LANES], z[LANES], dy[LANES], sums[LANES];
    float *outDu = w->steps->outDu + i * LANES, *outDelta = w->steps->outDelta + i * LANES;
    const float *delta = w->steps->delta + i * LANES, *q = w->steps->q + i * LANES;
    loadRow(u, s->u + at, tile.count);
    if (s->z) {
      loadRow(z, s->z + at, tile.count);
      loadRow(sums, out->dz + at, tile.count);
      if (dY) loadRow(dy, dY + at, tile.count);
      else memset(dy, 0, sizeof dy);
      for (int v = 0; v < LANES; v += 4) {
        F4 x = load4(z + v), gate = load4(w->steps->gate + i * LANES + v), y = madd(load4(c->skip + v), load4(u + v), load4(sums + v));
        store4(z + v, load4(dy + v) * y * gate * madd(x, splat(1.0f) - gate, splat(1.0f)));
      }
      storeRow(out->dz + at, z, tile.count);
    }
    for (int v = 0; v < LANES; v += 4) {
      F4 du = load4(outDu + v), x = load4(u + v), dOut = load4(q + v);
      F4 ddelta = madd(du, x, load4(outDelta + v) * splat(0.6931471805599453f)) * load4(w->steps->slope + i * LANES + v);
      store4(outDelta + v, ddelta);
      store4(c->ddeltaBias + v, load4(c->ddeltaBias + v) + ddelta);
      store4(c->dD + v, madd(dOut, x, load4(c->dD + v)));
      store4(outDu + v, madd(du, load4(delta + v), load4(c->skip + v) * dOut));
    }
    storeRow(out->du + at, outDu, tile.count);
    storeRow(out->ddelta + at, outDelta, tile.count);
  }
}

/** Rows of an array in memory to or from a tile's rows. */
INLINE void keepRows(const Scan *s, float *to, const float *rows, Tile tile, long row, long t, long steps) {
  for (long i = 0; i < steps; i++) storeRow(to + (row * s->l + t + i) * s->d + tile.first, rows + i * LANES, tile.count);
}
INLINE void keptRows(const Scan *s, float *rows, const float *from, Tile tile, long row, long t, long steps) {
  for (long i = 0; i < steps; i++) loadRow(rows + i * LANES, from + (row * s->l + t + i) * s->d + tile.first, tile.count);
}
static void spanBack(const Scan *s, long row, long t, long steps, const float *dY, Work *w, ScanGradients *out, float *dB, float *dC) {
  Carried *c = w->at;
  Steps *p = w->steps;
  keptRows(s, p->delta, out->ddelta, c->tile, row, t, steps);
  keptRows(s, p->slope, out->du, c->tile, row, t, steps);
  keptRows(s, p->du, s->u, c->tile, row, t, steps);
  for (long i = 0; i < steps * LANES; i += 4) store4(p->du + i, load4(p->du + i) * load4(p->delta + i));
  int anyReset = upstreamOf(s, row, t, steps, dY, w);
  for (long i = 0; i < steps * LANES; i += 4) store4(p->outDu + i, splat(0)), store4(p->outDelta + i, splat(0));
  int simple = !anyReset && staysInRange(p->delta, steps, c->largestA);
  statesBack(s, (row * s->l + t) * s->g * s->n + c->tile.group * s->n, steps, simple, c->checkpoints + t / SPAN * s->n * LANES, w, dB, dC);
  finishSpan(s, row, t, steps, dY, w, out);
}

/**
 * Forward over the row, keeping the state at the start of each span. What else the way back needs waits where the gradients will
 * lie: C h in dz, delta after softplus in ddelta, its slope in du.
 */
static void keepCheckpoints(const Scan *s, long row, Carried *tiles, long count, Work *w, const ScanGradients *out) {
  float *dz = out->dz;
  long size = s->n * LANES, bytes = size * (long)sizeof(float);
  for (long i = 0; i < count; i++) {
    Carried *c = tiles + i;
    if (s->initialState) loadTransposed(c->h, s->initialState + (row * s->d + c->tile.first) * s->n, s->n, c->tile.count, 1.0f);
    else memset(c->h, 0, (UW)bytes);
  }
  Carried *last = tiles + count - 1;
  long first = tiles->tile.first, width = last->tile.first + last->tile.count - first;
  for (long t = 0; t < s->l; t += SPAN) {
    long steps = minLong(SPAN, s->l - t);
    touchRows(s, s->delta, row, t, steps, first, width);
    touchRows(s, s->u, row, t, steps, first, width);
    touchRows(s, dz, row, t, steps, first, width);
    touchRows(s, out->du, row, t, steps, first, width);
    touchRows(s, out->ddelta, row, t, steps, first, width);
    for (long i = 0; i < count; i++) {
      Carried *c = tiles + i;
      Steps *p = w->steps;
      memcpy(c->checkpoints + t / SPAN * size, c->h, (UW)bytes);
      prepareSteps(s, c->tile, row, t, steps, p->delta, p->du, p->slope);
      keepRows(s, out->ddelta, p->delta, c->tile, row, t, steps);
      keepRows(s, out->du, p->slope, c->tile, row, t, steps);
      advance(s, c->tile, row, t, steps, c->A, staysInRange(p->delta, steps, c->largestA), c->h, p->delta, p->du, p->q);
      if (dz) keepRows(s, dz, p->q, c->tile, row, t, steps);
    }
  }
}

static void rowBack(const Scan *s, long row, const float *dY, const float *dLastState, Carried *tiles, long count, Work *w, ScanGradients *out, float *dB, float *dC) {
  long size = s->n * LANES, bytes = size * (long)sizeof(float);
  keepCheckpoints(s, row, tiles, count, w, out);
  for (long i = 0; i < count; i++) {
    if (dLastState) loadTransposed(tiles[i].adjoint, dLastState + (row * s->d + tiles[i].tile.first) * s->n, s->n, tiles[i].tile.count, 1.0f);
    else memset(tiles[i].adjoint, 0, (UW)bytes);
  }
  Carried *last = tiles + count - 1;
  long first = tiles->tile.first, width = last->tile.first + last->tile.count - first;
  for (long t = (s->l - 1) / SPAN * SPAN; t >= 0; t -= SPAN) {
    long steps = minLong(SPAN, s->l - t);
    const float *const touched[] = {s->u, s->z, dY, out->du, out->ddelta, out->dz};
    for (int i = 0; i < 6; i++) touchRows(s, touched[i], row, t, steps, first, width);
    for (long i = 0; i < count; i++) {
      w->at = tiles + i;
      spanBack(s, row, t, steps, dY, w, out, dB, dC);
    }
  }
  if (!out->dInitialState) return;
  for (long i = 0; i < count; i++) storeTransposed(out->dInitialState + (row * s->d + tiles[i].tile.first) * s->n, tiles[i].adjoint, s->n, tiles[i].tile.count);
}

static void groupBack(const Scan *s, long first, long count, const float *dY, const float *dLastState, float *memory, Work *w, ScanGradients *out, float *dB, float *dC) {
  Carried tiles[BACK_GROUP];
  long size = s->n * LANES;
  for (long i = 0; i < count; i++) {
    Carried *c = tiles + i;
    c->tile = tileAt(s, first + i);
    c->A = memory, memory += size;
    c->h = memory, memory += size;
    c->adjoint = memory, memory += size;
    c->dA = memory, memory += size;
    c->checkpoints = memory, memory += size * spansOf(s);
    loadTransposed(c->A, s->A + c->tile.first * s->n, s->n, c->tile.count, LOG2E);
    c->largestA = largest(c->A, size);
    memset(c->dA, 0, (UW)size * sizeof(float));
    for (int k = 0; k < LANES; k++) c->dD[k] = c->ddeltaBias[k] = c->skip[k] = 0;
    if (s->D) loadRow(c->skip, s->D + c->tile.first, c->tile.count);
  }
  for (long row = 0; row < s->b; row++) rowBack(s, row, dY, dLastState, tiles, count, w, out, dB, dC);
  for (long i = 0; i < count; i++) {
    Carried *c = tiles + i;
    storeTransposed(out->dA + c->tile.first * s->n, c->dA, s->n, c->tile.count);
    if (out->dD) storeRow(out->dD + c->tile.first, c->dD, c->tile.count);
    if (out->ddeltaBias) storeRow(out->ddeltaBias + c->tile.first, c->ddeltaBias, c->tile.count);
  }
}

/**
 * `workspace`: scanBackFloats a thread. Tiles are divided over threads; dB and dC sum over tiles, so each thread has its own and they
 * are added in order at the end.
 */
KERNEL(selectiveScanGrad, Scan s, MaybeIn dY, MaybeIn dLastState, ScanGradients out, Space workspace, long perThread) {
  long sizeBC = s.b * s.l * s.g * s.n;
  float *mine = workspace + thread * perThread;
  memset(mine, 0, (UW)(2 * sizeBC) * sizeof(float));
  Work w = {0, (Steps *)scratchOf(thread)};
  Span tiles = share(tilesOf(&s), 1, thread, threads);
  for (long i = tiles.lo; i < tiles.hi; i += BACK_GROUP)
    groupBack(&s, i, minLong(BACK_GROUP, tiles.hi - i), dY, dLastState, mine + 2 * sizeBC, &w, &out, mine, mine + sizeBC);
  barrier(thread, threads);
  Span part = share(sizeBC, 16, thread, threads);
  for (long i = part.lo; i < part.hi; i++) {
    float sumB = 0, sumC = 0;
    for (int k = 0; k < threads; k++) {
      sumB += workspace[k * perThread + i];
      sumC += workspace[k * perThread + sizeBC + i];
    }
    out.dB[i] = sumB;
    out.dC[i] = sumC;
  }
}
