import { ArgumentError, ShapeError } from "../errors.ts";

/** Twiddle factors exp(-2 pi i k / n), k < n, by length; a model uses few lengths, so the cache stays small. */
const twiddleCache = new Map<number, { cos: Float64Array; sin: Float64Array }>();

function twiddles(n: number): { cos: Float64Array; sin: Float64Array } {
  let cached = twiddleCache.get(n);
  if (!cached) {
    const angle = (k: number): number => (-2 * Math.PI * k) / n;
    cached = {
      cos: Float64Array.from({ length: n }, (_, k) => Math.cos(angle(k))),
      sin: Float64Array.from({ length: n }, (_, k) => Math.sin(angle(k))),
    };
    twiddleCache.set(n, cached);
  }
  return cached;
}

/**
 * The discrete Fourier transform X_k = sum_j x_j exp(-2 pi i j k / n), in place, for any length n.
 * Powers of two run through Stockham's radix-4 algorithm, other lengths through Bluestein's chirp.
 * @throws ShapeError when `re` and `im` differ in length.
 */
export function fft(re: Float64Array, im: Float64Array): void {
  if (re.length !== im.length) throw new ShapeError(`fft: im must have ${re.length} elements, got ${im.length}`);
  const n = re.length;
  if (n <= 1) return;
  if ((n & (n - 1)) === 0) stockham(re, im);
  else bluestein(re, im);
}

/** The inverse transform x_j = (1/n) sum_k X_k exp(2 pi i j k / n), in place. */
export function ifft(re: Float64Array, im: Float64Array): void {
  fft(im, re); // swapping the parts conjugates before and after
  const scale = 1 / re.length;
  for (let i = 0; i < re.length; i++) {
    re[i] *= scale;
    im[i] *= scale;
  }
}

function stockham(re: Float64Array, im: Float64Array): void {
  const total = re.length;
  const { cos, sin } = twiddles(total);
  let from: { re: Float64Array; im: Float64Array } = { re, im };
  let to: { re: Float64Array; im: Float64Array } = { re: new Float64Array(total), im: new Float64Array(total) };
  let n = total;
  let stride = 1;
  for (; n >= 4; n /= 4, stride *= 4) {
    radix4(from.re, from.im, to.re, to.im, n, stride, cos, sin);
    [from, to] = [to, from];
  }
  if (n === 2) {
    radix2(from.re, from.im, to.re, to.im, stride);
    from = to;
  }
  if (from.re !== re) {
    re.set(from.re);
    im.set(from.im);
  }
}

/** One pass: `stride` interleaved transforms of length n become 4 * stride of length n / 4. */
function radix4(
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  n: number,
  stride: number,
  cos: Float64Array,
  sin: Float64Array,
): void {
  const quarter = (n / 4) * stride;
  for (let p = 0; p < n / 4; p++) {
    const c1 = cos[p * stride],
      s1 = sin[p * stride];
    const c2 = cos[2 * p * stride],
      s2 = sin[2 * p * stride];
    const c3 = cos[3 * p * stride],
      s3 = sin[3 * p * stride];
    for (let q = 0; q < stride; q++) {
      const a = q + stride * p,
        b = a + quarter,
        c = b + quarter,
        d = c + quarter;
      const sumR = xr[a] + xr[c],
        sumI = xi[a] + xi[c],
        difR = xr[a] - xr[c],
        difI = xi[a] - xi[c];
      const sum2R = xr[b] + xr[d],
        sum2I = xi[b] + xi[d],
        turnR = xi[d] - xi[b],
        turnI = xr[b] - xr[d]; // i (x_b - x_d)
      const out = q + stride * 4 * p;
      yr[out] = sumR + sum2R;
      yi[out] = sumI + sum2I;
      const r1 = difR - turnR,
        i1 = difI - turnI,
        r2 = sumR - sum2R,
        i2 = sumI - sum2I,
        r3 = difR + turnR,
        i3 = difI + turnI;
      yr[out + stride] = c1 * r1 - s1 * i1;
      yi[out + stride] = c1 * i1 + s1 * r1;
      yr[out + 2 * stride] = c2 * r2 - s2 * i2;
      yi[out + 2 * stride] = c2 * i2 + s2 * r2;
      yr[out + 3 * stride] = c3 * r3 - s3 * i3;
      yi[out + 3 * stride] = c3 * i3 + s3 * r3;
    }
  }
}

