import { describe, expect, it } from "vitest";
import { Rng, ShapeError } from "@statespace/core";
import { fft, fftConvolve, ifft } from "@statespace/core/math";

const EPS = 2 ** -52;

function slowTransform(re: Float64Array, im: Float64Array): { re: Float64Array; im: Float64Array } {
  const n = re.length;
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) {
      const angle = (-2 * Math.PI * ((j * k) % n)) / n;
      out.re[k] += re[j] * Math.cos(angle) - im[j] * Math.sin(angle);
      out.im[k] += re[j] * Math.sin(angle) + im[j] * Math.cos(angle);
    }
  }
  return out;
}

function worst(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i])), 0);
}

describe("fft", () => {
  it.each([1, 2, 3, 4, 5, 8, 16, 17, 32, 60, 97, 128, 250])("equals the sum that defines it, n = %i", (n) => {
    const rng = new Rng(n);
    const re = rng.normals(n),
      im = rng.normals(n);
    const expected = slowTransform(re, im);
    const [fastRe, fastIm] = [re.slice(), im.slice()];
    fft(fastRe, fastIm);
    // |x|_1 bounds every output; the slow sum itself errs by about n roundings
    const bound = 4 * n * EPS * (re.reduce((s, x, i) => s + Math.hypot(x, im[i]), 0) + 1);
    expect(worst(fastRe, expected.re)).toBeLessThan(bound);
    expect(worst(fastIm, expected.im)).toBeLessThan(bound);
    ifft(fastRe, fastIm);
    expect(worst(fastRe, re)).toBeLessThan(bound);
    expect(worst(fastIm, im)).toBeLessThan(bound);
  });

  it("refuses parts of unequal length", () => {
    expect(() => fft(new Float64Array(4), new Float64Array(3))).toThrow(ShapeError);
  });
});

describe("fftConvolve", () => {
  it.each([
    [1, 1, 1],
    [5, 3, 7],
    [100, 100, 100],
    [64, 200, 64],
    [7, 300, 320],
  ])("a of %i, b of %i, first %i terms", (na, nb, length) => {
    const rng = new Rng(na + nb);
    const a = rng.normals(na, 0, 1e4),
      b = rng.normals(nb, 0, 1e-6);
    const expected = new Float64Array(length);
    for (let t = 0; t < length; t++) {
      for (let j = 0; j < na && j <= t; j++) if (t - j < nb) expected[t] += a[j] * b[t - j];
    }
    // relative to |a|_2 |b|_2, which bounds every term; log n passes of a few roundings each
    const norm = Math.hypot(...a) * Math.hypot(...b);
    expect(worst(fftConvolve(a, b, length), expected)).toBeLessThan(64 * EPS * norm);
  });
});
