// The next token of each row from its logits. Weights are whole numbers in units of 2^-31, so that sums are exact and every backend
// chooses alike; a row belongs to one thread.
#include "vmath.h"

typedef unsigned long long U64;

/** 2^h = sum c_i h^i for h in [0, 1), in units of 2^-31: the definition that `sampleToken` shares. */
static const unsigned POWER[7] = {2147483653u, 1488521704u, 515890973u, 119143746u, 20796632u, 2661018u, 469564u};

/** 2^-octaves in units of 2^-31; 0 from 32 octaves on. */
INLINE unsigned fixedWeight(float octaves) {
  if (!(octaves < 32.0f)) return 0;
  unsigned n = (unsigned)(octaves * 16777216.0f), h = ~(n << 8), power = POWER[6];
  for (int i = 5; i >= 0; i--) power = POWER[i] + (unsigned)((U64)power * h >> 32);
  return (unsigned)((U64)power >> ((n >> 24) + 1));
}
/** floor(mass word / 2^32) */
INLINE U64 shareOf(U64 mass, unsigned word) { return (mass >> 32) * word + ((mass & 0xffffffffu) * word >> 32); }
/** Larger scores have larger keys; both zeros have one. */
INLINE unsigned keyOf(float score) {
  unsigned bits = (unsigned)floatAsBits(score + 0.0f);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

INLINE unsigned rotateLeft(unsigned x, int by) { return x << by | x >> (32 - by); }
/** First word of Threefry-2x32-20 (Salmon et al. 2011). */
static unsigned threefry(const int *random) {
  static const int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  unsigned keys[3] = {(unsigned)random[0], (unsigned)random[1], (unsigned)random[0] ^ (unsigned)random[1] ^ 0x1bd11bdau};
  unsigned x = (unsigned)random[2] + keys[0], y = (unsigned)random[3] + keys[1];
  for (int round = 0; round < 20; round++) {
    x += y;
    y = rotateLeft(y, rotations[round % 8]) ^ x;
    if (round % 4 != 3) continue;
    int turn = (round + 1) / 4;
    x += keys[turn % 3];
    y += keys[(turn + 1) % 3] + (unsigned)turn;
  }
  return x;
}

/** The first of the largest scores; -1 with a NaN or where the largest is not finite. */
static long firstLargest(const float *scores, long v) {
  float inf = __builtin_inff();
  F4 top = splat(-inf);
  I4 ordered = splatInt(-1);
  for (long i = 0; i < v; i += 4) {
    long count = minLong(4, v - i);
    F4 x = loadPart(scores + i, count);
    for (long lane = count; lane < 4; lane++) x[lane] = -inf;
    ordered &= x == x;
    top = max4(top, x);
  }
  float best = maxLane(top);
  if (anyTrue(~ordered) || !(best > -inf) || best == inf) return -1;
  for (long i = 0; i < v; i++)
    if (scores[i] == best) return i;
  return -1;
}

/** Logits with the penalties of the tokens that were there, counts [v]: how often generated, 2^30 more if in the prompt. */
static void penalise(float *scores, const float *logits, const float *settings, const int *counts, long v) {
  for (long i = 0; i < v; i++) {
    float score = logits[i];
    int generated = counts[i] & 0x3fffffff;
    if (counts[i]) score *= score < 0 ? settings[4] : settings[5];
    if (generated) {
      score -= settings[6];
      score -= settings[7] * (float)generated;
    }
    scores[i] = score;
  }
}

#ifdef __wasm__
/** Upper halves of the products. */
INLINE U4 mulHigh4(U4 a, U4 b) {
  v128_t low = wasm_u64x2_extmul_low_u32x4((v128_t)a, (v128_t)b), high = wasm_u64x2_extmul_high_u32x4((v128_t)a, (v128_t)b);
  return (U4)wasm_i32x4_shuffle(low, high, 1, 3, 5, 7);
}
#else
INLINE U4 mulHigh4(U4 a, U4 b) {
  return (U4){(unsigned)((U64)a[0] * b[0] >> 32), (unsigned)((U64)a[1] * b[1] >> 32), (unsigned)((U64)a[2] * b[2] >> 32), (unsigned)((U64)a[3] * b[3] >> 32)};
}
#endif
INLINE U4 splatUnsigned(unsigned x) { return (U4){x, x, x, x}; }

/** The weights of all tokens of a row; returns their sum. */
static U64 weighAll(const float *scores, float top, float sharpness, unsigned *weights, long v) {
  U64 mass = 0;
  for (long i = 0; i < v; i += 4) {
    long count = minLong(4, v - i);
    F4 octaves = (splat(top) - loadPart(scores + i, count)) * splat(sharpness);
    U4 near = (U4)(octaves < splat(32.0f)), n = (U4)truncate4(octaves * splat(16777216.0f)), h = ~(n << 8);
    U4 power = splatUnsigned(POWER[6]);
    for (int j = 5; j >= 0; j--) power = splatUnsigned(POWER[j]) + mulHigh4(power, h);
    power = (power >> 1) & near;
    for (long lane = 0; lane < count; lane++) mass += weights[i + lane] = power[lane] >> (n[lane] >> 24 & 31);
  }
  return mass;
}

/** Tokens of a row that may be drawn: all of them, or `ids` [count], ascending. Their weights lie by place in that list. */
typedef struct {
  const float *scores;
  const int *ids;
  unsigned *weights;
  long count;
  int *left; /* room for as many places */
} Candidates;
INLINE unsigned keyAt(const Candidates *c, long place) { return keyOf(c->scores[c->ids ? c->ids[place] : place]); }

typedef struct {
  unsigned key;
  U64 above;
} Threshold;

/**
 * The smallest key t such that what lies above it amounts to less than `limit`, and that amount: digit by digit from the top, among
 * those that share the digits so far. Tokens amount to their weights, or to 1 each where there are none. `limit` is at least 1 and at
 * most the amount of all.
 */
static Threshold descend(const Candidates *c, U64 limit) {
  Threshold t = {0, 0};
  U64 bins[256];
  long count = c->count;
  for (int shift = 24; shift >= 0; shift -= 8) {
    memset(bins, 0, sizeof bins);
    for (long i = 0; i < count; i++) {
      long place = shift < 24 ? c->left[i] : i;
      bins[keyAt(c, place) >> shift & 255] += c->weights ? c->weights[place] : 1;
    }
    unsigned digit = 255;
    while (digit > 0 && t.above + bins[digit] < limit) t.above += bins[digit--];
    t.key |= digit << shift;
    long kept = 0;
    for (long i = 0; i < count; i++) {
      long place = shift < 24 ? c->left[i] : i;
      if ((keyAt(c, place) >> shift & 255) == digit) c->left[kept++] = (int)place;
    }
    count = kept;
  }
  return t;
}

/** Sets the weights of tokens to 0 that top-p drops: of those at the threshold the lowest ids stay. */
static void trimTopP(const Candidates *c, U64 limit) {
  Threshold t = descend(c, limit);
  for (long i = 0; i < c->count; i++) {
    unsigned key = keyAt(c, i);
    if (key > t.key) continue;
    if (key == t.key && t.above < limit) t.above += c->weights[i];
    else c->weights[i] = 0;
  }
}

/** Weighs the tokens that top-k leaves, into `c`; returns the sum. */
static U64 weighTop(Candidates *c, float topK, float top, float sharpness, int *ids, unsigned *weights) {
  long v = c->count;
  if (!(topK > 0 && topK < (float)v)) {
    c->weights = weights;
    return weighAll(c->scores, top, sharpness, weights, v);
  }
  unsigned lowest = descend(c, (U64)topK).key;
  U64 mass = 0;
  c->count = 0;
  for (long i = 0; i < v; i++) {
    if (keyOf(c->scores[i]) < lowest) continue;
    ids[c->count] = (int)i;
    mass += weights[c->count++] = fixedWeight((top - c->scores[i]) * sharpness);
  }
  c->ids = ids, c->weights = weights;
  return mass;
}

/** `space`: room for 3 v words. */
static int chooseToken(const float *scores, const float *settings, int *space, long v, unsigned word) {
  long best = firstLargest(scores, v);
  float sharpness = settings[0], topK = settings[1], topP = settings[2];
  if (best < 0 || sharpness == 0) return (int)best;
  Candidates c = {scores, 0, 0, v, space};
  U64 mass = weighTop(&c, topK, scores[best], sharpness, space + v, (unsigned *)space + 2 * v);
  if (topP < 1) {
    U64 limit = shareOf(mass, (unsigned)(topP * 4294967296.0f));
    trimTopP(&c, limit ? limit : 1);
  }
  unsigned floor = (unsigned)(settings[3] * 2147483648.0f), most = fixedWeight(0);
  if (topP < 1 || floor > 0) {
    mass = 0;
    for (long i = 0; i < c.count; i++) {
      if (c.weights[i] < floor && c.weights[i] != most) c.weights[i] = 0;
      mass += c.weights[i];
    }
  }
  U64 left = shareOf(mass, word);
  for (long i = 0; i < c.count; i++) {
    if (left < c.weights[i]) return c.ids ? c.ids[i] : (int)i;
    left -= c.weights[i];
  }
  return -1;
}

/** log softmax of a row at an id */
static float logProbability(const float *logits, long v, int id) {
  long best = firstLargest(logits, v);
  if (id < 0 || best < 0) return __builtin_nanf("");
  double sum = 0;
  for (long i = 0; i < v; i += 4) {
    long count = minLong(4, v - i);
    F4 e = exp4(loadPart(logits + i, count) - splat(logits[best]));
    for (long lane = 0; lane < count; lane++) sum += e[lane];
  }
  return logits[id] - logits[best] - log4(splat((float)sum))[0];
}

/** ids [b], random [b, 4], counts [b, v], logits [b, v], settings [b, 8]; `workspace`: 4 v floats a thread. */
KERNEL(sampleToken, InOutInts ids, InOutInts random, MaybeInOutInts counts, MaybeOut logprob, In logits, In settings, long b, long v, Space workspace) {
  float *mine = workspace + thread * 4 * v;
  Span rows = share(b, 1, thread, threads);
  for (long row = rows.lo; row < rows.hi; row++) {
    const float *own = logits + row * v, *setting = settings + 8 * row, *scores = own;
    if (counts) penalise(mine + 3 * v, own, setting, counts + row * v, v), scores = mine + 3 * v;
    int id = chooseToken(scores, setting, (int *)mine, v, threefry(random + 4 * row));
    ids[row] = id;
    if (counts && id >= 0) counts[row * v + id] = (int)((unsigned)counts[row * v + id] + 1u);
    unsigned *counter = (unsigned *)random + 4 * row + 2;
    if (++counter[0] == 0) counter[1]++;
    if (logprob) logprob[row] = logProbability(own, v, id);
  }
}
