// Depthwise causal convolution with long filters: four channels a transform (one a lane), two rows of the batch as its real and
// imaginary part, since the filters are real.
#include "fft.h"

typedef struct {
  const float *u, *k, *D;
  long b, l, d, m, size;
  const float *table;
} LongConv;

/** Channels [first, first + count) of rows `row` and `row + 1` (zeros past the batch), transformed. */
static void rowsSpectrum(const LongConv *c, C4 *out, const float *rows, long row, long first, long count) {
  const float *p = rows + row * c->l * c->d + first, *other = row + 1 < c->b ? p + c->l * c->d : 0;
  for (long t = 0; t < c->l; t++) out[t] = (C4){loadPart(p + t * c->d, count), other ? loadPart(other + t * c->d, count) : splat(0)};
  memset(out + c->l, 0, (UW)(c->size - c->l) * sizeof(C4));
  fftForward(out, c->size, c->table);
}
static void filterSpectrum(const LongConv *c, C4 *out, long first, long count) {
  long taps = minLong(c->m, c->l);
  for (long j = 0; j < taps; j++) {
    F4 v = splat(0);
    for (long i = 0; i < count; i++) v[i] = c->k[(first + i) * c->m + j];
    out[j] = (C4){v, splat(0)};
  }
  memset(out + taps, 0, (UW)(c->size - taps) * sizeof(C4));
  fftForward(out, c->size, c->table);
}
static LongConv longConvFrom(const W *a, float *table) {
  return (LongConv){(const float *)a[0], (const float *)a[1], (const float *)a[2], a[3], a[4], a[5], a[6], a[7], table};
}

/** y, workspace, its floats a thread (16 size), then u, k, D or 0, b, l, d, m, size. The workspace starts with 2 size twiddles. */
KERNEL(fftConv) {
  float *y = (float *)a[0], *table = (float *)a[1];
  LongConv c = longConvFrom(a + 3, table);
  C4 *filter = (C4 *)(table + 2 * c.size + thread * a[2]), *x = filter + c.size;
  fillTwiddles(table, c.size, thread, threads);
  barrier(thread, threads);
  F4 scale = splat(1.0f / (float)c.size);
  Span quads = share((c.d + 3) / 4, 1, thread, threads);
  for (long first = 4 * quads.lo; first < 4 * quads.hi; first += 4) {
    long count = minLong(4, c.d - first);
    F4 skip = c.D ? loadPart(c.D + first, count) : splat(0);
    filterSpectrum(&c, filter, first, count);
    for (long i = 0; i < c.size; i++) filter[i] = (C4){filter[i].re * scale, filter[i].im * scale};
    for (long row = 0; row < c.b; row += 2) {
      rowsSpectrum(&c, x, c.u, row, first, count);
      for (long i = 0; i < c.size; i++) x[i] = c4Times(x[i], filter[i]);
      fftInverse(x, c.size, table);
      for (long part = 0; part < minLong(2, c.b - row); part++)
        for (long t = 0; t < c.l; t++) {
          long at = ((row + part) * c.l + t) * c.d + first;
          storePart(y + at, madd(skip, loadPart(c.u + at, count), part ? x[t].im : x[t].re), count);
        }
    }
  }
}

/** One quad of channels: du = k corr dy + D dy; dk = u corr dy, its spectra summed over the batch; dD = sum u dy. */
static void longConvBack(const LongConv *c, const float *dY, float *dU, float *dK, float *dD, long first, C4 *filter) {
  C4 *dy = filter + c->size, *u = dy + c->size, *dFilter = u + c->size;
  long count = minLong(4, c->d - first), taps = minLong(c->m, c->l);
  F4 scale = splat(1.0f / (float)c->size), skip = c->D ? loadPart(c->D + first, count) : splat(0), dSkip = splat(0);
  filterSpectrum(c, filter, first, count);
  memset(dFilter, 0, (UW)c->size * sizeof(C4));
  for (long row = 0; row < c->b; row += 2) {
    rowsSpectrum(c, u, c->u, row, first, count);
    rowsSpectrum(c, dy, dY, row, first, count);
    for (long i = 0; i < c->size; i++) {
      dFilter[i] = c4Add(dFilter[i], c4TimesConj(dy[i], u[i]));
      dy[i] = c4TimesConj(dy[i], filter[i]);
    }
    fftInverse(dy, c->size, c->table);
    for (long part = 0; part < minLong(2, c->b - row); part++) {
      F4 sum = splat(0);
      for (long t = 0; t < c->l; t++) {
        long at = ((row + part) * c->l + t) * c->d + first;
        F4 g = loadPart(dY + at, count);
        sum = madd(loadPart(c->u + at, count), g, sum);
        storePart(dU + at, madd(skip, g, (part ? dy[t].im : dy[t].re) * scale), count);
      }
      dSkip += sum;
    }
  }
  // conj(U) dY of rows carried as u1 + i u2 has as real part the sum over both rows.
  fftInverse(dFilter, c->size, c->table);
  for (long i = 0; i < count; i++)
    for (long j = 0; j < c->m; j++) dK[(first + i) * c->m + j] = j < taps ? dFilter[j].re[i] * scale[0] : 0.0f;
  if (dD) storePart(dD + first, dSkip, count);
}

/** du, dk, dD or 0, dY, workspace, its floats a thread (32 size), then fftConv's words 3 to 10. */
KERNEL(fftConvGrad) {
  float *table = (float *)a[4];
  LongConv c = longConvFrom(a + 6, table);
  C4 *buffers = (C4 *)(table + 2 * c.size + thread * a[5]);
  fillTwiddles(table, c.size, thread, threads);
  barrier(thread, threads);
  Span quads = share((c.d + 3) / 4, 1, thread, threads);
  for (long first = 4 * quads.lo; first < 4 * quads.hi; first += 4) longConvBack(&c, (const float *)a[3], (float *)a[0], (float *)a[1], (float *)a[2], first, buffers);
}
