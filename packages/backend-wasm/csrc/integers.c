// Tiles of rows of x by groups of four rows of W. Whichever instructions make the sums of a block, they are exact whole numbers, and
// the blocks of a row add up in one order: so engines, flavours and numbers of rows differ in nothing but the rounding of `madd`.
#include "integers.h"
#include "turnBlocks.h"

/**
 * A block of 32 columns of a row of x: integers, what each sum of products starts from, and the scale. As bytes, a weight is the
 * unsigned operand: q4's integers are stored above zero by 8, q8's are put there by `lift`, and `start` takes it back. As 16-bit words,
 * columns 1 and 2 of every four change places, since words of two bytes yield the even bytes first. Sums start from the bits of
 * MAGIC besides: a sum below 2^22 then is the mantissa of MAGIC + sum, and a subtraction makes a float of it, for which engines
 * have another port than for products and conversions.
 */
typedef struct {
  signed char q[BLOCK];
  float scale;
  int start;
} Bytes;
typedef struct {
  short q[BLOCK];
  float scale;
  int start;
} Words;

/** Which product of four bytes the engine has: relaxed_dot of signed by 7-bit numbers, where the 8th bit is the machine's choice. */
typedef enum { DOT_UNSIGNED, DOT_SIGNED, DOT_7_BITS } Dot;
#if defined(RELAXED) && defined(__wasm__)
#define RELAXED_DOT 1
INLINE I4 dotBytes(I4 x, I4 w, I4 sum) { return (I4)wasm_i32x4_relaxed_dot_i8x16_i7x16_add((v128_t)x, (v128_t)w, (v128_t)sum); }
/** Saturating in between, or reading the 8th bit otherwise, would come to something else than these. */
static Dot dotOfMachine(void) {
  volatile int low = (int)0x80808080, high = -1;
  int sum = dotBytes(splatInt(low), splatInt(high), splatInt(0))[0];
  return sum == 4 * -128 * 255 ? DOT_UNSIGNED : sum == 4 * 128 ? DOT_SIGNED : DOT_7_BITS;
}
#else
#define RELAXED_DOT 0
INLINE I4 dotBytes(I4 x, I4 w, I4 sum) { return x + w + sum; } /* never called */
static Dot dotOfMachine(void) { return DOT_7_BITS; }
#endif

INLINE void storeBytes(signed char *to, S8 q) { storeBytes8(to, q); }
INLINE void storeWords(short *to, S8 q) { *(S8Loose *)to = __builtin_shufflevector(q, q, 0, 2, 1, 3, 4, 6, 5, 7); }
/** To the nearest whole number, of numbers below 2^22. */
INLINE I4 wholeOf(F4 x) { return (I4)(x + K(MAGIC)) - (I4)K(MAGIC); }
INLINE F4 floatOfSum(I4 sum) { return (F4)sum - K(MAGIC); }
/** `count` blocks of a row of x, `apart` blocks from each other; `lift`: what is added to each weight. A NaN is the largest of its block, compared as whole numbers, and so of all that comes of it. */
#define QUANTISE(name, Type, store)                                                                               \
  OUTLINE void name(Type *out, long apart, const float *x, long count, int lift) {                                \
    for (; count > 0; count--, x += BLOCK, out += apart) {                                                        \
      I4 most = splatInt(0), sum = most;                                                                          \
      for (int i = 0; i < BLOCK; i += 4) most = maxInt4(most, (I4)abs4(load4(x + i)));                            \
      most = maxInt4(most, __builtin_shufflevector(most, most, 2, 3, 0, 1));                                      \
      float top = bitsAsFloat(most[0] > most[1] ? most[0] : most[1]);                                             \
      F4 inverse = splat(top > 0 ? 127.0f / top : 0.0f);                                                          \
      for (int i = 0; i < BLOCK; i += 8) {                                                                        \
        I4 a = wholeOf(load4(x + i) * inverse), b = wholeOf(load4(x + i + 4) * inverse);                          \
        sum += a + b;                                                                                             \
        store(out->q + i, narrow16(a, b));                                                                        \
      }                                                                                                           \
      out->scale = top / 127.0f;                                                                                  \
      unsigned total = (unsigned)sum[0] + (unsigned)sum[1] + (unsigned)sum[2] + (unsigned)sum[3];                 \
      out->start = (int)((unsigned)floatAsBits(ROUND_MAGIC) - (unsigned)lift * total);                            \
    }                                                                                                             \
  }
