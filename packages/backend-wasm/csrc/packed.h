// Packed weights [n, k]. f16 and bf16: row-major halves. q8 and q4: groups of four rows; a group is one stream of blocks of 32
// columns, each the four rows' f16 scales, then their integers in vectors of 16 bytes, four neighbouring bytes of each row in turn:
// q8: vector c has columns 4c to 4c + 3; q4: a byte of vector c has a column of those in its low half and the one 16 to its right
// in its high half, offset by 8. So a lane of a product's sums belongs to a row, and nothing is added across lanes. Rows past n are zero.
#pragma once
#include "vmath.h"

enum { FORMAT_F32, FORMAT_F16, FORMAT_BF16, FORMAT_Q8, FORMAT_Q4 };
enum { BLOCK = 32, Q8_BYTES = 8 + 4 * 32, Q4_BYTES = 8 + 4 * 16 };

/** Four IEEE halves; finite ones, denormals included. */
INLINE F4 halves4(const unsigned short *p) {
  U4 bits = __builtin_convertvector(*(const H4Loose *)p, U4);
  F4 magnitude = (F4)((I4)(bits & 0x7fff) << 13) * K(HALF_SCALE);
  return (F4)((U4)magnitude | ((bits & 0x8000) << 16));
}
INLINE F4 brains4(const unsigned short *p) { return (F4)(__builtin_convertvector(*(const H4Loose *)p, U4) << 16); }

/** Columns [from, from + count) of one row as floats; `from` and `count` are multiples of 32 for q8 and q4. */
void unpackRow(float *out, const unsigned char *weight, int format, long k, long row, long from, long count);
/** A thread's part of y [m, n] = x [m, k] W^T + bias. */
void multiplyPacked(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads);
