// Gradients of the chunked scan. States at chunk starts are kept, all else is computed again. With dM = dout value^T and the adjoint
// dS of the state after the chunk:
//   dvalue = M^T dout + diag(out) key dS^T,           dquery = (dM * W) key + diag(in) dout S,
//   dkey   = (dM * W)^T query + diag(out) value dS,   dS before = carry dS + sum_t in_t dout_t query_t^T,
// and P = dM * M, summed over its rows and columns, is what the sums cs receive.
#include "chunked.h"

typedef struct {
  ChunkWeights weights;
  float *query, *key, *readBack, *written;    /* [R][n]: inputs; dout S and value dS, which become dquery and dkey */
  float *value, *dOut, *y, *valueBack;        /* [R][p]; valueBack: key dS^T, which becomes dvalue */
  float *scores, *dScores;                    /* [R][R]: products of query and key, and of dout and value; then M and dM * W */
  float *sums, *dWrite, *dOwn;                /* [R]: what cs and the weights receive */
  float *a, *b;                               /* panels of the product at hand */
  float *adjoint, *transposed, *states;       /* [n][p] as panels; the same as [p][n]; one a chunk */
} ChunkBack;

/** A state as a B of k = p: panels of 8 of n, [p padded][8]. */
static void transposeState(float *out, const float *state, long p, long n) {
  long n8 = pad8(n), p8 = pad8(p);
  for (long c = 0; c < p8; c += 4)
    for (long e = 0; e < n8; e += 4) {
      const float *in = state + (c / PANEL_COLUMNS * n8 + e) * PANEL_COLUMNS + c % PANEL_COLUMNS;
      float *to = out + (e / PANEL_COLUMNS * p8 + c) * PANEL_COLUMNS + e % PANEL_COLUMNS;
      F4 m[4];
      for (int i = 0; i < 4; i++) m[i] = load4(in + i * PANEL_COLUMNS);
      transpose4(m, m + 1, m + 2, m + 3);
      for (int i = 0; i < 4; i++) store4(to + i * PANEL_COLUMNS, m[i]);
    }
}
INLINE float dotRows(const float *x, const float *y, long count) {
  F4 sum = splat(0);
  for (long i = 0; i < count; i += 4) sum = madd(load4(x + i), load4(y + i), sum);
  return sum4(sum);
}
INLINE long valueRow(const Chunked *s, const ChunkWeights *w, long row, long head, long i) {
  return (((row * s->l + w->from + i / s->r) * s->h + head) * s->r + i % s->r) * s->p;
}

/** C [padded rows][n] from A in k->a (panels `depth` long) and B in `b`. */
static void rowsProduct(const ChunkBack *k, const float *b, long bPanel, float *c, long n, long depth, long used, const float *keep, PanelPart part, long rank) {
  PanelProduct p = {k->a, b, c, depth * PANEL_ROWS, bPanel, n, PANEL_COLUMNS, k->weights.padded, n, used, keep, 1, part, rank};
  panelProduct(&p);
}

/** The state over the chunk: forward, or its adjoint backward; rows are key and value, or query and dout. */
static void updateState(const Chunked *s, ChunkBack *k, const float *columns, const float *rows, const float *scale, float *state) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), p8 = pad8(s->p), depth = w->padded;
  packColumnsA(k->a, columns, n8, n8, w->rows, depth * PANEL_ROWS);
  packRowsB(k->b, rows, p8, w->rows, p8, depth * PANEL_COLUMNS, scale);
  PanelProduct p = {k->a, k->b, state, depth * PANEL_ROWS, depth * PANEL_COLUMNS, PANEL_COLUMNS, n8 * PANEL_COLUMNS, n8, p8, w->rows, &w->carry, 0, PANEL_ALL, 1};
  panelProduct(&p);
}

/** States at the start of every chunk. */
static void keepStates(const Chunked *s, ChunkBack *k, long row, long head) {
  long size = pad8(s->n) * pad8(s->p), group = head / (s->h / s->g);
  stateFrom(k->states, s->initial ? s->initial + (row * s->h + head) * s->p * s->n : 0, s->p, s->n);
  float *state = k->states;
  for (long from = 0; from + s->q < s->l; from += s->q, state += size) {
    memcpy(state + size, state, (UW)size * sizeof(float));
    weighChunk(s, &k->weights, row, head, from);
    gatherRows(s, &k->weights, k->key, s->key, row, s->g, group, s->n);
    gatherRows(s, &k->weights, k->value, s->value, row, s->h, head, s->p);
    updateState(s, k, k->key, k->value, k->weights.out, state + size);
  }
}

