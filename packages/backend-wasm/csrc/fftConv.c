// Depthwise causal convolution with long filters: four channels a transform (one a lane), two rows of the batch as its real and
// imaginary part, since the filters are real.
#include "fft.h"

typedef struct {
  In u, k;
  MaybeIn D;
  long b, l, d, m, size;
  Space table; /* 2 size twiddles */
} LongConv;

/** Levels of channels [first, first + count) of rows `row` and `row + 1`; of a row alone 1. */
static void pairLevels(const LongConv *c, Level *level, const float *rows, long row, long first, long count) {
  level[0] = level[1] = (Level){splat(1), splat(1)};
  for (long part = 0; part < 2 && row + 1 < c->b; part++) {
    const float *p = rows + (row + part) * c->l * c->d + first;
    I4 peak = splatInt(0);
    for (long t = 0; t < c->l; t++) peak = louder(peak, loadPart(p + t * c->d, count));
    level[part] = levelOf(peak);
  }
}
/** Channels [first, first + count) of rows `row` and `row + 1` (zeros past the batch), each times its factor, transformed. */
static void rowsSpectrum(const LongConv *c, C4 *out, const float *rows, long row, long first, long count, F4 by, F4 byOther) {
  const float *p = rows + row * c->l * c->d + first, *other = row + 1 < c->b ? p + c->l * c->d : 0;
  for (long t = 0; t < c->l; t++) out[t] = (C4){levelled(loadPart(p + t * c->d, count), by), other ? levelled(loadPart(other + t * c->d, count), byOther) : splat(0)};
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
/** Floats of a thread, forward and backward: two and four transforms. */
SIZE(longConvFloats, long size) { return 16 * size; }
SIZE(longConvBackFloats, long size) { return 32 * size; }

/** `workspace`: longConvFloats a thread. */
KERNEL(fftConv, Out y, LongConv c, Space workspace) {
  C4 *filter = (C4 *)(workspace + thread * longConvFloats(c.size)), *x = filter + c.size;
  fillTwiddles(c.table, c.size, thread, threads);
  barrier(thread, threads);
  F4 scale = splat(1.0f / (float)c.size);
  Span quads = share((c.d + 3) / 4, 1, thread, threads);
  for (long first = 4 * quads.lo; first < 4 * quads.hi; first += 4) {
    long count = minLong(4, c.d - first);
    F4 skip = c.D ? loadPart(c.D + first, count) : splat(0);
    filterSpectrum(&c, filter, first, count);
    for (long i = 0; i < c.size; i++) filter[i] = (C4){filter[i].re * scale, filter[i].im * scale};
    for (long row = 0; row < c.b; row += 2) {
      Level level[2];
      pairLevels(&c, level, c.u, row, first, count);
      rowsSpectrum(&c, x, c.u, row, first, count, level[0].to, level[1].to);
      for (long i = 0; i < c.size; i++) x[i] = c4Times(x[i], filter[i]);
      fftInverse(x, c.size, c.table);
      for (long part = 0; part < minLong(2, c.b - row); part++)
        for (long t = 0; t < c.l; t++) {
          long at = ((row + part) * c.l + t) * c.d + first;
          storePart(y + at, madd(skip, loadPart(c.u + at, count), (part ? x[t].im : x[t].re) * level[part].back), count);
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
    // What dY is divided by, u is multiplied with: their products, which the filters' gradients sum, stay as they are.
    Level level[2];
    pairLevels(c, level, dY, row, first, count);
    rowsSpectrum(c, u, c->u, row, first, count, level[0].back, level[1].back);
    rowsSpectrum(c, dy, dY, row, first, count, level[0].to, level[1].to);
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
        storePart(dU + at, madd(skip, g, (part ? dy[t].im : dy[t].re) * (scale * level[part].back)), count);
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

/** `workspace`: longConvBackFloats a thread. */
KERNEL(fftConvGrad, Out du, Out dk, MaybeOut dD, In dY, LongConv c, Space workspace) {
  C4 *buffers = (C4 *)(workspace + thread * longConvBackFloats(c.size));
  fillTwiddles(c.table, c.size, thread, threads);
  barrier(thread, threads);
  Span quads = share((c.d + 3) / 4, 1, thread, threads);
  for (long first = 4 * quads.lo; first < 4 * quads.hi; first += 4) longConvBack(&c, dY, du, dk, dD, first, buffers);
}
