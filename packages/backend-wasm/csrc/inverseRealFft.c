// Real sequences of any length from half their spectra, and back: eight rows a transform, four a lane each, two as real and imaginary part.
// Lengths other than powers of two go through a chirp (Bluestein 1970), which is a convolution.
#include "fft.h"

typedef struct {
  long h, m, l, size;
  const float *table;
  float *chirp;       /* exp(pi i k^2 / l), k < l; nothing where size = l */
  const C4 *response; /* of conj(chirp), over size */
} RealFft;

/** x [l] in natural order to sum_k x_k exp(+-2 pi i k t / l), natural order. */
static void anyLength(const RealFft *f, C4 *x, int inverse, C4 *ordered) {
  if (f->size == f->l) {
    if (inverse) {
      for (long k = 0; k < f->l; k++) ordered[fftPlace(k, f->size)] = x[k];
      fftInverse(ordered, f->size, f->table);
      memcpy(x, ordered, (UW)f->l * sizeof(C4));
    } else {
      memcpy(ordered, x, (UW)f->l * sizeof(C4));
      fftForward(ordered, f->size, f->table);
      for (long k = 0; k < f->l; k++) x[k] = ordered[fftPlace(k, f->size)];
    }
    return;
  }
  // The forward transform is the inverse one of the conjugates, conjugated.
  F4 side = splat(inverse ? 1.0f : -1.0f), scale = splat(1.0f / (float)f->size);
  for (long k = 0; k < f->l; k++) ordered[k] = c4Times((C4){x[k].re, x[k].im * side}, c4Splat(f->chirp + 2 * k));
  memset(ordered + f->l, 0, (UW)(f->size - f->l) * sizeof(C4));
  fftForward(ordered, f->size, f->table);
  for (long i = 0; i < f->size; i++) ordered[i] = c4Times(ordered[i], f->response[i]);
  fftInverse(ordered, f->size, f->table);
  for (long t = 0; t < f->l; t++) {
    C4 y = c4Times(ordered[t], c4Splat(f->chirp + 2 * t));
    x[t] = (C4){y.re * scale, y.im * side * scale};
  }
}

/** Floats of the twiddles and the chirp, and of a thread. */
SIZE(realFftTables, long l, long size) { return 2 * size + 2 * ((l + 3) & ~3L); }
SIZE(realFftFloats, long l, long size) { return 8 * l + 16 * size; }
static RealFft realFftOf(long h, long l, long size, float *tables, float *workspace, int thread, int threads, C4 **x, C4 **ordered) {
  float *table = tables, *chirp = tables + 2 * size;
  RealFft f = {h, l / 2 + 1, l, size, table, chirp, 0};
  *x = (C4 *)(workspace + thread * realFftFloats(l, size));
  *ordered = *x + f.l;
  C4 *response = *ordered + f.size;
  fillTwiddles(table, f.size, thread, threads);
  if (f.size != f.l) {
    Span part = share(f.l, 16, thread, threads);
    for (long k = part.lo; k < part.hi; k++) {
      Complex turn = turnOf(3.141592653589793238 * (double)((long long)k * k % (2 * (long long)f.l)) / (double)f.l);
      chirp[2 * k] = (float)turn.re, chirp[2 * k + 1] = (float)turn.im;
    }
  }
  barrier(thread, threads);
  if (f.size != f.l) {
    memset(response, 0, (UW)f.size * sizeof(C4));
    for (long k = 0; k < f.l; k++) response[k] = response[(f.size - k) % f.size] = (C4){splat(chirp[2 * k]), splat(-chirp[2 * k + 1])};
    fftForward(response, f.size, table);
    f.response = response;
  }
  return f;
}

/** Levels of up to eight rows of `width` floats, those at `skipped` places from the ends (imaginary parts that do not count) left out. */
static void rowLevels(Level *level, const float *rows, long count, long width, long skippedFirst, long skippedLast) {
  I4 peak[2] = {splatInt(0), splatInt(0)};
  for (long i = 0; i < count; i++) {
    const float *p = rows + i * width;
    int largest = 0;
    for (long k = 0; k < width; k++) {
      union { float f; int i; } x = {p[k]};
      int bits = x.i & 0x7fffffff;
      if (bits > largest && k != skippedFirst && k != skippedLast) largest = bits;
    }
    peak[i >> 2][i & 3] = largest;
  }
  level[0] = levelOf(peak[0]), level[1] = levelOf(peak[1]);
}