QUANTISE(quantiseBytes, Bytes, storeBytes)
QUANTISE(quantiseWords, Words, storeWords)

/** How the weights of a format are multiplied. */
typedef enum { Q8_AS_BYTES, Q4_AS_BYTES, Q8_AS_WORDS, Q4_AS_WORDS } Form;
INLINE int isQ8(Form form) { return form == Q8_AS_BYTES || form == Q8_AS_WORDS; }
INLINE int isBytes(Form form) { return form == Q8_AS_BYTES || form == Q4_AS_BYTES; }

/** Groups and sums of a tile at most. */
enum { MOST_GROUPS = 8, MOST_SUMS = 8 };
/** Rows of x, a block's of all rows before the next block's; groups of W, far apart. */
typedef struct {
  const char *x;
  const unsigned char *w[MOST_GROUPS];
} Operands;

/** Step `s` of the 8 (bytes) or 16 (words) of a block: the weights of a group, and what of x they meet. */
INLINE I4 weightsAt(Form form, const unsigned char *block, int s, int lift) {
  const int *at = (const int *)(block + 8);
  if (form == Q8_AS_BYTES) return loadInt4(at + 4 * s) ^ splatInt(lift);
  if (form == Q4_AS_BYTES) return (s < 4 ? loadInt4(at + 4 * s) : (I4)((U4)loadInt4(at + 4 * (s - 4)) >> 4)) & splatInt(0x0f0f0f0f);
  if (form == Q8_AS_WORDS) return (I4)((s & 1 ? (S8)loadInt4(at + 4 * (s / 2)) : (S8)((U8)loadInt4(at + 4 * (s / 2)) << 8)) >> 8);
  return (I4)((U8)loadInt4(at + 4 * (s / 4)) >> 4 * (s & 3) & 15);
}
INLINE I4 quantisedAt(Form form, const char *block, int s) {
  const int *q = (const int *)block;
  return splatInt(q[form == Q4_AS_WORDS ? 8 * (s & 1) + 2 * (s / 4) + (s / 2 & 1) : s]);
}
INLINE I4 addDots(Form form, I4 x, I4 w, I4 sum) { return isBytes(form) ? dotBytes(x, w, sum) : sum + dot16((S8)x, (S8)w); }

/**
 * sums [tiles][rows][groups][4] += products of tiles of so many rows of x and `groups` groups. All rows meet a block of W before the
 * next one: so W comes by once, evenly, and what computes and what waits for memory overlap. The sums stay in memory: a load and a
 * store a block leaves the registers to the whole numbers.
 */
INLINE void tilesOfRows(const Form form, const int rows, const int groups, float *sums, const Operands *o, long blocks, long tiles, int lift) {
  const int step = isBytes(form) ? sizeof(Bytes) : sizeof(Words), bytes = isQ8(form) ? Q8_BYTES : Q4_BYTES;
  const int scaleAt = isBytes(form) ? BLOCK : 2 * BLOCK;
  const char *x = o->x;
  const unsigned char *block[MOST_GROUPS];
  F4 scales[MOST_GROUPS];
  for (int g = 0; g < groups; g++) block[g] = o->w[g];
  for (; blocks > 0; blocks--) {
    for (int g = 0; g < groups; g++) scales[g] = halves4((const unsigned short *)block[g]);
    float *sum = sums;
    for (long tile = tiles; tile > 0; tile--, x += rows * step, sum += 4 * rows * groups) {
      I4 dots[MOST_SUMS];
      // Pointers of their own: out of one counter, as the compiler would make them, each load needs an addition.
      KEEP_PLACE(x);
      KEEP_PLACE(sum);
      for (int g = 0; g < groups; g++) KEEP_PLACE(block[g]);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int g = 0; g < groups; g++) dots[i * groups + g] = splatInt(*(const int *)(x + i * step + scaleAt + 4));
#pragma clang loop unroll(full)
      for (int s = 0; s < (isBytes(form) ? 8 : 16); s++) {
        I4 w[MOST_GROUPS];
#pragma clang loop unroll(full)
        for (int g = 0; g < groups; g++) w[g] = weightsAt(form, block[g], s, lift);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
          I4 four = quantisedAt(form, x + i * step, s);
#pragma clang loop unroll(full)
          for (int g = 0; g < groups; g++) {
            dots[i * groups + g] = addDots(form, four, w[g], dots[i * groups + g]);
            KEEP_PLACE(dots[i * groups + g]);
          }
        }
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int g = 0; g < groups; g++) {
          float *own = sum + 4 * (i * groups + g);
          store4(own, madd(floatOfSum(dots[i * groups + g]), scales[g] * splat(*(const float *)(x + i * step + scaleAt)), load4(own)));
        }
    }
    for (int g = 0; g < groups; g++) block[g] += bytes;
  }
}

