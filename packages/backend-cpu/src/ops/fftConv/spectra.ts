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

/** Powers of two that bring a row to about 1 and back. */
export interface Level {
  readonly to: number;
  readonly back: number;
}

/**
 * Levels of one channel of two batch rows. Rows that share a transform do not see each other so, however loud one is; a row that is not
 * finite is 0 in it (its factor is), and NaN afterwards.
 */
export function pairLevels(rows: Float32Array, b: number, l: number, d: number, row: number, channel: number): Level[] {
  return [row, row + 1].map((i) => {
    let peak = 0;
    for (let t = 0; i < b && t < l; t++) {
      const size = Math.abs(rows[(i * l + t) * d + channel]!);
      if (!(size <= peak)) peak = size; // NaN, too
      if (!Number.isFinite(size)) return { to: 0, back: Number.NaN };
    }
    const back = peak === 0 ? 1 : 2 ** Math.floor(Math.log2(peak));
    return { to: 1 / back, back };
  });
}

/** A value times its row's factor, of which 0 silences NaN. */
const times = (value: number, factor: number): number => (factor === 0 ? 0 : value * factor);

/**
 * The spectrum of one channel of two batch rows, as real and imaginary part: with a real filter both go through one transform.
 * @param rows [b, l, d]; the second row is left zero past the batch's end.
 * @param factors of the two rows
 */
export function pairSpectrum(
  rows: Float32Array,
  b: number,
  l: number,
  d: number,
  row: number,
  channel: number,
  size: number,
  factors: readonly number[],
): Spectrum {
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let t = 0; t < l; t++) re[t] = times(rows[(row * l + t) * d + channel]!, factors[0]!);
  if (row + 1 < b) for (let t = 0; t < l; t++) im[t] = times(rows[((row + 1) * l + t) * d + channel]!, factors[1]!);
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