/** dout = dy silu(z), zeros where nothing comes from y. */
static void gatherUpstream(const Chunked *s, ChunkBack *k, long row, long head, const float *dY) {
  const ChunkWeights *w = &k->weights;
  long p8 = pad8(s->p);
  if (!dY) {
    memset(k->dOut, 0, (UW)(w->padded * p8) * sizeof(float));
    return;
  }
  gatherRows(s, w, k->dOut, dY, row, s->h, head, s->p);
  for (long i = 0; s->z && i < w->rows; i++)
    for (long c = 0; c < s->p; c += 4) {
      float *at = k->dOut + i * p8 + c;
      store4(at, load4(at) * silu4(loadPart(s->z + valueRow(s, w, row, head, i) + c, s->p - c)));
    }
}

/** Scores to M, their gradients to dM * W, and the sums over P. */
static void maskBack(const Chunked *s, ChunkBack *k) {
  const ChunkWeights *w = &k->weights;
  long stride = w->padded;
  for (long i = 0; i < stride; i++) k->sums[i] = k->dWrite[i] = k->dOwn[i] = 0;
  for (long t = 0; t < stride; t++) {
    long until = minLong(stride, ((t / PANEL_ROWS * PANEL_ROWS + PANEL_ROWS - 1) / s->r + 1) * s->r);
    F4 sum = splat(0);
    for (long j = 0; j < until; j += 4) {
      PairWeight pair = weighPair(w, t, j);
      float *score = k->scores + t * stride + j, *dScore = k->dScores + t * stride + j;
      F4 g = select4(pair.seen, load4(score), splat(0)), d = select4(pair.seen, load4(dScore), splat(0)), both = g * d;
      F4 decay = select4(pair.seen & ~pair.same, pair.decay, splat(0)), direct = both * decay, p = direct * load4(w->write + j);
      F4 weight = select4(pair.seen, pair.weight, splat(0));
      store4(score, g * weight);
      store4(dScore, d * weight);
      sum += p;
      store4(k->sums + j, load4(k->sums + j) - p);
      store4(k->dWrite + j, load4(k->dWrite + j) + direct);
      store4(k->dOwn + j, load4(k->dOwn + j) + select4(pair.same, both, splat(0)));
    }
    k->sums[t] += sum4(sum);
  }
}

/** y before the gate, for the gate's gradient. */
static void gateBack(const Chunked *s, ChunkBack *k, long row, long head, const float *state, const ChunkedGradients *g) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), p8 = pad8(s->p), depth = w->padded;
  packRowsA(k->a, k->query, n8, depth, n8);
  rowsProduct(k, state, n8 * PANEL_COLUMNS, k->y, p8, n8, s->n, 0, PANEL_ALL, 1);
  packRowsA(k->a, k->scores, depth, depth, depth);
  packRowsB(k->b, k->value, p8, w->rows, p8, depth * PANEL_COLUMNS, 0);
  rowsProduct(k, k->b, depth * PANEL_COLUMNS, k->y, p8, depth, w->rows, w->in, PANEL_LOWER_A, s->r);
  for (long i = 0; i < w->rows; i++)
    for (long c = 0; c < s->p; c += 4) {
      long at = valueRow(s, w, row, head, i) + c, count = s->p - c;
      F4 x = load4(k->y + i * p8 + c), z = loadPart(s->z + at, count), gate = sigmoid4(z), dy = g->dY ? loadPart(g->dY + at, count) : splat(0);
      if (s->D) x = madd(s->wideD ? loadPart(s->D + head * s->p + c, count) : splat(s->D[head]), load4(k->value + i * p8 + c), x);
      storePart(g->dz + at, dy * x * gate * madd(z, splat(1.0f) - gate, splat(1.0f)), count);
    }
}

/** dvalue, with the skip's share, and dD. */
static void valueGradients(const Chunked *s, ChunkBack *k, long row, long head, const ChunkedGradients *g) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), p8 = pad8(s->p), depth = w->padded;
  packRowsA(k->a, k->key, n8, depth, n8);
  rowsProduct(k, k->adjoint, n8 * PANEL_COLUMNS, k->valueBack, p8, n8, s->n, 0, PANEL_ALL, 1);
  for (long i = 0; i < w->rows; i++) {
    float through = dotRows(k->valueBack + i * p8, k->value + i * p8, p8);
    k->dWrite[i] += w->outDecay[i] * through;
    k->written[i] = w->out[i] * through; // until dkey's product takes this memory: summed by scalarGradients
  }
  packColumnsA(k->a, k->scores, depth, depth, w->rows, depth * PANEL_ROWS);
  packRowsB(k->b, k->dOut, p8, w->rows, p8, depth * PANEL_COLUMNS, 0);
  rowsProduct(k, k->b, depth * PANEL_COLUMNS, k->valueBack, p8, depth, w->rows, w->out, PANEL_UPPER_A, s->r);
  for (long c = 0; c < s->p; c += 4) {
    long count = s->p - c;
    F4 skip = !s->D ? splat(0) : s->wideD ? loadPart(s->D + head * s->p + c, count) : splat(s->D[head]), dSkip = splat(0);
    for (long i = 0; i < w->rows; i++) {
      F4 dout = load4(k->dOut + i * p8 + c);
      dSkip = madd(dout, load4(k->value + i * p8 + c), dSkip);
      storePart(g->dValue + valueRow(s, w, row, head, i) + c, madd(skip, dout, load4(k->valueBack + i * p8 + c)), count);
    }
    if (!g->dD) continue;
    float *to = g->dD + (s->wideD ? head * s->p + c : head);
    if (s->wideD) storePart(to, loadPart(to, count) + dSkip, count);
    else *to += sum4(dSkip);
  }
}

