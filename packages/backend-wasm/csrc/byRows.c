// Tiles of rows of x by rows of W, lanes along k: each sum is one chain over all columns, in one order whatever the tile.
#include "byRows.h"

/**
 * Rows of a tile, and rows of W ("streams", far apart: one alone waits at each page's end for the prefetcher). 6 x 2 sums, two weights
 * and a vector of x are the 15 registers that an engine leaves.
 */
enum { TILE_ROWS = 6, TILE_STREAMS = 4 };
typedef struct {
  const float *x[TILE_ROWS];
  const unsigned char *w[TILE_STREAMS];
  float *y[TILE_STREAMS]; /* columns: the first row's */
  float bias[TILE_STREAMS];
  long k, rowY;
  int more;
} RowTile;

/** The even ones of eight halves, or the odd ones: each a lane's low or high half. */
INLINE F4 halvesOf(I4 pairs, int odd, int format) {
  I4 high = odd ? pairs : (I4)((U4)pairs << 16);
  if (format == FORMAT_BF16) return (F4)(high & splatInt((int)0xffff0000));
  return (F4)((high >> 3) & splatInt((int)0x8fffe000)) * K(HALF_SCALE);
}

/** A tile of y. Halves meet x with the even columns of every eight before the odd ones, and zeros behind its end. */
INLINE void rowTile(const int format, const int rows, const int streams, const RowTile *t) {
  long k = t->k;
  const float *x[TILE_ROWS];
  const unsigned char *w[TILE_STREAMS];
  F4 sums[TILE_ROWS][TILE_STREAMS];
  for (int i = 0; i < rows; i++) x[i] = t->x[i];
  for (int s = 0; s < streams; s++) w[s] = t->w[s];
  for (int i = 0; i < rows; i++)
    for (int s = 0; s < streams; s++) sums[i][s] = splat(0);
  for (; k >= 8; k -= 8) {
    for (int i = 0; i < rows; i++) KEEP_PLACE(x[i]);
    for (int s = 0; s < streams; s++) KEEP_PLACE(w[s]);
#pragma clang loop unroll(full)
    for (int u = 0; u < 2; u++) {
      F4 v[TILE_STREAMS];
#pragma clang loop unroll(full)
      for (int s = 0; s < streams; s++) v[s] = format == FORMAT_F32 ? load4((const float *)w[s] + 4 * u) : halvesOf(loadInt4((const int *)w[s]), u, format);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) {
        F4 own = load4(x[i] + 4 * u);
#pragma clang loop unroll(full)
        for (int s = 0; s < streams; s++) {
          sums[i][s] = madd(own, v[s], sums[i][s]);
          KEEP_PLACE(sums[i][s]);
        }
      }
    }
    for (int i = 0; i < rows; i++) x[i] += 8;
    for (int s = 0; s < streams; s++) w[s] += format == FORMAT_F32 ? 32 : 16;
  }
  if (k > 0)
    for (int u = 0; u < 2; u++)
      for (int s = 0; s < streams; s++) {
        F4 v;
        if (format == FORMAT_F32) {
          if (4 * u >= k) continue;
          v = loadPart((const float *)w[s] + 4 * u, k - 4 * u);
        } else {
          unsigned short last[8] = {0};
          for (long c = 0; c < k; c++) last[c] = ((const unsigned short *)w[s])[c];
          v = halvesOf(loadInt4((const int *)last), u, format);
        }
        for (int i = 0; i < rows; i++) sums[i][s] = madd(format == FORMAT_F32 ? loadPart(x[i] + 4 * u, k - 4 * u) : load4(x[i] + 4 * u), v, sums[i][s]);
      }
  // Four sums at a time, of two rows where there are two streams.
  const int step = 4 / streams;
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i += step) {
    F4 *own = sums[i], *next = sums[i + 1 < rows ? i + 1 : i];
    F4 total = streams == 4 ? sumEach(own[0], own[1], own[2], own[3]) : sumEach(own[0], own[1], next[0], next[1]);
    total += streams == 4 ? load4(t->bias) : (F4){t->bias[0], t->bias[1], t->bias[0], t->bias[1]};
    // All are read before any is written: a row of W may be there twice.
    if (t->more) {
#pragma clang loop unroll(full)
      for (int s = 0; s < 4; s++)
        if (i + s / streams < rows) total[s] += t->y[s % streams][(i + s / streams) * t->rowY];
    }
#pragma clang loop unroll(full)
    for (int s = 0; s < 4; s++)
      if (i + s / streams < rows) t->y[s % streams][(i + s / streams) * t->rowY] = total[s];
  }
}
#define ROW_TILE(name, format, rows, streams) \
  static __attribute__((noinline)) void name##rows##By##streams(const RowTile *t) { rowTile(format, rows, streams, t); }
