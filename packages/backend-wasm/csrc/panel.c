#include "panel.h"

/** Four rows of `in` become four lanes: out[k * step + 0..3]. */
INLINE void packLanes(float *out, const float *in, long row, long k, long step) {
  for (long i = 0; i < k; i += 4, out += 4 * step) {
    F4 a = load4(in + i), b = load4(in + row + i), c = load4(in + 2 * row + i), d = load4(in + 3 * row + i);
    transpose4(&a, &b, &c, &d);
    store4(out, a), store4(out + step, b), store4(out + 2 * step, c), store4(out + 3 * step, d);
  }
}
void packRowsA(float *out, const float *in, long row, long m, long k) {
  for (long i = 0; i < m; i += PANEL_ROWS) packLanes(out + i * k, in + i * row, row, k, PANEL_ROWS);
}
void packColumnsA(float *out, const float *in, long row, long m, long k, long panel) {
  for (long i = 0; i < m; i += PANEL_ROWS, out += panel)
    for (long j = 0; j < k; j++) store4(out + j * PANEL_ROWS, load4(in + j * row + i));
}
void packRowsB(float *out, const float *in, long row, long k, long n, long panel, const float *scale) {
  for (long i = 0; i < n; i += PANEL_COLUMNS, out += panel)
    for (long j = 0; j < k; j++) {
      F4 factor = splat(scale ? scale[j] : 1.0f);
      store4(out + j * PANEL_COLUMNS, factor * load4(in + j * row + i));
      store4(out + j * PANEL_COLUMNS + 4, factor * load4(in + j * row + i + 4));
    }
}
void packColumnsB(float *out, const float *in, long row, long k, long n, long panel) {
  for (long i = 0; i < n; i += PANEL_COLUMNS, out += panel) {
    packLanes(out, in + i * row, row, k, PANEL_COLUMNS);
    packLanes(out + 4, in + (i + 4) * row, row, k, PANEL_COLUMNS);
  }
}

#define PANEL_ROW(i)                     \
  {                                      \
    F4 x = splat(a[i]);                  \
    c##i##0 = madd(x, b0, c##i##0);      \
    c##i##1 = madd(x, b1, c##i##1);      \
  }
#define PANEL_STEP                                      \
  {                                                     \
    F4 b0 = load4(b), b1 = load4(b + 4);                \
    PANEL_ROW(0) PANEL_ROW(1) PANEL_ROW(2) PANEL_ROW(3) \
    a += PANEL_ROWS;                                    \
    b += PANEL_COLUMNS;                                 \
  }
#define PANEL_STORE(i)                                                    \
  {                                                                       \
    float *o = c + i * row, factor = keep ? keep[i * step] : 0.0f;        \
    if (factor != 0.0f) {                                                 \
      c##i##0 = madd(splat(factor), load4(o), c##i##0);                   \
      c##i##1 = madd(splat(factor), load4(o + 4), c##i##1);               \
    }                                                                     \
    store4(o, c##i##0);                                                   \
    store4(o + 4, c##i##1);                                               \
  }
INLINE void panelTile(const float *a, const float *b, long k, float *c, long row, const float *keep, long step) {
  F4 z = splat(0);
  F4 c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
  for (; k >= 4; k -= 4) { PANEL_STEP PANEL_STEP PANEL_STEP PANEL_STEP }
  for (; k > 0; k--) PANEL_STEP
  PANEL_STORE(0) PANEL_STORE(1) PANEL_STORE(2) PANEL_STORE(3)
}

void panelProduct(const PanelProduct *p) {
  for (long j = 0; j < p->n; j += PANEL_COLUMNS)
    for (long i = 0; i < p->m; i += PANEL_ROWS) {
      long from = 0, until = p->k;
      if (p->part == PANEL_LOWER_A) until = minLong(p->k, ((i + PANEL_ROWS - 1) / p->rank + 1) * p->rank);
      else if (p->part == PANEL_UPPER_A) from = minLong(p->k, i / p->rank * p->rank);
      else if (p->part == PANEL_LOWER_C && j >= ((i + PANEL_ROWS - 1) / p->rank + 1) * p->rank) continue;
      const float *a = p->a + i / PANEL_ROWS * p->aPanel + from * PANEL_ROWS, *b = p->b + j / PANEL_COLUMNS * p->bPanel + from * PANEL_COLUMNS;
      panelTile(a, b, until - from, p->c + i * p->cRow + j / PANEL_COLUMNS * p->cPanel, p->cRow, p->keep ? p->keep + i * p->keepStep : 0, p->keepStep);
    }
}
