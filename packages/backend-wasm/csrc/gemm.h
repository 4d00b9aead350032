// A dense product as one thread or all see it.
#pragma once
#include "packed.h"

typedef struct {
  const float *data;
  long row, column;
} Matrix;

/** C = A B + bias; C has rows of `rowC` floats. */
typedef struct {
  Matrix A, B;
  const unsigned char *packed; /* B as a packed weight [.., k], or 0 */
  long packedRow;              /* its row that is column 0 of B */
  int format;
  float *C;
  const float *bias;
  long m, n, k, rowC;
} Problem;

/** Part `part` of `parts` of a product, along its longer side; what it writes is no other part's. */
void multiplyPart(const Problem *g, long part, long parts, float *scratch);
