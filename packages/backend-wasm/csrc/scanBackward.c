// Selective scan backward: the forward pass keeps the state at every SPAN-th step only; each span is recomputed with its
// states and decays kept, then walked from its end (Mamba, Gu & Dao 2023, section 3.3.2: recomputation).
#include "scan.h"

enum { SPAN = 16 };

typedef struct {
  float *du, *ddelta, *dA, *dB, *dC, *dD, *dz, *ddeltaBias, *dInitialState;
} Gradients;

/** One tile's working set. */
typedef struct {
  float *A, *h, *delta, *du, *y, *decays, *states, *adjoint, *dA, *sumsB, *sumsC, *checkpoints;
  float dD[LANES], ddeltaBias[LANES], bias[LANES], skip[LANES];
  float largestA;
} Work;

static Work layOut(const Scan *s, float *p, float *checkpoints) {
  long size = s->n * LANES;
  Work w;
  w.A = p, p += size;
  w.h = p, p += size;
  w.adjoint = p, p += size;
  w.dA = p, p += size;
  w.sumsB = p, p += (s->n + 4) * 4;
  w.sumsC = p, p += (s->n + 4) * 4;
  w.delta = p, p += SPAN * LANES;
  w.du = p, p += SPAN * LANES;
  w.y = p, p += SPAN * LANES;
  w.decays = p, p += SPAN * size;
  w.states = p;
  w.checkpoints = checkpoints;
  return w;
}

/** Recomputes a span: decays[t] and states[t + 1] (states[0] is the checkpoint), y before skip and gate. A reset is a decay of 0. */
static void recompute(const Scan *s, Tile tile, long row, long t, long steps, Work *w) {
  long size = s->n * LANES, stride = s->g * s->n;
  int inRange = staysInRange(w->delta, steps, w->largestA);
  for (long i = 0; i < steps; i++) {
    long at = (row * s->l + t + i) * stride + tile.group * s->n;
    const float *B = s->B + at, *C = s->C + at;
    float *e = w->decays + i * size, *h = w->states + i * size, *y = w->y + i * LANES;
    F4 keep = splat(resetsAt(s, row, t + i) ? 0.0f : 1.0f);
    for (int v = 0; v < LANES; v += 4) {
      F4 d = load4(w->delta + i * LANES + v), u = load4(w->du + i * LANES + v), sum = splat(0);
      for (long j = v; j < size; j += LANES) {
        F4 x = d * load4(w->A + j), decay = (inRange ? exp2Fast(x) : exp2Any(x)) * keep;
        F4 next = madd(decay, load4(h + j), u * splat(B[j / LANES]));
        store4(e + j, decay);
        store4(h + size + j, next);
        sum = madd(next, splat(C[j / LANES]), sum);
      }
      store4(y + v, sum);
    }
  }
}

