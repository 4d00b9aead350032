// Scans whose state is a matrix a head that decays by a scalar (Mamba-2, Mamba-3), in chunks of tokens as matrix products
// (Dao and Gu 2024, section 6). A token has `r` rows (Mamba-3's ranks; 1 for Mamba-2). With cs_t the sum of log decays inside the chunk,
//   M_ts = (query_t . key_s) exp(cs_t - cs_s) write_s for s < t,  (query_t . key_s) own_s for rows of the same token,
//   y = M value + exp(cs) query state,   state := exp(cs_end) state + sum_s exp(cs_end - cs_s) write_s value_s key_s^T.
// Sums cs run in double and are kept as two floats, so that their differences keep every digit.
#pragma once
#include "panel.h"

/** Tokens from which matrix products pay; rows a chunk has at most: past it, products inside it cost more than what they save between chunks. */
enum { CHUNKED_FROM = 16, CHUNK_ROWS = 32 };

typedef struct {
  const float *query, *key, *value; /* [b, l, g, r, n] twice, [b, l, h, r, p] */
  const float *D, *z, *initial;     /* [h] or [h, p], as value, [b, h, p, n]; 0 where absent */
  const int *seqIdx;
  const float *decay, *write, *own; /* [b, h, l]: log of the decay, weights */
  long b, l, h, g, r, p, n;
  long q; /* tokens a chunk */
  int wideD;
} Chunked;

/** A decay's logarithm beyond which exp is 0 or infinite anyway: sums of such stay finite. */
INLINE float boundedLog(float x) { return x < -10000.0f ? -10000.0f : x > 10000.0f ? 10000.0f : x; }
INLINE long chunkRows(const Chunked *s) { return pad8(s->q * s->r); }
INLINE int chunkedRestarts(const Chunked *s, long row, long t) { return s->seqIdx && t > 0 && s->seqIdx[row * s->l + t] != s->seqIdx[row * s->l + t - 1]; }

/** What the tokens of a chunk weigh, one entry a row of the chunk. */
typedef struct {
  long from, tokens, rows, padded; /* first token, how many, r times as many, to a multiple of 8 */
  float carry;                     /* of the state into the next chunk */
  float *high, *low;               /* cs */
  float *write, *own;
  float *in, *out, *outDecay; /* exp(cs_t), 0 after a restart; exp(cs_end - cs_s) write_s, and without write_s */
  int *token, *first;         /* token of the row; first row of its sequence in the chunk */
} ChunkWeights;

SIZE(pad16, long n) { return (n + 15) & ~15L; }
INLINE float *takeFloats(float **memory, long count) {
  float *at = *memory;
  *memory += pad16(count);
  return at;
}
void layOutWeights(ChunkWeights *w, float **memory, long rows);
void weighChunk(const Chunked *s, ChunkWeights *w, long row, long head, long from);
/** Rows of the chunk, zeros to [padded][width padded]; heads: how many share the array's tokens, `head` the one wanted. */
void gatherRows(const Chunked *s, const ChunkWeights *w, float *out, const float *in, long row, long heads, long head, long width);
/** Factors of a pair (row t, four rows s): what the product of query and key is multiplied by. */
typedef struct { F4 weight, decay; I4 seen, same; } PairWeight;
INLINE PairWeight weighPair(const ChunkWeights *w, long t, long s) {
  I4 tokens = loadInt4(w->token + s), index = splatInt((int)s) + (I4){0, 1, 2, 3};
  PairWeight p;
  p.same = tokens == splatInt(w->token[t]);
  p.seen = (tokens <= splatInt(w->token[t])) & (index >= splatInt(w->first[t]));
  p.decay = exp4((splat(w->high[t]) - load4(w->high + s)) + (splat(w->low[t]) - load4(w->low + s)));
  p.weight = select4(p.same, load4(w->own + s), p.decay * load4(w->write + s));
  return p;
}
/** [p, n] of memory to and from a state, which lies as a B of the product query state: panels of 8 channels [n padded][8]. */
void stateFrom(float *state, const float *in, long p, long n);
void stateTo(float *out, const float *state, long p, long n);

/** Floats of rows of scalars, rows [rows][n] and [rows][p], and squares [rows][rows] that both directions lay out. */
SIZE(chunkFloats, long rows, long scalars, long p, long n) {
  return scalars * pad16(rows) + 4 * pad16(rows * pad8(n)) + 4 * pad16(rows * pad8(p)) + 2 * pad16(rows * rows);
}
/** Floats of a thread for chunkedScan with `heads` heads at a time; rows: tokens a chunk times r, padded. */
SIZE(chunkedFloats, long rows, long p, long n, long heads) { return chunkFloats(rows, 9, p, n) + heads * pad8(n) * pad8(p); }
/** Scans heads [lo, hi) of [b, h]. */
void chunkedScan(const Chunked *s, long lo, long hi, float *y, float *lastState, float *memory);

typedef struct {
  const float *dY, *dLastState; /* 0 where absent */
  float *dQuery, *dKey, *dValue, *dD, *dz, *dInitial; /* dD is added to, as are dQuery and dKey where several heads share them */
  float *dDecay, *dWrite, *dOwn;                      /* [b, h, l] */
} ChunkedGradients;
/** Floats of a thread for chunkedBack, which keeps the state before each of `chunks`. */
SIZE(chunkedBackFloats, long rows, long chunks, long p, long n) {
  return chunkFloats(rows, 12, p, n) + 2 * pad16(rows * maxLong(rows, maxLong(pad8(n), pad8(p)))) + 2 * pad16(pad8(n) * pad8(p)) + chunks * pad8(n) * pad8(p);
}
/**
 * Whether what one of several packed sequences of a head holds may reach another through a product with the 0 that stands between them:
 * NaN, infinities, or values whose products might become such. The recurrence then has to be taken.
 */
int mayStray(const Chunked *s, long row, long head, const float *dY, const float *dLastState);
/** Gradients of one head of one row. */
void chunkedBack(const Chunked *s, long row, long head, const ChunkedGradients *g, float *memory);
