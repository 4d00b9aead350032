// Products with q8 and q4 weights in whole numbers: x is rounded to 8 bits a block, as ggml does.
#pragma once
#include "packed.h"

/** A thread's part of y [m, n] = x [m, k] W^T + bias. What a row of x comes to does not depend on the rows beside it. */
void multiplyIntegers(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads);
/**
 * A thread's part of y [m, k] = x [m, n] W, of a W in q8 or q4: x is rounded as above, and W^T to 8 bits anew, of 32 rows of W a block. So an
 * element of y is off by the roundings of both, at most 1/254 of the largest of a block each.
 */
void multiplyIntegersTurned(float *y, const float *x, const unsigned char *weight, long m, long n, long k, int format, int thread, int threads);