#define ROW_TILES_OF(name, format)                                                                       \
  ROW_TILE(name, format, 1, 4) ROW_TILE(name, format, 2, 4)                                            \
  ROW_TILE(name, format, 3, 2) ROW_TILE(name, format, 4, 2) ROW_TILE(name, format, 5, 2) ROW_TILE(name, format, 6, 2) \
  static void (*const name[])(const RowTile *) = {name##1By4, name##2By4, name##3By2, name##4By2, name##5By2, name##6By2};
ROW_TILES_OF(floatsTiles, FORMAT_F32)
ROW_TILES_OF(halvesTiles, FORMAT_F16)
ROW_TILES_OF(brainsTiles, FORMAT_BF16)

/** x with the even columns of every eight before the odd ones, and zeros behind its end. */
static void evenBeforeOdd(float *out, const float *x, long k) {
  for (long c = 0; c < k; c += 8, out += 8) {
    F4 a = loadPart(x + c, k - c), b = k - c > 4 ? loadPart(x + c + 4, k - c - 4) : splat(0);
    store4(out, __builtin_shufflevector(a, b, 0, 2, 4, 6));
    store4(out + 4, __builtin_shufflevector(a, b, 1, 3, 5, 7));
  }
}

/** Bytes of W that are kept in the first-level cache while rows of x go by, and of x in the second-level one while all of W does. */
enum { NEAR_ROWS_BYTES = 26000, X_ROWS_BYTES = 1 << 19 };

/** The product with rows of x that begin at `x`, `row` floats apart, and are rows [first, first + count) of p's. */
static void multiplyRows(const ByRows *p, const float *x, long row, long first, long count) {
  const long tiles = (count + TILE_ROWS - 1) / TILE_ROWS, streams = count > 2 ? 2 : 4, bytes = p->rowW * (p->format == FORMAT_F32 ? 4 : 2);
  const long stretch = (p->n + streams - 1) / streams, near = maxLong(1, NEAR_ROWS_BYTES / maxLong(1, streams * bytes));
  void (*const *products)(const RowTile *) = p->format == FORMAT_F32 ? floatsTiles : p->format == FORMAT_F16 ? halvesTiles : brainsTiles;
  for (long begin = 0; begin < stretch; begin += near)
    for (long tile = 0; tile < tiles; tile++) {
      const long i = count * tile / tiles, rows = count * (tile + 1) / tiles - i;
      RowTile t = {.k = p->k, .rowY = p->rowY, .more = p->more};
      for (long r = 0; r < rows; r++) t.x[r] = x + (i + r) * row;
      for (long j = begin; j < minLong(begin + near, stretch); j++) {
        for (long s = 0; s < streams; s++) {
          // A last short stretch does the first one's row again.
          long column = j + s * stretch < p->n ? j + s * stretch : j;
          t.w[s] = p->weight + column * bytes;
          t.y[s] = p->y + (first + i) * p->rowY + column;
          t.bias[s] = p->bias && !p->more ? p->bias[column] : 0.0f;
        }
        products[rows - 1](&t);
      }
    }
}

void multiplyByRows(const ByRows *p, float *scratch) {
  long padded = (p->k + 7) & ~7L, fit = maxLong(1, X_ROWS_BYTES / 4 / maxLong(8, padded));
  for (long from = 0; from < p->m; from += fit) {
    long count = minLong(fit, p->m - from);
    const float *x = p->x + from * p->rowX;
    if (p->format == FORMAT_F32) multiplyRows(p, x, p->rowX, from, count);
    else {
      for (long i = 0; i < count; i++) evenBeforeOdd(scratch + i * padded, x + i * p->rowX, p->k);
      multiplyRows(p, scratch, padded, from, count);
    }
  }
}
