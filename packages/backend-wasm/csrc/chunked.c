#include "chunked.h"

void layOutWeights(ChunkWeights *w, float **memory, long rows) {
  float **arrays[] = {&w->high, &w->low, &w->write, &w->own, &w->in, &w->out, &w->outDecay};
  for (int i = 0; i < 7; i++) *arrays[i] = takeFloats(memory, rows);
  w->token = (int *)takeFloats(memory, rows);
  w->first = (int *)takeFloats(memory, rows);
}

void weighChunk(const Chunked *s, ChunkWeights *w, long row, long head, long from) {
  long at = (row * s->h + head) * s->l + from, r = s->r, first = 0, opening = s->q * r;
  double sum = 0;
  w->from = from;
  w->tokens = minLong(s->q, s->l - from);
  w->rows = w->tokens * r;
  w->padded = pad8(w->rows);
  for (long i = 0, token = 0, rank = 0; i < w->padded; i++) {
    int in = i < w->rows;
    if (in && rank == 0) {
      if (chunkedRestarts(s, row, from + token)) first = i, opening = minLong(opening, i);
      else sum += (double)s->decay[at + token];
    }
    w->high[i] = (float)sum;
    w->low[i] = (float)(sum - (double)w->high[i]);
    w->write[i] = in ? s->write[at + token] : 0.0f;
    w->own[i] = in ? s->own[at + token] : 0.0f;
    w->token[i] = (int)token;
    w->first[i] = (int)first;
    if (++rank == r) rank = 0, token++;
  }
  float high = w->high[w->rows - 1], low = w->low[w->rows - 1];
  for (long i = 0; i < w->padded; i += 4) {
    F4 decay = exp4((splat(high) - load4(w->high + i)) + (splat(low) - load4(w->low + i)));
    I4 index = splatInt((int)i) + (I4){0, 1, 2, 3};
    decay = select4((index >= splatInt((int)first)) & (index < splatInt((int)w->rows)), decay, splat(0));
    store4(w->outDecay + i, decay);
    store4(w->out + i, decay * load4(w->write + i));
    // exp(high + low), low being far below a unit of high's last place
    F4 in = exp4(load4(w->high + i)) * (K(ONE) + load4(w->low + i));
    store4(w->in + i, select4(index < splatInt((int)minLong(opening, w->rows)), in, splat(0)));
  }
  w->carry = first > 0 || opening == 0 ? 0.0f : w->in[w->rows - 1];
}

void gatherRows(const Chunked *s, const ChunkWeights *w, float *out, const float *in, long row, long heads, long head, long width) {
  long wide = pad8(width);
  for (long t = 0; t < w->tokens; t++) {
    const float *p = in + ((row * s->l + w->from + t) * heads + head) * s->r * width;
    for (long i = 0; i < s->r; i++, p += width, out += wide) {
      long j = 0;
      for (; j + 4 <= width; j += 4) store4(out + j, load4(p + j));
      for (; j < wide; j++) out[j] = j < width ? p[j] : 0.0f;
    }
  }
  for (long i = (w->padded - w->rows) * wide; i > 0; i -= 4, out += 4) store4(out, splat(0));
}

void stateFrom(float *state, const float *in, long p, long n) {
  long rows = pad8(n);
  for (long c = 0; c < pad8(p); c++)
    for (long e = 0; e < rows; e++) state[(c / PANEL_COLUMNS * rows + e) * PANEL_COLUMNS + c % PANEL_COLUMNS] = in && c < p && e < n ? in[c * n + e] : 0.0f;
}
void stateTo(float *out, const float *state, long p, long n) {
  long rows = pad8(n);
  for (long c = 0; c < p; c++)
    for (long e = 0; e < n; e++) out[c * n + e] = state[(c / PANEL_COLUMNS * rows + e) * PANEL_COLUMNS + c % PANEL_COLUMNS];
}

/** M of a chunk, written straight as the A of M value: four rows t, four columns s at a time. */
static void maskedScores(const Chunked *s, const ChunkWeights *w, const float *scores, long stride, float *out) {
  for (long t = 0; t < w->padded; t += PANEL_ROWS) {
    long until = minLong(w->padded, ((t + PANEL_ROWS - 1) / s->r + 1) * s->r);
    float *panel = out + t * stride;
    for (long j = 0; j < until; j += 4)
      {
        F4 m[PANEL_ROWS];
        for (long i = 0; i < PANEL_ROWS; i++) {
          PairWeight pair = weighPair(w, t + i, j);
          m[i] = select4(pair.seen, load4(scores + (t + i) * stride + j) * pair.weight, splat(0));
        }
        transpose4(m, m + 1, m + 2, m + 3);
        for (long e = 0; e < 4; e++) store4(panel + (j + e) * PANEL_ROWS, m[e]);
      }
  }
}

