// C = A B (+ bias): f32, packed and blocked (Goto & van de Geijn 2008), any strides, batched.
// Micro-tile 4 x 12: twelve accumulators, three loads of B and one broadcast of A live at a time fit the 15 vector registers
// an engine leaves; see bench/NOTES.md for the tiles tried.
#include "byRows.h"
#include "gemm.h"

enum { MR = 4, NR = 12, KC = 384, MC = 128, NC = 768 };
/**
 * Where both operands lie along k they are multiplied so, from this k on (their lanes are added up at its end), or up to so many rows: as many
 * as texts that are likely to step at once, so that a step of a few of them has the same bits.
 */
enum { BY_ROWS_K = 32, BY_ROWS_M = 64 };
/** Where only A lies along k, columns and rows of B whose transpose is made at a time; with fewer rows of A it is not worth its making. */
enum { TURN_COLUMNS = 256, TURN_K = 1024, TURN_M = 64 };

/** Rows of k that are packed at a time over all panels: as many pages stay translated and in the prefetcher. */
enum { PACK_ROWS = 16 };
/**
 * Lanes [0, count) x k [0, depth) of a matrix as panels [k][width], zero lanes at the end. A lane is a row of A (width MR) or a
 * column of B (width NR), `lane` apart; `step` is from one k to the next.
 */
INLINE void pack(float *out, const float *p, long lane, long step, long count, long depth, const int width) {
  long whole = lane == 1 || step == 1 ? count / width * width : 0;
  if (lane == 1) {
    // A panel at a time would touch a new page at each k.
    for (long k = 0; k < depth; k += PACK_ROWS) {
      long until = minLong(depth, k + PACK_ROWS);
      for (long j = 0; j < whole; j += width)
        for (long q = k; q < until; q++)
          for (int i = 0; i < width; i += 4) store4(out + j * depth + q * width + i, load4(p + j + q * step + i));
    }
  } else {
    for (long j = 0; j < whole; j += 4) {
      const float *p0 = p + j * lane, *p1 = p0 + lane, *p2 = p1 + lane, *p3 = p2 + lane;
      float *o = out + j / width * width * depth + j % width;
      long k = 0;
      for (; k + 4 <= depth; k += 4, o += 4 * width) {
        F4 a = load4(p0 + k), b = load4(p1 + k), c = load4(p2 + k), d = load4(p3 + k);
        transpose4(&a, &b, &c, &d);
        store4(o, a), store4(o + width, b), store4(o + 2 * width, c), store4(o + 3 * width, d);
      }
      for (; k < depth; k++, o += width) store4(o, (F4){p0[k], p1[k], p2[k], p3[k]});
    }
  }
  for (long j = whole; j < count; j += width)
    for (long k = 0; k < depth; k++)
      for (long i = 0; i < width; i++) out[j * depth + k * width + i] = j + i < count ? p[(j + i) * lane + k * step] : 0.0f;
}
static void packA(float *out, Matrix A, long rows, long depth) { pack(out, A.data, A.row, A.column, rows, depth, MR); }
static void packB(float *out, Matrix B, long columns, long depth) { pack(out, B.data, B.column, B.row, columns, depth, NR); }

#define ACCUMULATE(i)                      \
  {                                        \
    F4 x = splat(a[i]);                    \
    c##i##0 = madd(x, b0, c##i##0);        \
    c##i##1 = madd(x, b1, c##i##1);        \
    c##i##2 = madd(x, b2, c##i##2);        \
  }
#define STEP                                                          \
  {                                                                   \
    F4 b0 = load4(b), b1 = load4(b + 4), b2 = load4(b + 8);           \
    ACCUMULATE(0) ACCUMULATE(1) ACCUMULATE(2) ACCUMULATE(3)           \
    a += MR;                                                          \
    b += NR;                                                          \
  }