function radix2(xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array, stride: number): void {
  for (let q = 0; q < stride; q++) {
    yr[q] = xr[q] + xr[q + stride];
    yi[q] = xi[q] + xi[q + stride];
    yr[q + stride] = xr[q] - xr[q + stride];
    yi[q + stride] = xi[q] - xi[q + stride];
  }
}

/** jk = (j^2 + k^2 - (k - j)^2) / 2 turns the transform into a convolution with a chirp, which a longer power of two carries. */
function bluestein(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  const { cos, sin } = twiddles(2 * n); // the chirp exp(-pi i k^2 / n) has period 2n in k^2
  const m = nextPowerOfTwo(2 * n - 1);
  const ar = new Float64Array(m),
    ai = new Float64Array(m),
    br = new Float64Array(m),
    bi = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    const phase = (k * k) % (2 * n); // exact: k^2 < 2^53 for every array that fits
    ar[k] = re[k] * cos[phase] - im[k] * sin[phase];
    ai[k] = re[k] * sin[phase] + im[k] * cos[phase];
    br[k] = br[(m - k) % m] = cos[phase];
    bi[k] = bi[(m - k) % m] = -sin[phase];
  }
  multiplySpectra(ar, ai, br, bi);
  for (let k = 0; k < n; k++) {
    re[k] = ar[k] * br[k] + ai[k] * bi[k];
    im[k] = ai[k] * br[k] - ar[k] * bi[k];
  }

  /** Circular convolution of a with the chirp, into a; b is left as it was. */
  function multiplySpectra(xr: Float64Array, xi: Float64Array, chirpR: Float64Array, chirpI: Float64Array): void {
    const fr = chirpR.slice(),
      fi = chirpI.slice();
    fft(xr, xi);
    fft(fr, fi);
    for (let i = 0; i < m; i++) {
      const r = xr[i] * fr[i] - xi[i] * fi[i];
      xi[i] = xr[i] * fi[i] + xi[i] * fr[i];
      xr[i] = r;
    }
    ifft(xr, xi);
  }
}

/** The smallest power of two that is at least n. @throws ArgumentError unless n is an integer >= 1. */
export function nextPowerOfTwo(n: number): number {
  if (!Number.isInteger(n) || n < 1) throw new ArgumentError(`nextPowerOfTwo: n must be a positive integer, got ${n}`);
  let power = 1;
  while (power < n) power *= 2;
  return power;
}

/**
 * The first `length` terms of the linear convolution y_t = sum_j a_j b_{t-j} of two real sequences, in O(n log n).
 * Both ride one complex transform: the spectrum of a + i b holds both, and its square's imaginary part is twice their product.
 */
export function fftConvolve(a: ArrayLike<number>, b: ArrayLike<number>, length: number): Float64Array {
  if (length < 1) return new Float64Array(0);
  const usedA = Math.min(a.length, length);
  const usedB = Math.min(b.length, length);
  if (usedA === 0 || usedB === 0) return new Float64Array(length);
  const n = nextPowerOfTwo(usedA + usedB - 1);
  const re = new Float64Array(n),
    im = new Float64Array(n);
  // equal magnitudes: a^2 - b^2 would otherwise drown the product in the rounding of the larger square
  const scale = largest(b, usedB) > 0 ? largest(a, usedA) / largest(b, usedB) || 1 : 1;
  for (let i = 0; i < usedA; i++) re[i] = a[i];
  for (let i = 0; i < usedB; i++) im[i] = b[i] * scale;
  fft(re, im);
  for (let i = 0; i < n; i++) {
    const r = re[i] * re[i] - im[i] * im[i];
    im[i] = 2 * re[i] * im[i];
    re[i] = r;
  }
  ifft(re, im);
  return Float64Array.from({ length }, (_, t) => (t < n ? im[t] / (2 * scale) : 0));
}

function largest(values: ArrayLike<number>, count: number): number {
  let max = 0;
  for (let i = 0; i < count; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
}
