// IEEE halves, two in a word, the first in its low bits.
#pragma once
#include "vmath.h"

/** Floats of the first halves of four words, or of the second ones. */
INLINE F4 floatsOfWords(I4 words, int second) {
  I4 high = second ? words : (I4)((U4)words << 16);
  I4 bits = (high >> 3) & splatInt((int)0x8fffe000), top = splatInt(0x0f800000);
  // The largest exponent says infinite or no number.
  return select4((bits & top) == top, (F4)(bits | splatInt(0x7f800000)), (F4)bits * K(HALF_SCALE));
}

/** The nearest halves, ties to even, each in the low bits of its lane. */
INLINE I4 halfBits(F4 x) {
  I4 sign = (I4)((U4)x >> 16) & splatInt(0x8000), rest = (I4)abs4(x);
  I4 normal = (rest - splatInt(0x38000000 - 0xfff) + ((rest >> 13) & splatInt(1))) >> 13;
  // Below 2^-14 halves are 2^-24 apart, as floats are from a half on.
  I4 small = (I4)(abs4(x) + K(HALF)) - (I4)K(HALF);
  I4 half = selectInt4(rest < splatInt(0x38800000), small, normal);
  half = selectInt4(rest >= splatInt(0x477ff000), splatInt(0x7c00), half);
  return selectInt4(rest > splatInt(0x7f800000), splatInt(0x7e00), half) | sign;
}

/** `count` words of twice as many floats. */
INLINE void storeHalves(int *to, const float *x, long count) {
  long i = 0;
  for (; i + 4 <= count; i += 4) {
    F4 a = load4(x + 2 * i), b = load4(x + 2 * i + 4);
    I4 first = halfBits(__builtin_shufflevector(a, b, 0, 2, 4, 6)), second = halfBits(__builtin_shufflevector(a, b, 1, 3, 5, 7));
    storeInt4(to + i, first | (I4)((U4)second << 16));
  }
  for (; i < count; i++) {
    I4 pair = halfBits((F4){x[2 * i], x[2 * i + 1], 0, 0});
    to[i] = pair[0] | (int)((unsigned)pair[1] << 16);
  }
}

/** Inverse of `storeHalves`: twice as many floats as words. */
INLINE void loadHalves(float *to, const int *words, long count) {
  long i = 0;
  for (; i + 4 <= count; i += 4) {
    F4 first = floatsOfWords(loadInt4(words + i), 0), second = floatsOfWords(loadInt4(words + i), 1);
    store4(to + 2 * i, __builtin_shufflevector(first, second, 0, 4, 1, 5));
    store4(to + 2 * i + 4, __builtin_shufflevector(first, second, 2, 6, 3, 7));
  }
  for (; i < count; i++) {
    to[2 * i] = floatsOfWords(splatInt(words[i]), 0)[0];
    to[2 * i + 1] = floatsOfWords(splatInt(words[i]), 1)[0];
  }
}