/** Rows of a gradient by query or key to memory: stored, or added where heads share them. */
static void storeRows(const Chunked *s, const ChunkWeights *w, float *out, const float *rows, long row, long group) {
  long n8 = pad8(s->n);
  for (long i = 0; i < w->rows; i++) {
    float *to = out + (((row * s->l + w->from + i / s->r) * s->g + group) * s->r + i % s->r) * s->n;
    for (long e = 0; e < s->n; e += 4) {
      F4 x = load4(rows + i * n8 + e);
      storePart(to + e, s->h > s->g ? loadPart(to + e, s->n - e) + x : x, s->n - e);
    }
  }
}

static void queryGradients(const Chunked *s, ChunkBack *k, long row, long group, float *dQuery) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), depth = w->padded;
  for (long i = 0; i < w->rows; i++) k->sums[i] += w->in[i] * dotRows(k->readBack + i * n8, k->query + i * n8, n8);
  packRowsA(k->a, k->dScores, depth, depth, depth);
  packRowsB(k->b, k->key, n8, w->rows, n8, depth * PANEL_COLUMNS, 0);
  rowsProduct(k, k->b, depth * PANEL_COLUMNS, k->readBack, n8, depth, w->rows, w->in, PANEL_LOWER_A, s->r);
  storeRows(s, w, dQuery, k->readBack, row, group);
}
static void keyGradients(const Chunked *s, ChunkBack *k, long row, long group, float *dKey) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), p8 = pad8(s->p), depth = w->padded;
  transposeState(k->transposed, k->adjoint, s->p, s->n);
  packRowsA(k->a, k->value, p8, depth, p8);
  rowsProduct(k, k->transposed, p8 * PANEL_COLUMNS, k->written, n8, p8, s->p, 0, PANEL_ALL, 1);
  packColumnsA(k->a, k->dScores, depth, depth, w->rows, depth * PANEL_ROWS);
  packRowsB(k->b, k->query, n8, w->rows, n8, depth * PANEL_COLUMNS, 0);
  rowsProduct(k, k->b, depth * PANEL_COLUMNS, k->written, n8, depth, w->rows, w->out, PANEL_UPPER_A, s->r);
  storeRows(s, w, dKey, k->written, row, group);
}

/** What decays and weights of the chunk's tokens receive; k->sums holds what each cs gets, but for `end`, which goes to the last. */
static void scalarGradients(const Chunked *s, const ChunkBack *k, long row, long head, double end, const ChunkedGradients *g) {
  const ChunkWeights *w = &k->weights;
  long at = (row * s->h + head) * s->l + w->from;
  double suffix = end;
  for (long t = w->tokens - 1; t >= 0; t--) {
    double write = 0, own = 0;
    for (long i = t * s->r; i < (t + 1) * s->r; i++) suffix += (double)k->sums[i], write += (double)k->dWrite[i], own += (double)k->dOwn[i];
    g->dDecay[at + t] = chunkedRestarts(s, row, w->from + t) ? 0.0f : (float)suffix;
    g->dWrite[at + t] = (float)write;
    g->dOwn[at + t] = (float)own;
  }
}

/** Whether none of `rows` rows of `width` floats, `stride` apart, is more than 1e8 or no number. */
static int isCalm(const float *p, long rows, long stride, long width) {
  I4 calm = splatInt(-1);
  for (long i = 0; p && i < rows; i++, p += stride)
    for (long c = 0; c < width; c += 4) calm &= abs4(loadPart(p + c, width - c)) <= splat(1e8f);
  return (calm[0] & calm[1] & calm[2] & calm[3]) != 0;
}
/** Whether none of `count` logarithms of decays is above 0 or no number: growth over a chunk may be more than float32 holds. */
static int decays(const float *p, long count) {
  for (long i = 0; i < count; i++)
    if (!(p[i] <= 0)) return 0;
  return 1;
}
int mayStray(const Chunked *s, long row, long head, const float *dY, const float *dLastState) {
  if (!s->seqIdx) return 0;
  long item = row * s->h + head, first = row * s->l, group = head / (s->h / s->g), size = s->p * s->n;
  long wide = s->r * s->p, deep = s->r * s->n, values = (first * s->h + head) * wide, keys = (first * s->g + group) * deep, scalars = item * s->l;
  return !(isCalm(s->value + values, s->l, s->h * wide, wide) && isCalm(dY ? dY + values : 0, s->l, s->h * wide, wide) &&
           isCalm(s->z ? s->z + values : 0, s->l, s->h * wide, wide) && isCalm(s->query + keys, s->l, s->g * deep, deep) &&
           isCalm(s->key + keys, s->l, s->g * deep, deep) && decays(s->decay + scalars, s->l) && isCalm(s->write + scalars, 1, 0, s->l) &&
           isCalm(s->own + scalars, 1, 0, s->l) && isCalm(s->initial ? s->initial + item * size : 0, 1, 0, size) &&
           isCalm(dLastState ? dLastState + item * size : 0, 1, 0, size));
}