#define STORE(i)                                              \
  {                                                           \
    float *o = c + i * row;                                   \
    if (first) {                                              \
      store4(o, c##i##0 + s0);                                \
      store4(o + 4, c##i##1 + s1);                            \
      store4(o + 8, c##i##2 + s2);                            \
    } else {                                                  \
      store4(o, load4(o) + c##i##0);                          \
      store4(o + 4, load4(o + 4) + c##i##1);                  \
      store4(o + 8, load4(o + 8) + c##i##2);                  \
    }                                                         \
  }
/** One 4 x 12 tile; `first` writes C = bias + AB, otherwise C += AB. */
static __attribute__((noinline)) void micro(const float *a, const float *b, long k, float *c, long row, int first, const float *bias) {
  F4 z = splat(0);
  F4 c00 = z, c01 = z, c02 = z, c10 = z, c11 = z, c12 = z, c20 = z, c21 = z, c22 = z, c30 = z, c31 = z, c32 = z;
  for (; k >= 4; k -= 4) { STEP STEP STEP STEP }
  for (; k > 0; k--) STEP
  F4 s0 = z, s1 = z, s2 = z;
  if (bias) s0 = load4(bias), s1 = load4(bias + 4), s2 = load4(bias + 8);
  STORE(0) STORE(1) STORE(2) STORE(3)
}

/** A tile at the rim: through a full tile on the stack. */
static void microEdge(const float *a, const float *b, long k, float *c, long row, int first, const float *bias, long rows, long columns) {
  float tile[MR * NR];
  micro(a, b, k, tile, NR, 1, 0);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      float *o = c + i * row + j;
      *o = tile[i * NR + j] + (first ? (bias ? bias[j] : 0.0f) : *o);
    }
}

/** packB of a packed weight [n, k] as B = W^T: twelve rows at a time through floats. */
static void packWeight(float *out, const unsigned char *weight, int format, long k, long j0, long columns, long k0, long depth) {
  float rows[NR * KC];
  for (long j = 0; j < columns; j += NR, out += NR * depth) {
    long valid = minLong(NR, columns - j);
    for (long r = 0; r < valid; r++) unpackRow(rows + r * depth, weight, format, k, j0 + j + r, k0, depth);
    Matrix B = {rows, 1, depth};
    packB(out, B, valid, depth);
  }
}

static void block(const Problem *g, const float *packedA, const float *packedB, long i0, long rows, long j0, long columns, long depth, int first) {
  for (long j = 0; j < columns; j += NR)
    for (long i = 0; i < rows; i += MR) {
      float *c = g->C + (i0 + i) * g->rowC + j0 + j;
      const float *bias = g->bias ? g->bias + j0 + j : 0;
      const float *a = packedA + i * depth, *b = packedB + j * depth;
      long mr = minLong(MR, rows - i), nr = minLong(NR, columns - j);
      if (mr == MR && nr == NR) micro(a, b, depth, c, g->rowC, first, bias);
      else microEdge(a, b, depth, c, g->rowC, first, bias, mr, nr);
    }
}

static void multiply(const Problem *g, float *scratch) {
  float *packedA = scratch, *packedB = scratch + MC * KC;
  for (long j = 0; j < g->n; j += NC) {
    long columns = minLong(NC, g->n - j);
    for (long k = 0; k < g->k; k += KC) {
      long depth = minLong(KC, g->k - k);
      Matrix B = {g->packed ? 0 : g->B.data + k * g->B.row + j * g->B.column, g->B.row, g->B.column};
      if (g->packed) packWeight(packedB, g->packed, g->format, g->k, g->packedRow + j, columns, k, depth);
      else packB(packedB, B, columns, depth);
      for (long i = 0; i < g->m; i += MC) {
        long rows = minLong(MC, g->m - i);
        Matrix A = {g->A.data + i * g->A.row + k * g->A.column, g->A.row, g->A.column};
        packA(packedA, A, rows, depth);
        block(g, packedA, packedB, i, rows, j, columns, depth, k == 0);
      }
    }
  }
}

/** out[j][q] = in[q][j], rows of it `rowOut` floats apart. */
static void turnOver(float *out, long rowOut, const float *in, long row, long depth, long columns) {
  long q = 0;
  for (; q + 4 <= depth; q += 4) {
    const float *p = in + q * row;
    long j = 0;
    for (; j + 4 <= columns; j += 4, p += 4) {
      F4 a = load4(p), b = load4(p + row), c = load4(p + 2 * row), d = load4(p + 3 * row);
      transpose4(&a, &b, &c, &d);
      float *o = out + j * rowOut + q;
      store4(o, a), store4(o + rowOut, b), store4(o + 2 * rowOut, c), store4(o + 3 * rowOut, d);
    }
    for (; j < columns; j++, p++) store4(out + j * rowOut + q, (F4){p[0], p[row], p[2 * row], p[3 * row]});
  }
  for (; q < depth; q++)
    for (long j = 0; j < columns; j++) out[j * rowOut + q] = in[q * row + j];
}

/**
 * dY W, B's rows lying along its columns: sums stay in registers over a thousand of k and C is seldom touched, where panels come back to it
 * every KC, each time from far away.
 */
static void multiplyTurned(const Problem *g, float *turned) {
  const long blocks = (g->k + TURN_K - 1) / TURN_K;
  for (long j = 0; j < g->n; j += TURN_COLUMNS) {
    const long columns = minLong(TURN_COLUMNS, g->n - j);
    for (long block = 0; block < blocks; block++) {
      const long k = g->k * block / blocks, depth = g->k * (block + 1) / blocks - k;
      // Rows a power of two apart would share few lines of the cache.
      const long row = ((depth + 15) & ~15L) + 16;
      turnOver(turned, row, g->B.data + k * g->B.row + j, g->B.row, depth, columns);
      ByRows rows = {g->A.data + k, (const unsigned char *)turned, g->bias ? g->bias + j : 0, g->C + j, g->m, columns, depth, g->A.row, row, g->rowC, FORMAT_F32, block > 0};
      multiplyByRows(&rows, 0);
    }
  }
}

INLINE int byColumns(const Problem *g) { return g->n >= g->m; }
/** Panels of a product's longer side: what can be multiplied apart. */
static long unitsOf(const Problem *g) { return byColumns(g) ? (g->n + NR - 1) / NR : (g->m + MR - 1) / MR; }

void multiplyPart(const Problem *g, long part, long parts, float *scratch) {
  long units = unitsOf(g), size = byColumns(g) ? NR : MR, extent = byColumns(g) ? g->n : g->m;
  long lo = minLong(units * part / parts * size, extent), hi = minLong(units * (part + 1) / parts * size, extent);
  Problem p = *g;
  if (byColumns(g)) {
    if (p.packed) p.packedRow += lo;
    else p.B.data += lo * g->B.column;
    p.C += lo;
    if (p.bias) p.bias += lo;
    p.n = hi - lo;
  } else {
    p.A.data += lo * g->A.row;
    p.C += lo * g->rowC;
    p.m = hi - lo;
  }
  if (p.k == 0) {
    for (long i = 0; i < p.m; i++)
      for (long j = 0; j < p.n; j++) p.C[i * p.rowC + j] = p.bias ? p.bias[j] : 0.0f;
  } else if (!p.packed && p.B.row == 1 && p.A.column == 1 && (p.k >= BY_ROWS_K || p.m <= BY_ROWS_M)) {
    ByRows rows = {p.A.data, (const unsigned char *)p.B.data, p.bias, p.C, p.m, p.n, p.k, p.A.row, p.B.column, p.rowC, FORMAT_F32};
    multiplyByRows(&rows, scratch);
  } else if (!p.packed && p.B.column == 1 && p.A.column == 1 && p.k >= BY_ROWS_K && p.m >= TURN_M) multiplyTurned(&p, scratch);
  else multiply(&p, scratch);
}

/**
 * c [m, n] = a b + bias over a batch. a [m, k] and b [k, n] have any strides between rows, columns and members of the batch (a transposed
 * operand is one with rows and columns exchanged; a stride of 0 repeats). `format` of b: 0 for floats; otherwise b is a packed weight
 * [n, k] and its strides mean nothing.
 */
KERNEL(gemm, In a, Packed b, Out c, MaybeIn bias, long m, long n, long k, long rowA, long columnA, long rowB, long columnB, long batch,
       long strideA, long strideB, int format) {
  Problem g = {{a, rowA, columnA}, {(const float *)b, rowB, columnB}, format ? b : 0, 0, format, c, bias, m, n, k, n};
  long parts = batch >= 2 * threads ? 1 : minLong(threads, maxLong(1, unitsOf(&g)));
  Span items = share(batch * parts, 1, thread, threads);
  for (long item = items.lo; item < items.hi; item++) {
    long index = item / parts;
    Problem p = g;
    p.A.data += index * strideA;
    p.B.data += index * strideB;
    p.C += index * m * n;
    multiplyPart(&p, item % parts, parts, scratchOf(thread));
  }
}