/** A row alone: a group after the other within a block, so that few registers are live. */
INLINE void rowAlone(const Form form, const int groups, float *sums, const Operands *o, long blocks, int lift) {
  const long step = isBytes(form) ? sizeof(Bytes) : sizeof(Words), bytes = isQ8(form) ? Q8_BYTES : Q4_BYTES;
  const int scaleAt = isBytes(form) ? BLOCK : 2 * BLOCK, steps = isBytes(form) ? 8 : 16;
  const int other = form == Q4_AS_BYTES ? 4 : 1; /* two sums at a time, of one load of nibbles */
  const unsigned char *block = o->w[0];
  const char *x = o->x;
  long apart[MOST_GROUPS];
  F4 own[MOST_GROUPS];
  for (int g = 0; g < groups; g++) apart[g] = o->w[g] - o->w[0], own[g] = splat(0);
  for (; blocks > 0; blocks--, x += step, block += bytes)
    for (int g = 0; g < groups; g++) {
      I4 first = splatInt(*(const int *)(x + scaleAt + 4)), second = splatInt(0);
#pragma clang loop unroll(full)
      for (int s = 0; s < steps; s++) {
        if (s & other) continue;
        first = addDots(form, quantisedAt(form, x, s), weightsAt(form, block + apart[g], s, lift), first);
        second = addDots(form, quantisedAt(form, x, s + other), weightsAt(form, block + apart[g], s + other, lift), second);
      }
      own[g] = madd(floatOfSum(first + second), halves4((const unsigned short *)(block + apart[g])) * splat(*(const float *)(x + scaleAt)), own[g]);
    }
  for (int g = 0; g < groups; g++) store4(sums + 4 * g, own[g]);
}

/** Products of tiles of rows of x by some groups. */
typedef void Products(float *sums, const Operands *o, long blocks, long tiles, int lift);
#define PRODUCTS_OF(name, of) \
  static __attribute__((noinline)) void name(float *sums, const Operands *o, long blocks, long tiles, int lift) { of; }