/** y [h, l], x [h, m, 2]. Threads share rows by eights. */
KERNEL(inverseRealFft, Out y, In x, long h, long l, long size, Space tables, Space workspace) {
  C4 *row, *ordered;
  RealFft f = realFftOf(h, l, size, tables, workspace, thread, threads, &row, &ordered);
  Span eights = share((f.h + 7) / 8, 1, thread, threads);
  for (long first = 8 * eights.lo; first < 8 * eights.hi && first < f.h; first += 8) {
    long count = minLong(8, f.h - first);
    Level level[2];
    rowLevels(level, x + 2 * first * f.m, count, 2 * f.m, 1, f.l % 2 == 0 ? 2 * f.m - 1 : 1);
    for (long k = 0; k < f.m; k++) {
      F4 re[2] = {splat(0), splat(0)}, im[2] = {splat(0), splat(0)};
      int alone = k == 0 || 2 * k == f.l;
      for (long i = 0; i < count; i++) {
        const float *p = x + 2 * ((first + i) * f.m + k);
        re[i >> 2][i & 3] = p[0], im[i >> 2][i & 3] = alone ? 0.0f : p[1];
      }
      for (int half = 0; half < 2; half++) re[half] = levelled(re[half], level[half].to), im[half] = levelled(im[half], level[half].to);
      row[k] = (C4){re[0] - im[1], im[0] + re[1]};
      if (!alone) row[f.l - k] = (C4){re[0] + im[1], re[1] - im[0]};
    }
    anyLength(&f, row, 1, ordered);
    for (long i = 0; i < count; i++)
      for (long t = 0; t < f.l; t++) y[(first + i) * f.l + t] = (i < 4 ? row[t].re : row[t].im)[i & 3] * level[i >> 2].back[i & 3] / (float)f.l;
  }
}

/** dx [h, m, 2], dY [h, l]: dx_k = (c_k / l) sum_t dy_t exp(-2 pi i k t / l). */
KERNEL(inverseRealFftGrad, Out dx, In dY, long h, long l, long size, Space tables, Space workspace) {
  C4 *x, *ordered;
  RealFft f = realFftOf(h, l, size, tables, workspace, thread, threads, &x, &ordered);
  Span eights = share((f.h + 7) / 8, 1, thread, threads);
  for (long first = 8 * eights.lo; first < 8 * eights.hi && first < f.h; first += 8) {
    long count = minLong(8, f.h - first);
    Level level[2];
    rowLevels(level, dY + first * f.l, count, f.l, -1, -1);
    for (long t = 0; t < f.l; t++) {
      F4 part[2] = {splat(0), splat(0)};
      for (long i = 0; i < count; i++) part[i >> 2][i & 3] = dY[(first + i) * f.l + t];
      x[t] = (C4){levelled(part[0], level[0].to), levelled(part[1], level[1].to)};
    }
    anyLength(&f, x, 0, ordered);
    for (long k = 0; k < f.m; k++) {
      C4 z = x[k], mirror = x[k == 0 ? 0 : f.l - k];
      int alone = k == 0 || 2 * k == f.l;
      // The two rows of a pair: their spectra are the even and the odd part of the common one.
      F4 half = splat((alone ? 0.5f : 1.0f) / (float)f.l);
      F4 re[2] = {(z.re + mirror.re) * half, (z.im + mirror.im) * half}, im[2] = {(z.im - mirror.im) * half, (mirror.re - z.re) * half};
      for (long i = 0; i < count; i++) {
        float *out = dx + 2 * ((first + i) * f.m + k);
        float back = level[i >> 2].back[i & 3];
        out[0] = re[i >> 2][i & 3] * back, out[1] = alone ? 0.0f : im[i >> 2][i & 3] * back;
      }
    }
  }
}
