// Small dense products on operands that a kernel has laid out itself: A as panels of 4 rows [k][4], B as panels of 8 columns [k][8],
// C in tiles of 4 x 8. Extents are padded to whole panels by their owners, so that there are no edges; only k is exact.
#pragma once
#include "vmath.h"

enum { PANEL_ROWS = 4, PANEL_COLUMNS = 8 };
SIZE(pad8, long n) { return (n + 7) & ~7L; }

/** Which part of a product between rows of tokens (`rank` rows each) is needed: all, or what a causal mask leaves. */
typedef enum { PANEL_ALL, PANEL_LOWER_A, PANEL_UPPER_A, PANEL_LOWER_C } PanelPart;

/**
 * C = keep C + A B. keep: 0 for C = A B; otherwise one factor a row (keepStep 1) or one for all (keepStep 0); where it is 0, C is not
 * read. Panels of A and B lie aPanel and bPanel floats apart; C has rows of cRow and panels of 8 columns cPanel apart, so that it may
 * itself be laid out as a B.
 */
typedef struct {
  const float *a, *b;
  float *c;
  long aPanel, bPanel, cRow, cPanel, m, n, k;
  const float *keep;
  long keepStep;
  PanelPart part;
  long rank;
} PanelProduct;
void panelProduct(const PanelProduct *p);

/** A [m, k] from rows of memory `row` floats apart; m and k are multiples of 4, panels are `k` long. */
void packRowsA(float *out, const float *in, long row, long m, long k);
/** A [m, k] = in^T: column i of memory is row i. */
void packColumnsA(float *out, const float *in, long row, long m, long k, long panel);
/** B [k, n] from rows of memory, each times its own factor where `scale` is given; panels are `panel` floats apart. */
void packRowsB(float *out, const float *in, long row, long k, long n, long panel, const float *scale);
/** B [k, n] = in^T: row j of memory is column j; k is a multiple of 4. */
void packColumnsB(float *out, const float *in, long row, long k, long n, long panel);