#define PRODUCTS(name, form, aloneGroups)                                        \
  PRODUCTS_OF(alone##name, rowAlone(form, aloneGroups, sums, o, blocks, lift))   \
  PRODUCTS_OF(pair##name, tilesOfRows(form, 2, 4, sums, o, blocks, tiles, lift)) \
  PRODUCTS_OF(four##name, tilesOfRows(form, 4, 2, sums, o, blocks, tiles, lift))
/** Tiles by the number of rows, and how many rows and groups they have. A few rows take more groups: one stream of weights waits at each page's end for the prefetcher. */
typedef struct {
  int rows, groups;
  Products *of;
} IntegerTile;
#define TILES(name, aloneGroups) {{1, aloneGroups, alone##name}, {2, 4, pair##name}, {4, 2, four##name}}
#if RELAXED_DOT
PRODUCTS(Q8Bytes, Q8_AS_BYTES, 8)
PRODUCTS(Q4Bytes, Q4_AS_BYTES, 4)
PRODUCTS(Q8Words, Q8_AS_WORDS, 8)
static const IntegerTile integerTiles[][3] = {TILES(Q8Bytes, 8), TILES(Q4Bytes, 4), TILES(Q8Words, 8)};
#else
PRODUCTS(Q8Words, Q8_AS_WORDS, 8)
PRODUCTS(Q4Words, Q4_AS_WORDS, 4)
static const IntegerTile integerTiles[][3] = {{}, {}, TILES(Q8Words, 8), TILES(Q4Words, 4)};
#endif

/** Rows that meet W together, the vectors of sums of a step of theirs, and bytes of them in integers at most: they stay in the second-level cache while all of W goes by. */
enum { ROWS_TOGETHER = 64, SUMS_TOGETHER = 2 * ROWS_TOGETHER, QUANTISED_BYTES = 1 << 19 };

/** A product's extents and form, as one thread sees it. */
typedef struct {
  long m, n, k, first, count; /* groups of W that are this thread's */
  Form form;
  int lift, flip;
  int more; /* y is added to */
} Integers;

/** Vectors of a row of y that are written together: a cache line, where one vector at a time would meet a page of each row for 16 bytes. */
enum { VECTORS_TOGETHER = 4 };

/** Writes `count` neighbouring vectors of each row, from column j on, or adds them (`more`): sums [VECTORS_TOGETHER][SUMS_TOGETHER], of one group. */
static void storeTogether(float *y, const F4 *sums, const float *bias, int more, long n, long j, long rows, int groups, long count) {
  F4 added[VECTORS_TOGETHER];
  for (long v = 0; v < count; v++) added[v] = bias ? loadPart(bias + j + 4 * v, n - j - 4 * v) : splat(0);
  y += j;
  if (more) {
    for (long i = 0; i < rows; i++, y += n)
      for (long v = 0; v < count; v++) storePart(y + 4 * v, sums[v * SUMS_TOGETHER + i * groups] + loadPart(y + 4 * v, n - j - 4 * v), n - j - 4 * v);
    return;
  }
  if (count == VECTORS_TOGETHER && j + 4 * VECTORS_TOGETHER <= n) {
    for (long i = 0; i < rows; i++, y += n)
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS_TOGETHER; v++) store4(y + 4 * v, sums[v * SUMS_TOGETHER + i * groups] + added[v]);
  } else
    for (long i = 0; i < rows; i++, y += n)
      for (long v = 0; v < count; v++) storePart(y + 4 * v, sums[v * SUMS_TOGETHER + i * groups] + added[v], n - j - 4 * v);
}

/** y [rows, n] of rows [from, from + rows) of x in integers, which lie a block of all `padded` rows after the other. */
OUTLINE void multiplyTogether(const Integers *p, float *y, const char *q, const unsigned char *weight, const float *bias, long from, long rows, const IntegerTile *tile) {
  const long blocks = p->k / BLOCK, bytes = blocks * (isQ8(p->form) ? Q8_BYTES : Q4_BYTES);
  const int groups = tile->groups, perTile = tile->rows * groups;
  // Groups in as many stretches that run side by side; a last short stretch reads the first one's group again.
  const long stretch = (p->count + groups - 1) / groups, tiles = (rows + tile->rows - 1) / tile->rows;
  F4 sums[VECTORS_TOGETHER * SUMS_TOGETHER];
  for (long next = 0; next < stretch; next += VECTORS_TOGETHER) {
    const long together = minLong(VECTORS_TOGETHER, stretch - next);
    for (long v = 0; v < together; v++) {
      Operands o = {.x = q};
      F4 *vectors = sums + v * SUMS_TOGETHER;
      for (long r = 0; r < tiles * perTile; r++) vectors[r] = splat(0);
      for (int g = 0; g < groups; g++) o.w[g] = weight + (p->first + next + v + (next + v + g * stretch < p->count ? g * stretch : 0)) * bytes;
      tile->of((float *)vectors, &o, blocks, tiles, p->flip);
    }
    for (int g = 0; g < groups && next + g * stretch < p->count; g++)
      storeTogether(y + from * p->n, sums + g, bias, p->more, p->n, 4 * (p->first + next + g * stretch), rows, groups, minLong(together, p->count - next - g * stretch));
  }
}

void multiplyIntegers(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads) {
  Span own = share(n, 4, thread, threads);
  if (own.lo >= own.hi) return;
  const Dot dot = dotOfMachine();
  const int q8 = format == FORMAT_Q8;
  const Form form = q8 ? (RELAXED_DOT && dot != DOT_7_BITS ? Q8_AS_BYTES : Q8_AS_WORDS) : (RELAXED_DOT ? Q4_AS_BYTES : Q4_AS_WORDS);
  const int lift = q8 ? (form == Q8_AS_BYTES && dot == DOT_UNSIGNED ? 128 : 0) : 8;
  Integers p = {m, n, k, own.lo / 4, (own.hi + 3) / 4 - own.lo / 4, form, lift, q8 && lift ? (int)0x80808080 : 0, 0};
  char *q = (char *)scratchOf(thread);
  const long blocks = k / BLOCK, size = isBytes(form) ? sizeof(Bytes) : sizeof(Words);
  const long fit = maxLong(1, minLong(ROWS_TOGETHER, QUANTISED_BYTES / maxLong(1, blocks * size) & ~3L));
  for (long from = 0; from < m; from += fit) {
    const long rows = minLong(fit, m - from);
    const IntegerTile *tile = &integerTiles[form][rows > 2 ? 2 : rows - 1];
    const long padded = (rows + tile->rows - 1) / tile->rows * tile->rows;
    // A last short tile takes its last row again.
    for (long i = 0; i < padded; i++) {
      const float *row = x + (from + minLong(i, rows - 1)) * k;
      if (isBytes(form)) quantiseBytes((Bytes *)q + i, padded, row, blocks, lift);
      else quantiseWords((Words *)q + i, padded, row, blocks, lift);
    }
    multiplyTogether(&p, y, q, weight, bias, from, rows, tile);
  }
}

/** Bytes of W^T in integers that are there at once: what rows of x take of them comes from the second-level cache. */
enum { TURNED_BYTES = 1 << 20 };
/** Blocks of a panel of W^T at least: each is added to y. */
enum { LEAST_TURNED = 8 };

/** One block of a row of x that ends within it. */
static void quantisePart(Form form, char *out, const float *x, long count, int lift) {
  float padded[BLOCK] = {0};
  memcpy(padded, x, (UW)count * sizeof(float));
  if (isBytes(form)) quantiseBytes((Bytes *)out, 1, padded, 1, lift);
  else quantiseWords((Words *)out, 1, padded, 1, lift);
}

void multiplyIntegersTurned(float *y, const float *x, const unsigned char *weight, long m, long n, long k, int format, int thread, int threads) {
  Span own = share(k, BLOCK, thread, threads);
  if (own.lo >= own.hi) return;
  const Dot dot = dotOfMachine();
  const Form form = RELAXED_DOT && dot != DOT_7_BITS ? Q8_AS_BYTES : Q8_AS_WORDS;
  const int lift = form == Q8_AS_BYTES && dot == DOT_UNSIGNED ? 128 : 0;
  const long columns = own.hi - own.lo, size = isBytes(form) ? sizeof(Bytes) : sizeof(Words), all = ceilDivide(n, BLOCK);
  unsigned char *panel = (unsigned char *)scratchOf(thread);
  char *q = (char *)panel + TURNED_BYTES;
  // All columns of a thread where they fit, so that x is rounded once.
  const long wide = minLong(columns, TURNED_BYTES / (LEAST_TURNED * Q8_BYTES / 4) / BLOCK * BLOCK);
  const long deep = minLong(minLong(all, TURNED_BYTES / (wide / 4 * Q8_BYTES)), QUANTISED_BYTES / (4 * size));
  const long fit = maxLong(4, minLong(ROWS_TOGETHER, QUANTISED_BYTES / (deep * size) & ~3L));
  for (long at = own.lo; at < own.hi; at += wide)
    for (long block = 0; block < all; block += deep) {
      const long width = minLong(wide, own.hi - at), blocks = minLong(deep, all - block);
      const long whole = minLong(blocks, n / BLOCK - block);
      turnBlocks(panel, weight, format, n, k, block, blocks, at, width);
      const Integers p = {m, k, blocks * BLOCK, 0, width / 4, form, lift, lift ? (int)0x80808080 : 0, block > 0};
      for (long from = 0; from < m; from += fit) {
        const long rows = minLong(fit, m - from);
        const IntegerTile *tile = &integerTiles[form][rows > 2 ? 2 : rows - 1];
        const long padded = (rows + tile->rows - 1) / tile->rows * tile->rows;
        for (long i = 0; i < padded; i++) {
          const float *row = x + (from + minLong(i, rows - 1)) * n + block * BLOCK;
          if (isBytes(form)) quantiseBytes((Bytes *)q + i, padded, row, whole, lift);
          else quantiseWords((Words *)q + i, padded, row, whole, lift);
          if (whole < blocks) quantisePart(form, q + (whole * padded + i) * size, row + whole * BLOCK, n % BLOCK, lift);
        }
        multiplyTogether(&p, y + at, q, panel, 0, from, rows, tile);
      }
    }
}