#define BACK(i)                                                                \
  {                                                                            \
    F4 g_ = madd(c, q##i, load4(G + 4 * i));                                   \
    sumC = madd(load4(next + 4 * i), q##i, sumC);                              \
    sumB = madd(g_, u##i, sumB);                                               \
    du##i = madd(g_, b, du##i);                                                \
    F4 ge_ = g_ * load4(e + 4 * i), gh_ = ge_ * load4(h + 4 * i);              \
    dd##i = madd(gh_, load4(An + 4 * i), dd##i);                               \
    store4(dA + 4 * i, madd(gh_, d##i, load4(dA + 4 * i)));                    \
    store4(G + 4 * i, ge_);                                                    \
  }
/** One step backward over all n: q = dL/d(C h); leaves dL/d(delta u) and the decay's share of dL/d delta (in units of log2 e). */
static __attribute__((noinline)) void stepBack(long n, const float *q, const float *delta, const float *du, const float *B, const float *C, const float *e, const float *h, Work *w, float *outDu, float *outDelta) {
  F4 q0 = load4(q), q1 = load4(q + 4), q2 = load4(q + 8), q3 = load4(q + 12);
  F4 d0 = load4(delta), d1 = load4(delta + 4), d2 = load4(delta + 8), d3 = load4(delta + 12);
  F4 u0 = load4(du), u1 = load4(du + 4), u2 = load4(du + 8), u3 = load4(du + 12);
  F4 z = splat(0), du0 = z, du1 = z, du2 = z, du3 = z, dd0 = z, dd1 = z, dd2 = z, dd3 = z;
  const float *next = h + n * LANES, *An = w->A;
  float *G = w->adjoint, *dA = w->dA;
  for (long j = 0; j < n; j++, next += LANES, h += LANES, e += LANES, An += LANES, G += LANES, dA += LANES) {
    F4 b = splat(B[j]), c = splat(C[j]), sumB = z, sumC = z;
    BACK(0) BACK(1) BACK(2) BACK(3)
    store4(w->sumsB + 4 * j, sumB);
    store4(w->sumsC + 4 * j, sumC);
  }
  store4(outDu, du0), store4(outDu + 4, du1), store4(outDu + 8, du2), store4(outDu + 12, du3);
  store4(outDelta, dd0), store4(outDelta + 4, dd1), store4(outDelta + 8, dd2), store4(outDelta + 12, dd3);
}

/** out[j] += the lanes of sums[j] */
static void addLaneSums(float *out, const float *sums, long n) {
  for (long j = 0; j < n; j += 4, out += 4, sums += 16) {
    F4 x = sumEach(load4(sums), load4(sums + 4), load4(sums + 8), load4(sums + 12));
    storePart(out, x + loadPart(out, n - j), n - j);
  }
}

static void spanBack(const Scan *s, Tile tile, long row, long t, long steps, const float *dY, Work *w, Gradients *out, float *dB, float *dC) {
  long size = s->n * LANES, stride = s->g * s->n;
  for (long i = steps - 1; i >= 0; i--) {
    long at = (row * s->l + t + i) * s->d + tile.first, atBC = (row * s->l + t + i) * stride + tile.group * s->n;
    float q[LANES], u[LANES], z[LANES], raw[LANES], outDu[LANES], outDelta[LANES];
    const float *delta = w->delta + i * LANES;
    if (dY) loadRow(q, dY + at, tile.count);
    else memset(q, 0, sizeof q);
    loadRow(u, s->u + at, tile.count);
    loadRow(raw, s->delta + at, tile.count);
    if (s->z) {
      loadRow(z, s->z + at, tile.count);
      for (int v = 0; v < LANES; v += 4) {
        F4 x = load4(z + v), gate = sigmoid4(x), y = madd(load4(w->skip + v), load4(u + v), load4(w->y + i * LANES + v)), dy = load4(q + v);
        store4(z + v, dy * y * gate * madd(x, splat(1.0f) - gate, splat(1.0f)));
        store4(q + v, dy * x * gate);
      }
      storeRow(out->dz + at, z, tile.count);
    }
    stepBack(s->n, q, delta, w->du + i * LANES, s->B + atBC, s->C + atBC, w->decays + i * size, w->states + i * size, w, outDu, outDelta);
    addLaneSums(dB + atBC, w->sumsB, s->n);
    addLaneSums(dC + atBC, w->sumsC, s->n);
    for (int v = 0; v < LANES; v += 4) {
      F4 du = load4(outDu + v), x = load4(u + v), dy = load4(q + v);
      F4 ddelta = madd(du, x, load4(outDelta + v) * splat(0.6931471805599453f));
      if (s->deltaSoftplus) ddelta = ddelta * sigmoid4(load4(raw + v) + load4(w->bias + v));
      store4(outDelta + v, ddelta);
      store4(w->ddeltaBias + v, load4(w->ddeltaBias + v) + ddelta);
      store4(w->dD + v, madd(dy, x, load4(w->dD + v)));
      store4(outDu + v, madd(du, load4(delta + v), load4(w->skip + v) * dy));
    }
    storeRow(out->du + at, outDu, tile.count);
    storeRow(out->ddelta + at, outDelta, tile.count);
  }
}

static void rowBack(const Scan *s, Tile tile, long row, const float *dY, const float *dLastState, Work *w, Gradients *out, float *dB, float *dC) {
  long size = s->n * LANES, bytes = size * (long)sizeof(float);
  if (s->initialState) loadTransposed(w->h, s->initialState + (row * s->d + tile.first) * s->n, s->n, tile.count, 1.0f);
  else memset(w->h, 0, (UW)bytes);
  for (long t = 0; t < s->l; t += SPAN) {
    long steps = minLong(SPAN, s->l - t);
    memcpy(w->checkpoints + t / SPAN * size, w->h, (UW)bytes);
    if (t + SPAN >= s->l) break;
    prepareSteps(s, tile, row, t, steps, w->delta, w->du);
    advance(s, tile, row, t, steps, w->A, staysInRange(w->delta, steps, w->largestA), w->h, w->delta, w->du, w->y);
  }
  if (dLastState) loadTransposed(w->adjoint, dLastState + (row * s->d + tile.first) * s->n, s->n, tile.count, 1.0f);
  else memset(w->adjoint, 0, (UW)bytes);
  for (long t = (s->l - 1) / SPAN * SPAN; t >= 0; t -= SPAN) {
    long steps = minLong(SPAN, s->l - t);
    prepareSteps(s, tile, row, t, steps, w->delta, w->du);
    memcpy(w->states, w->checkpoints + t / SPAN * size, (UW)bytes);
    recompute(s, tile, row, t, steps, w);
    spanBack(s, tile, row, t, steps, dY, w, out, dB, dC);
  }
  if (out->dInitialState) storeTransposed(out->dInitialState + (row * s->d + tile.first) * s->n, w->adjoint, s->n, tile.count);
}

static void tileBack(const Scan *s, Tile tile, const float *dY, const float *dLastState, Work *w, Gradients *out, float *dB, float *dC) {
  loadTransposed(w->A, s->A + tile.first * s->n, s->n, tile.count, LOG2E);
  w->largestA = largest(w->A, s->n * LANES);
  memset(w->dA, 0, (UW)(s->n * LANES) * sizeof(float));
  for (int i = 0; i < LANES; i++) w->dD[i] = w->ddeltaBias[i] = w->bias[i] = w->skip[i] = 0;
  if (s->deltaBias) loadRow(w->bias, s->deltaBias + tile.first, tile.count);
  if (s->D) loadRow(w->skip, s->D + tile.first, tile.count);
  for (long row = 0; row < s->b; row++) rowBack(s, tile, row, dY, dLastState, w, out, dB, dC);
  storeTransposed(out->dA + tile.first * s->n, w->dA, s->n, tile.count);
  if (out->dD) storeRow(out->dD + tile.first, w->dD, tile.count);
  if (out->ddeltaBias) storeRow(out->ddeltaBias + tile.first, w->ddeltaBias, tile.count);
}

/** Floats of scratch a thread needs besides SCRATCH_BYTES: two partial gradients of B and C, and the checkpoints. */
long scanBackwardWorkspace(long b, long l, long g, long n) { return 2 * b * l * g * n + ((l + SPAN - 1) / SPAN) * n * LANES; }

/**
 * selectiveScan's words 2 to 17, then dY, dLastState or 0, workspace (scanBackwardWorkspace floats a thread, the caller's size in the
 * next word), and du, ddelta, dA, dB, dC, dD, dz, ddeltaBias, dInitialState (0 where the input is absent). Tiles are divided over
 * threads; dB and dC sum over tiles, so each thread has its own and they are added in order at the end.
 */
KERNEL(selectiveScanGrad) {
  Scan s = {(const float *)a[0], (const float *)a[1], (const float *)a[2], (const float *)a[3], (const float *)a[4], (const float *)a[5], (const float *)a[6],
            (const float *)a[7], (const float *)a[8], (const int *)a[9], a[10], a[11], a[12], a[13], a[14], (int)a[15]};
  float *workspace = (float *)a[18];
  long perThread = a[19], sizeBC = s.b * s.l * s.g * s.n;
  Gradients out = {(float *)a[20], (float *)a[21], (float *)a[22], (float *)a[23], (float *)a[24], (float *)a[25], (float *)a[26], (float *)a[27], (float *)a[28]};
  float *mine = workspace + thread * perThread;
  memset(mine, 0, (UW)(2 * sizeBC) * sizeof(float));
  Work w = layOut(&s, scratchOf(thread), mine + 2 * sizeBC);
  Span tiles = share(tilesOf(&s), 1, thread, threads);
  for (long i = tiles.lo; i < tiles.hi; i++) tileBack(&s, tileAt(&s, i), (const float *)a[16], (const float *)a[17], &w, &out, mine, mine + sizeBC);
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
