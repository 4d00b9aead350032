// Products with q8 and q4 weights in whole numbers: x is rounded to 8 bits a block, as ggml does.
#pragma once
#include "packed.h"

/** A thread's part of y [m, n] = x [m, k] W^T + bias. What a row of x comes to does not depend on the rows beside it. */
void multiplyIntegers(float *y, const float *x, const unsigned char *weight, const float *bias, long m, long n, long k, int format, int thread, int threads);
