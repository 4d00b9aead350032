// The transpose of a weight in q8 or q4, as q8.
#pragma once
#include "packed.h"

/**
 * Rows [32 block, 32 (block + blocks)) of W [n, k] and columns [at, at + width) of it as a packed W^T [width, 32 blocks] in q8: integers of 8
 * bits and a scale for every 32 rows of a column. Rows past n are zero. `at` and `width` are multiples of 32.
 */
void turnBlocks(unsigned char *out, const unsigned char *weight, int format, long n, long k, long block, long blocks, long at, long width);
