// Four rows of W are four lanes of a vector, and four rows of W^T are four of its columns: so a block of W^T is made of vectors that hold a column of
// four rows of W each, and what is left to do is to find the largest of 32 rows, and to put bytes side by side.
#include "turnBlocks.h"

/** Four halves that floats of 0 or more are rounded to. */
INLINE H4 halvesOf4(F4 x) {
  U4 bits = (U4)(x * splat(0x1p-112f));
  return __builtin_convertvector((bits + 0xfff + (bits >> 13 & 1)) >> 13, H4);
}

/** Column c of the block of 32 (its byte of vector `step`, as packed.h has them), of four rows of W. */
INLINE F4 columnOf(const unsigned char *block, int q8, long c, F4 scale) {
  const I4 bytes = loadInt4((const int *)(block + 8) + 4 * (q8 ? c / 4 : c % 16 / 4));
  const int shift = 24 - 8 * (int)(c % 4);
  if (q8) return toFloat4(bytes << shift >> 24) * scale;
  const I4 pair = (I4)((U4)(bytes << shift) >> 24);
  return toFloat4((c < 16 ? pair & 15 : (I4)((U4)pair >> 4)) - 8) * scale;
}

enum { GROUPS = BLOCK / 4 };

/** One block of four rows of W^T, from columns c to c + 3 of eight groups of rows of W. */
static void turnBlock(unsigned char *out, const unsigned char *const from[GROUPS], const F4 scales[GROUPS], int q8, long c) {
  F4 values[4][GROUPS], top;
  for (int j = 0; j < 4; j++) {
    F4 most = splat(0);
    for (int g = 0; g < GROUPS; g++) {
      values[j][g] = from[g] ? columnOf(from[g], q8, c + j, scales[g]) : splat(0);
      most = max4(most, abs4(values[j][g]));
    }
    most = max4(most, __builtin_shufflevector(most, most, 2, 3, 0, 1));
    top[j] = most[0] > most[1] ? most[0] : most[1];
  }
  const H4 halves = halvesOf4(top * splat(1.0f / 127.0f));
  *(H4Loose *)out = halves;
  const F4 scale = halves4((const unsigned short *)out);
  for (int g = 0; g < GROUPS; g++) {
    I4 whole[4];
    for (int j = 0; j < 4; j++)
      whole[j] = (I4)(values[j][g] * splat(scale[j] > 0 ? 1.0f / scale[j] : 0.0f) + splat(ROUND_MAGIC)) - splatInt(floatAsBits(ROUND_MAGIC));
    storeBytes8((signed char *)out + 8 + 16 * g, narrow16(whole[0], whole[1]));
    storeBytes8((signed char *)out + 16 + 16 * g, narrow16(whole[2], whole[3]));
  }
}

void turnBlocks(unsigned char *out, const unsigned char *weight, int format, long n, long k, long block, long blocks, long at, long width) {
  const int q8 = format == FORMAT_Q8;
  const long bytes = q8 ? Q8_BYTES : Q4_BYTES, groups = ceilDivide(n, 4), apart = k / BLOCK * bytes;
  for (long b = 0; b < blocks; b++)
    for (long c = 0; c < width; c += BLOCK) {
      const unsigned char *from[GROUPS];
      F4 scales[GROUPS];
      for (int g = 0; g < GROUPS; g++) {
        const long group = (block + b) * GROUPS + g;
        from[g] = group < groups ? weight + group * apart + (at + c) / BLOCK * bytes : 0;
        scales[g] = from[g] ? halves4((const unsigned short *)from[g]) : splat(0);
      }
      for (long j = 0; j < BLOCK; j += 4) turnBlock(out + ((c + j) / 4 * blocks + b) * Q8_BYTES, from, scales, q8, j);
    }
}
