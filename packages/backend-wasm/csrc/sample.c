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

typedef struct {
  unsigned key;
  U64 above;
} Threshold;

/**
 * The smallest key t such that what lies above it amounts to less than `limit`, and that amount: digit by digit from the top.
 * Tokens amount to their weights, or to 1 each where there are none. `limit` is at least 1 and at most the amount of all.
 */
static Threshold descend(const float *scores, const unsigned *weights, long v, U64 limit) {
  Threshold t = {0, 0};
  U64 bins[256];
  for (int shift = 24; shift >= 0; shift -= 8) {
    memset(bins, 0, sizeof bins);
    for (long i = 0; i < v; i++) {
      unsigned key = keyOf(scores[i]);
      if (shift < 24 && (key ^ t.key) >> (shift + 8)) continue;
      bins[key >> shift & 255] += weights ? weights[i] : 1;
    }
    unsigned digit = 255;
    while (digit > 0 && t.above + bins[digit] < limit) t.above += bins[digit--];
    t.key |= digit << shift;
  }
  return t;
}

/** Sets the weights of tokens to 0 that top-p drops: of those at the threshold the lowest ids stay. */
static void trimTopP(const float *scores, unsigned *weights, long v, U64 limit) {
  Threshold t = descend(scores, weights, v, limit);
  for (long i = 0; i < v; i++) {
    unsigned key = keyOf(scores[i]);
    if (key > t.key) continue;
    if (key == t.key && t.above < limit) t.above += weights[i];
    else weights[i] = 0;
  }
}

static int chooseToken(const float *scores, const float *settings, unsigned *weights, long v, unsigned word) {
  long best = firstLargest(scores, v);
  float sharpness = settings[0], topK = settings[1], topP = settings[2];
  if (best < 0 || sharpness == 0) return (int)best;
  unsigned lowest = 0, floor = (unsigned)(settings[3] * 2147483648.0f), most = fixedWeight(0);
  if (topK > 0 && topK < (float)v) lowest = descend(scores, 0, v, (U64)topK).key;
  float top = scores[best];
  U64 mass = 0;
  for (long i = 0; i < v; i++) {
    weights[i] = keyOf(scores[i]) < lowest ? 0 : fixedWeight((top - scores[i]) * sharpness);
    mass += weights[i];
  }
  if (topP < 1) {
    U64 limit = shareOf(mass, (unsigned)(topP * 4294967296.0f));
    trimTopP(scores, weights, v, limit ? limit : 1);
  }
  mass = 0;
  for (long i = 0; i < v; i++) {
    if (weights[i] < floor && weights[i] != most) weights[i] = 0;
    mass += weights[i];
  }
  U64 left = shareOf(mass, word);
  for (long i = 0; i < v; i++) {
    if (left < weights[i]) return (int)i;
    left -= weights[i];
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

/** ids [b], random [b, 4], counts [b, v], logits [b, v], settings [b, 8]; `workspace`: 2 v floats a thread. */
KERNEL(sampleToken, InOutInts ids, InOutInts random, MaybeInOutInts counts, MaybeOut logprob, In logits, In settings, long b, long v, Space workspace) {
  float *mine = workspace + thread * 2 * v;
  Span rows = share(b, 1, thread, threads);
  for (long row = rows.lo; row < rows.hi; row++) {
    const float *own = logits + row * v, *setting = settings + 8 * row, *scores = own;
    if (counts) penalise(mine + v, own, setting, counts + row * v, v), scores = mine + v;
    int id = chooseToken(scores, setting, (unsigned *)mine, v, threefry(random + 4 * row));
    ids[row] = id;
    if (counts && id >= 0) counts[row * v + id]++;
    if (++random[4 * row + 2] == 0) random[4 * row + 3]++;
    if (logprob) logprob[row] = logProbability(own, v, id);
  }
}
