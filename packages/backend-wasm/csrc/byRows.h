// Products with rows of W as they lie, floats or halves: nothing is copied but x where W is halves.
#pragma once
#include "packed.h"

/** y [m, n] = x [m, k] W^T + bias by W [n, k] in f32, f16 or bf16: rows `rowX`, `rowY` floats and `rowW` elements apart. */
typedef struct {
  const float *x;
  const unsigned char *weight;
  const float *bias;
  float *y;
  long m, n, k, rowX, rowW, rowY;
  int format;
  int more; /* y += x W^T, without the bias */
} ByRows;

/** What a row of x comes to does not depend on the rows beside it. `scratch`: SCRATCH_BYTES, where a row of x has to fit unless W is floats. */
void multiplyByRows(const ByRows *p, float *scratch);
