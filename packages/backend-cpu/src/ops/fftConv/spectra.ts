import { fft, ifft, nextPowerOfTwo } from "@statespace/core/math";

/** A complex sequence, or its spectrum. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** A transform length at which nothing of the first l outputs wraps around. */
export function paddedLength(l: number, m: number): number {
  return nextPowerOfTwo(l + Math.min(m, l));
}

/** The spectrum of a filter's first `used` taps. */
export function filterSpectrum(filter: Float32Array, used: number, size: number): Spectrum {
  const re = new Float64Array(size);
  re.set(filter.subarray(0, used));
  const im = new Float64Array(size);
  fft(re, im);
  return { re, im };
}

/**
 * The spectrum of one channel of two batch rows, as real and imaginary part: with a real filter both go through one transform.
 * @param rows [b, l, d]; the second row is left zero past the batch's end.
 */
export function pairSpectrum(
  rows: Float32Array,
  b: number,
  l: number,
  d: number,
  row: number,
  channel: number,
  size: number,
): Spectrum {
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let t = 0; t < l; t++) re[t] = rows[(row * l + t) * d + channel]!;
  if (row + 1 < b) for (let t = 0; t < l; t++) im[t] = rows[((row + 1) * l + t) * d + channel]!;
  fft(re, im);
  return { re, im };
}

/** The inverse transform of a product of spectra; with `conjugate` of x's conjugate times y, which correlates. */
export function productInTime(x: Spectrum, y: Spectrum, conjugate: boolean): Spectrum {
  const sign = conjugate ? -1 : 1;
  const re = y.re.map((yRe, i) => x.re[i]! * yRe - sign * x.im[i]! * y.im[i]!);
  const im = y.im.map((yIm, i) => x.re[i]! * yIm + sign * x.im[i]! * y.re[i]!);
  ifft(re, im);
  return { re, im };
}