static void chunkBack(const Chunked *s, ChunkBack *k, long row, long head, const float *state, const ChunkedGradients *g) {
  const ChunkWeights *w = &k->weights;
  long n8 = pad8(s->n), p8 = pad8(s->p), group = head / (s->h / s->g), depth = w->padded;
  gatherRows(s, w, k->query, s->query, row, s->g, group, s->n);
  gatherRows(s, w, k->key, s->key, row, s->g, group, s->n);
  gatherRows(s, w, k->value, s->value, row, s->h, head, s->p);
  gatherUpstream(s, k, row, head, g->dY);
  packRowsA(k->a, k->query, n8, depth, n8);
  packColumnsB(k->b, k->key, n8, n8, depth, n8 * PANEL_COLUMNS);
  rowsProduct(k, k->b, n8 * PANEL_COLUMNS, k->scores, depth, n8, s->n, 0, PANEL_LOWER_C, s->r);
  packRowsA(k->a, k->dOut, p8, depth, p8);
  packColumnsB(k->b, k->value, p8, p8, depth, p8 * PANEL_COLUMNS);
  rowsProduct(k, k->b, p8 * PANEL_COLUMNS, k->dScores, depth, p8, s->p, 0, PANEL_LOWER_C, s->r);
  transposeState(k->transposed, state, s->p, s->n);
  rowsProduct(k, k->transposed, p8 * PANEL_COLUMNS, k->readBack, n8, p8, s->p, 0, PANEL_ALL, 1);
  maskBack(s, k);
  if (s->z) gateBack(s, k, row, head, state, g);
  valueGradients(s, k, row, head, g);
  double end = w->carry == 0.0f ? 0 : (double)w->carry * (double)dotRows(state, k->adjoint, n8 * p8);
  for (long i = 0; i < w->rows; i++) k->sums[i] -= k->written[i], end += (double)k->written[i];
  queryGradients(s, k, row, group, g->dQuery);
  keyGradients(s, k, row, group, g->dKey);
  scalarGradients(s, k, row, head, end, g);
  updateState(s, k, k->query, k->dOut, w->in, k->adjoint);
}

void chunkedBack(const Chunked *s, long row, long head, const ChunkedGradients *g, float *memory) {
  long rows = chunkRows(s), n8 = pad8(s->n), p8 = pad8(s->p), size = n8 * p8, index = (row * s->h + head) * s->p * s->n;
  long widest = maxLong(rows, maxLong(n8, p8));
  ChunkBack k;
  layOutWeights(&k.weights, &memory, rows);
  float **ofRows[] = {&k.sums, &k.dWrite, &k.dOwn}, **ofRowsN[] = {&k.query, &k.key, &k.readBack, &k.written}, **ofRowsP[] = {&k.value, &k.dOut, &k.y, &k.valueBack};
  for (int i = 0; i < 3; i++) *ofRows[i] = takeFloats(&memory, rows);
  for (int i = 0; i < 4; i++) *ofRowsN[i] = takeFloats(&memory, rows * n8), *ofRowsP[i] = takeFloats(&memory, rows * p8);
  k.scores = takeFloats(&memory, rows * rows), k.dScores = takeFloats(&memory, rows * rows);
  k.a = takeFloats(&memory, rows * widest), k.b = takeFloats(&memory, rows * widest);
  k.adjoint = takeFloats(&memory, size), k.transposed = takeFloats(&memory, size);
  k.states = memory;
  keepStates(s, &k, row, head);
  stateFrom(k.adjoint, g->dLastState ? g->dLastState + index : 0, s->p, s->n);
  for (long from = (s->l - 1) / s->q * s->q; from >= 0; from -= s->q) {
    weighChunk(s, &k.weights, row, head, from);
    chunkBack(s, &k, row, head, k.states + from / s->q * size, g);
  }
  if (g->dInitial) stateTo(g->dInitial + index, k.adjoint, s->p, s->n);
}
