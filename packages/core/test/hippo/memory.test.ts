import { describe, expect, it } from "vitest";
import { ArgumentError, Rng } from "@statespace/core";
import { zeroOrderHold } from "@statespace/core/discretization";
import { gaussLegendre, legendreBasis, LegSMemory, makeHippoLegS, WindowMemory } from "@statespace/core/hippo";
import { Matrix, matrixExp, solveLinear } from "@statespace/core/math";

/** A sum of `cycles` harmonics with random phases over [0, 1), of root mean square near 1. */
function bandLimited(length: number, cycles: number, seed = 1): Float64Array {
  const rng = new Rng(seed);
  const waves = Array.from({ length: cycles }, (_, k) => ({
    frequency: k + 1,
    phase: rng.uniform(0, 2 * Math.PI),
    size: Math.sqrt(2 / cycles),
  }));
  return Float64Array.from({ length }, (_, i) =>
    waves.reduce(
      (sum, { frequency, phase, size }) => sum + size * Math.sin((2 * Math.PI * frequency * i) / length + phase),
      0,
    ),
  );
}

function rms(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length);
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  expect(a.length).toBe(b.length);
  return a.map((x, i) => x - b[i]);
}

function compress(n: number, signal: Float64Array, method: "bilinear" | "exact"): LegSMemory {
  const memory = new LegSMemory(n, method);
  memory.pushAll(signal);
  return memory;
}

describe("bases", () => {
  it.each([1, 2, 5, 64, 256])("Gauss-Legendre rule of %i nodes makes the Legendre basis orthonormal", (n) => {
    const { nodes, weights } = gaussLegendre(n);
    const values = Array.from(nodes, (x) => legendreBasis(n, x));
    for (const [i, j] of [
      [0, 0],
      [n - 1, n - 1],
      [n - 1, 0],
      [n >> 1, n - 1],
    ]) {
      const inner = values.reduce((sum, v, k) => sum + weights[k] * v[i] * v[j], 0);
      expect(Math.abs(inner - (i === j ? 1 : 0))).toBeLessThan(1e-12); // n terms of size up to 2n+1 in weight 1/n, and Newton's last bits
    }
  });
});

describe("LegS steps", () => {
  it("bilinear in O(n) equals the dense (I - A/2k)^-1 ((I + A/2k) x + B u / k)", () => {
    const n = 12;
    const { A, B } = makeHippoLegS(n);
    const memory = new LegSMemory(n);
    let x = new Matrix(n, 1);
    new Rng(2).normals(30).forEach((u, i) => {
      const k = i + 1;
      const I = Matrix.identity(n);
      x = solveLinear(
        I.plus(A, -1 / (2 * k)),
        I.plus(A, 1 / (2 * k))
          .times(x)
          .plus(B, u / k),
      );
      memory.push(u);
    });
    expect(rms(difference(memory.coefficients, x.data))).toBeLessThan(1e-13); // condition of the solves, about n^2 roundings
  });

  it("exact equals exp(A log(k / (k-1))) and its input integral", () => {
    const n = 12;
    const { A } = makeHippoLegS(n);
    const memory = new LegSMemory(n, "exact");
    const signal = new Rng(3).normals(20);
    memory.push(signal[0]);
    expect(rms(memory.coefficients.subarray(1))).toBeLessThan(1e-15); // one held sample is a constant
    for (let k = 2; k <= 20; k++) {
      const u = signal[k - 1];
      // A^{-1} B = -e_0, so a constant input is the fixed point u e_0
      const deviation = memory.coefficients.slice();
      deviation[0] -= u;
      const expected = matrixExp(A.scaled(Math.log(k / (k - 1)))).apply(deviation);
      expected[0] += u;
      memory.push(u);
      expect(rms(difference(memory.coefficients, expected))).toBeLessThan(1e-11); // the exponential's own 2^s roundings at |A| ~ 150
    }
  });

  it("exact is the least squares fit of the held signal", () => {
    const n = 8,
      length = 40;
    const signal = new Rng(4).normals(length);
    const memory = compress(n, signal, "exact");
    // moments by a fine Gauss rule inside every sample's span
    const { nodes, weights } = gaussLegendre(n);
    const expected = new Float64Array(n);
    signal.forEach((u, i) =>
      nodes.forEach((x, j) => {
        const at = (2 * (i + (x + 1) / 2)) / length - 1;
        legendreBasis(n, at).forEach((phi, k) => (expected[k] += (u * weights[j] * phi) / length));
      }),
    );
    expect(rms(difference(memory.coefficients, expected))).toBeLessThan(1e-13);
  });
});

