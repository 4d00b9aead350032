import { ArgumentError } from "../errors.ts";
import type { HippoMeasure } from "./transition.ts";

/**
 * The orthonormal Legendre functions sqrt(2k+1) P_k(x), k < n, on [-1, 1] (orthonormal for the mean over it).
 * The three-term recurrence is stable there: no value exceeds sqrt(2k+1), and rounding grows with k only, not with its power.
 */
export function legendreBasis(n: number, x: number, out: Float64Array = new Float64Array(n)): Float64Array {
  let previous = 0;
  let current = 1; // P_0
  for (let k = 0; k < n; k++) {
    out[k] = Math.sqrt(2 * k + 1) * current;
    [previous, current] = [current, ((2 * k + 1) * x * current - k * previous) / (k + 1)];
  }
  return out;
}

/** The Fourier functions 1, 0, sqrt(2) cos(pi k age), sqrt(2) sin(pi k age) of a window of length 2; the sine of frequency 0 is 0. */
export function fourierBasis(n: number, age: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    const phase = Math.PI * (i >> 1) * age;
    if (i < 2) return 1 - i;
    return Math.SQRT2 * (i % 2 === 0 ? Math.cos(phase) : Math.sin(phase));
  });
}

/** The Laguerre functions exp(-age/2) L_k(age), k < n, orthonormal on [0, infinity). */
export function laguerreBasis(n: number, age: number): Float64Array {
  const out = new Float64Array(n);
  let previous = 0;
  let current = Math.exp(-age / 2); // the weight is carried along: L_k alone overflows where the product is small
  for (let k = 0; k < n; k++) {
    out[k] = current;
    [previous, current] = [current, ((2 * k + 1 - age) * current - k * previous) / (k + 1)];
  }
  return out;
}

/**
 * The basis functions a measure's coefficients belong to, at an age (time before now, in the measure's unit):
 * [0, 1] of the history for legs (1 = its beginning), [0, 2] of the window for legt and fourier, [0, infinity) for lagt.
 * The history is then u(now - age) ~ sum_k x_k basis_k(age).
 * @throws ArgumentError for foud and fru, whose states are no expansion of the history.
 */
export function hippoBasis(measure: HippoMeasure, n: number, age: number): Float64Array {
  switch (measure) {
    case "legs":
      return legendreBasis(n, 1 - 2 * age);
    case "legt":
      return legendreBasis(n, 1 - age);
    case "fourier":
    case "fout":
      return fourierBasis(n, age);
    case "lagt":
      return laguerreBasis(n, age);
    default:
      throw new ArgumentError(
        `hippoBasis: measure must expand the history (legs, legt, lagt, fourier, fout), got ${measure}`,
      );
  }
}

/** Nodes and weights of the n-point Gauss-Legendre rule on [-1, 1], weights summing to 1: exact for polynomials of degree 2n - 1. */
export function gaussLegendre(n: number): { nodes: Float64Array; weights: Float64Array } {
  const nodes = new Float64Array(n),
    weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)); // Tricomi's estimate, within Newton's reach for every n
    for (let step = 0; step < 8; step++) {
      const { value, slope } = legendreWithSlope(n, x);
      x -= value / slope;
    }
    nodes[i] = x;
    weights[i] = 1 / ((1 - x * x) * legendreWithSlope(n, x).slope ** 2);
  }
  return { nodes, weights };
}

function legendreWithSlope(n: number, x: number): { value: number; slope: number } {
  let previous = 0;
  let current = 1;
  for (let k = 0; k < n; k++) [previous, current] = [current, ((2 * k + 1) * x * current - k * previous) / (k + 1)];
  return { value: current, slope: (n * (previous - x * current)) / (1 - x * x) };
}