/** y = (y + D value) silu(z), rows of the chunk to memory. */
static void finishRows(const Chunked *s, const ChunkWeights *w, const float *y, const float *value, long row, long head, float *out) {
  long wide = pad8(s->p);
  for (long i = 0, rank = 0, token = row * s->l + w->from; i < w->rows; i++, y += wide, value += wide) {
    long at = ((token * s->h + head) * s->r + rank) * s->p;
    if (++rank == s->r) rank = 0, token++;
    for (long c = 0; c < s->p; c += 4) {
      long count = s->p - c;
      F4 x = load4(y + c);
      if (s->D) x = madd(s->wideD ? loadPart(s->D + head * s->p + c, count) : splat(s->D[head]), load4(value + c), x);
      if (s->z) x = x * silu4(loadPart(s->z + at + c, count));
      storePart(out + at + c, x, count);
    }
  }
}

typedef struct {
  ChunkWeights weights;
  float *rows, *values, *y;          /* [R][n], [R][p] twice */
  float *queryA, *keyB, *keyColumns; /* of query key^T, and key^T for the state */
  float *scores, *masked;            /* [R][R], and M as panels */
  float *valueB, *writtenB;          /* value, and value times out */
  float *states;                     /* one a head of the run */
} ChunkWork;

/** Query and key of a chunk, in every layout the heads of their group need, and their products. */
static void prepareGroup(const Chunked *s, ChunkWork *k, long row, long group) {
  const ChunkWeights *w = &k->weights;
  long rows = chunkRows(s), n8 = pad8(s->n);
  gatherRows(s, w, k->rows, s->query, row, s->g, group, s->n);
  packRowsA(k->queryA, k->rows, n8, w->padded, n8);
  gatherRows(s, w, k->rows, s->key, row, s->g, group, s->n);
  packColumnsB(k->keyB, k->rows, n8, n8, w->padded, n8 * PANEL_COLUMNS);
  packColumnsA(k->keyColumns, k->rows, n8, n8, w->rows, rows * PANEL_ROWS);
  PanelProduct scores = {k->queryA, k->keyB, k->scores, n8 * PANEL_ROWS, n8 * PANEL_COLUMNS, rows, PANEL_COLUMNS, w->padded, w->padded, s->n, 0, 0, PANEL_LOWER_C, s->r};
  panelProduct(&scores);
}

static void scanChunk(const Chunked *s, ChunkWork *k, long row, long head, float *state, float *y) {
  const ChunkWeights *w = &k->weights;
  long rows = chunkRows(s), n8 = pad8(s->n), p8 = pad8(s->p), statePanel = n8 * PANEL_COLUMNS, valuePanel = rows * PANEL_COLUMNS;
  gatherRows(s, w, k->values, s->value, row, s->h, head, s->p);
  packRowsB(k->valueB, k->values, p8, w->rows, p8, valuePanel, 0);
  packRowsB(k->writtenB, k->values, p8, w->rows, p8, valuePanel, w->out);
  maskedScores(s, w, k->scores, rows, k->masked);
  PanelProduct before = {k->queryA, state, k->y, n8 * PANEL_ROWS, statePanel, p8, PANEL_COLUMNS, w->padded, p8, s->n, 0, 0, PANEL_ALL, 1};
  PanelProduct within = {k->masked, k->valueB, k->y, rows * PANEL_ROWS, valuePanel, p8, PANEL_COLUMNS, w->padded, p8, w->rows, w->in, 1, PANEL_LOWER_A, s->r};
  PanelProduct update = {k->keyColumns, k->writtenB, state, rows * PANEL_ROWS, valuePanel, PANEL_COLUMNS, statePanel, n8, p8, w->rows, &w->carry, 0, PANEL_ALL, 1};
  panelProduct(&before);
  panelProduct(&within);
  panelProduct(&update);
  finishRows(s, w, k->y, k->values, row, head, y);
}

void chunkedScan(const Chunked *s, long lo, long hi, float *y, float *lastState, float *memory) {
  long rows = chunkRows(s), n8 = pad8(s->n), p8 = pad8(s->p), perGroup = s->h / s->g;
  ChunkWork k;
  layOutWeights(&k.weights, &memory, rows);
  float **ofRowsN[] = {&k.rows, &k.queryA, &k.keyB, &k.keyColumns}, **ofRowsP[] = {&k.values, &k.y, &k.valueB, &k.writtenB};
  for (int i = 0; i < 4; i++) *ofRowsN[i] = takeFloats(&memory, rows * n8), *ofRowsP[i] = takeFloats(&memory, rows * p8);
  k.scores = takeFloats(&memory, rows * rows);
  k.masked = takeFloats(&memory, rows * rows);
  k.states = memory;
  while (lo < hi) {
    // Heads of one group and row go through the chunks together: the products of query and key are theirs in common.
    long row = lo / s->h, head = lo % s->h, group = head / perGroup, count = minLong(hi - lo, (group + 1) * perGroup - head);
    for (long i = 0; i < count; i++) stateFrom(k.states + i * n8 * p8, s->initial ? s->initial + (lo + i) * s->p * s->n : 0, s->p, s->n);
    for (long from = 0; from < s->l; from += s->q)
      for (long i = 0; i < count; i++) {
        weighChunk(s, &k.weights, row, head + i, from);
        if (i == 0) prepareGroup(s, &k, row, group);
        scanChunk(s, &k, row, head + i, k.states + i * n8 * p8, y);
      }
    for (long i = 0; lastState && i < count; i++) stateTo(lastState + (lo + i) * s->p * s->n, k.states + i * n8 * p8, s->p, s->n);
    lo += count;
  }
}