describe("LegS reconstruction, N = 64, of a band-limited signal over its whole history", () => {
  const length = 10_000,
    cycles = 12;
  const signal = bandLimited(length, cycles);

  it("exact: within the error of holding the samples", () => {
    const error = difference(compress(64, signal, "exact").reconstruct(), signal);
    // 12 cycles need about pi * 12 = 38 < 64 coefficients; what is left is the half-sample hold: slope^2 / 24 in curvature,
    // (2 pi 12 / length)^2 / 24 = 2.4e-6 of the signal (4.4e-6 observed); at the ends the basis reaches sqrt(2N), and with it the noise
    // of the held steps (1.8e-4 observed)
    expect(rms(error)).toBeLessThan(1e-5);
    expect(Math.max(...error.map(Math.abs))).toBeLessThan(1e-3);
  });

  it("bilinear: within the trapezoid's error, largest where the history is oldest", () => {
    const error = difference(compress(64, signal, "bilinear").reconstruct(), signal);
    // the step at sample k is off where n^2 / k is not small, k < 4096: those errors are carried along, weighed by their share of history;
    // over the later seven eighths what stays is the trapezoid's lag against the held samples, a tenth of a sample (1.0e-3 observed)
    expect(rms(error)).toBeLessThan(0.01); // 2.9e-3 observed
    expect(rms(error.subarray(length / 8))).toBeLessThan(2e-3);
  });

  it("converges with N until it is band-limited, then stays", () => {
    const errors = [8, 16, 32, 48, 64].map((n) => rms(difference(compress(n, signal, "exact").reconstruct(), signal)));
    for (let k = 1; k < errors.length; k++) expect(errors[k]).toBeLessThanOrEqual(errors[k - 1]);
    expect(errors[0]).toBeGreaterThan(0.5); // 8 coefficients cannot hold 12 cycles
  });

  it("does not care for the time scale: twice the samples give the same picture", () => {
    const fine = compress(64, bandLimited(2 * length, cycles), "exact");
    const coarse = compress(64, signal, "exact");
    // first order in the hold: half a coarse sample, 2 pi 12 / (2 length), of the signal's slope
    expect(rms(difference(fine.coefficients, coarse.coefficients))).toBeLessThan(2e-3);
  });

  it("stays bounded for N = 256 over 100,000 samples", () => {
    const long = bandLimited(100_000, 40, 5);
    const memory = compress(256, long, "bilinear");
    expect(rms(difference(memory.reconstruct(), long))).toBeLessThan(2e-3); // 40 cycles need about 126 coefficients; 4.8e-4 observed
  }, 30_000);

  it("a clone goes on alone", () => {
    const memory = compress(16, signal.subarray(0, 50), "bilinear");
    const fork = memory.clone();
    memory.push(5);
    expect(fork.length).toBe(50);
    fork.push(5);
    expect(fork.coefficients).toEqual(memory.coefficients);
  });
});

describe("sliding windows", () => {
  const window = 2000;
  // two windows of signal, 8 cycles in each; what came before the last window must be gone
  const signal = bandLimited(2 * window, 16, 7);
  const recent = signal.subarray(window);

  it("LegT, N = 64, keeps the last window", () => {
    const memory = new WindowMemory("legt", 64, window);
    memory.pushAll(signal);
    // the trapezoid's error in the fastest of the 64 coefficients' dynamics (8.1e-4 observed)
    expect(rms(difference(memory.reconstruct(), recent))).toBeLessThan(2e-3);
  });

  it("Fourier, N = 64, keeps the last window away from its ends, where a periodic basis must jump", () => {
    const memory = new WindowMemory("fourier", 64, window, zeroOrderHold);
    memory.pushAll(signal);
    const error = difference(memory.reconstruct(), recent);
    // the series of a jump converges as 1 / N (7.2e-2 observed, 3.5e-2 for N = 128)
    expect(rms(error.subarray(window / 8, (7 * window) / 8))).toBeLessThan(0.1);
  });

  it("LagT approaches the recent past as N grows", () => {
    const errors = [16, 64, 256].map((n) => {
      const memory = new WindowMemory("lagt", n, window / 8);
      memory.pushAll(signal);
      return rms(difference(memory.reconstruct(window / 4), signal.subarray(2 * window - window / 4)));
    });
    // the signal does not fade with age as the basis does, so coefficients fall only algebraically (0.49, 0.25, 0.073 observed)
    expect(errors[1]).toBeLessThan(errors[0] / 1.5);
    expect(errors[2]).toBeLessThan(errors[1] / 1.5);
    expect(errors[2]).toBeLessThan(0.1);
  });

  it("refuses what has no window", () => {
    expect(() => new WindowMemory("foud" as "legt", 8, 10)).toThrow(ArgumentError);
    expect(() => new WindowMemory("legs" as "legt", 8, 10)).toThrow(ArgumentError);
    expect(() => new WindowMemory("legt", 8, 0)).toThrow(ArgumentError);
    expect(() => new LegSMemory(0)).toThrow(ArgumentError);
  });
});
