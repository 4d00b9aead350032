import type { Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { ifft } from "@statespace/core/math";
import { requireInteger, requireNumber } from "../arguments.ts";

/** `length` samples of a sum of sines. */
export interface SineOptions {
  readonly length: number;
  /** Cycles a step, one or more; the sines are added. */
  readonly frequencies: readonly number[];
  /** Phases in radians, default 0. */
  readonly phases?: readonly number[];
}

/** A sum of sines of amplitude 1. Returns [length]. Errors: `ArgumentError` for a bad length or frequency. */
export function sines(options: SineOptions): Float64Array {
  refuseUnknown("sines", options, ["length", "frequencies", "phases"]);
  const { length, frequencies, phases = [] } = options;
  requireInteger("sines", "length", length, 1);
  const signal = new Float64Array(length);
  for (const [i, frequency] of frequencies.entries()) {
    requireNumber("sines", "frequency", frequency, 0, 0.5);
    const phase = phases[i] ?? 0;
    for (let t = 0; t < length; t++) signal[t] += Math.sin(2 * Math.PI * frequency * t + phase);
  }
  return signal;
}

/**
 * A sine whose frequency rises linearly from `from` to `to` (cycles a step) over `length` steps. Returns [length].
 * Errors: `ArgumentError` for a bad length or a frequency outside [0, 0.5].
 */
export function chirp(options: { readonly length: number; readonly from: number; readonly to: number }): Float64Array {
  refuseUnknown("chirp", options, ["length", "from", "to"]);
  const { length, from, to } = options;
  requireInteger("chirp", "length", length, 1);
  requireNumber("chirp", "from", from, 0, 0.5);
  requireNumber("chirp", "to", to, 0, 0.5);
  const rate = (to - from) / length;
  return Float64Array.from({ length }, (_, t) => Math.sin(2 * Math.PI * t * (from + (rate * t) / 2)));
}

/** `length` samples of the Lorenz system, `dt` units of time apart, with its three constants and the first point. */
export interface LorenzOptions {
  readonly length: number;
  readonly dt?: number;
  readonly sigma?: number;
  readonly rho?: number;
  readonly beta?: number;
  readonly start?: readonly [number, number, number];
}

/**
 * The Lorenz system by the classical Runge-Kutta method of order 4.
 * Returns [length, 3], the first row being `start`. Errors: `ArgumentError` for a bad length or step.
 * Source: Lorenz 1963; sigma 10, rho 28, beta 8/3 unless given.
 */
export function lorenz(options: LorenzOptions): Float64Array {
  refuseUnknown("lorenz", options, ["length", "dt", "sigma", "rho", "beta", "start"]);
  const { length, dt = 0.01, sigma = 10, rho = 28, beta = 8 / 3, start = [1, 1, 1] } = options;
  requireInteger("lorenz", "length", length, 1);
  requireNumber("lorenz", "dt", dt, 1e-9, 0.1);
  type Point = readonly [number, number, number];
  const slope = ([x, y, z]: Point): Point => [sigma * (y - x), x * (rho - z) - y, x * y - beta * z];
  const move = (p: Point, k: Point, h: number): Point => [p[0] + h * k[0], p[1] + h * k[1], p[2] + h * k[2]];
  const path = new Float64Array(length * 3);
  let point: Point = start;
  for (let t = 0; t < length; t++) {
    path.set(point, 3 * t);
    const k1 = slope(point);
    const k2 = slope(move(point, k1, dt / 2));
    const k3 = slope(move(point, k2, dt / 2));
    const k4 = slope(move(point, k3, dt));
    const mean: Point = [0, 1, 2].map((i) => (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6) as unknown as Point;
    point = move(point, mean, dt);
  }
  return path;
}

/** `length` samples of the Mackey-Glass equation. */
export interface MackeyGlassOptions {
  readonly length: number;
  /** The delay in units of time; 17 is mildly chaotic. Default 17. */
  readonly tau?: number;
  /** Units of time between two samples. Default 1. */
  readonly dt?: number;
  /** Integration steps a sample. Default 10. */
  readonly substeps?: number;
  /** The constant past. Default 1.2. */
  readonly start?: number;
}

/**
 * Mackey-Glass: x' = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t), by Runge-Kutta 4 on a grid that holds tau exactly.
 * The delayed value between grid points is their mean, as the half step asks for.
 * Returns [length]. Errors: `ArgumentError` for a bad length or step, or where tau is no multiple of dt / substeps.
 * Source: Mackey and Glass 1977, equation 4b.
 */
export function mackeyGlass(options: MackeyGlassOptions): Float64Array {
  refuseUnknown("mackeyGlass", options, ["length", "tau", "dt", "substeps", "start"]);
  const { length, tau = 17, dt = 1, substeps = 10, start = 1.2 } = options;
  requireInteger("mackeyGlass", "length", length, 1);
  requireInteger("mackeyGlass", "substeps", substeps, 1, 1e6);
  requireNumber("mackeyGlass", "dt", dt, 1e-6, 10);
  const h = dt / substeps;
  const lag = Math.round(tau / h);
  requireNumber("mackeyGlass", "tau / (dt / substeps) minus a whole number", Math.abs(tau / h - lag), 0, 1e-6);
  requireInteger("mackeyGlass", "tau in steps", lag, 1);
  const past = new Float64Array(lag).fill(start); // ring of the last tau
  const slope = (now: number, delayed: number): number => (0.2 * delayed) / (1 + delayed ** 10) - 0.1 * now;
  const signal = new Float64Array(length);
  let x = start;
  for (let t = 0, step = 0; t < length; t++) {
    signal[t] = x;
    for (let i = 0; i < substeps; i++, step++) {
      const at = step % lag;
      const from = past[at];
      const to = lag === 1 ? x : past[(at + 1) % lag];
      const k1 = slope(x, from);
      const k2 = slope(x + (h / 2) * k1, (from + to) / 2);
      const k3 = slope(x + (h / 2) * k2, (from + to) / 2);
      const k4 = slope(x + h * k3, to);
      past[at] = x;
      x += (h / 6) * (k1 + 2 * k2 + 2 * k3 + k4);
    }
  }
  return signal;
}

/** `length` samples of band-limited noise. */
export interface NoiseOptions {
  readonly length: number;
  /** Highest frequency in cycles a step, in [1 / length, 0.5]. */
  readonly cutoff: number;
  readonly random: Rng;
  /** Root mean square over the whole signal. Default 1. */
  readonly rms?: number;
}

/**
 * White noise cut off above a frequency: Gaussian Fourier coefficients up to `cutoff`, none at 0 and above.
 * A cutoff of 0.5 keeps all. The signal is periodic with its length.
 * Returns [length] with exact root mean square `rms`. Errors: `ArgumentError` for a bad length or cutoff.
 * Source: the input signal of Voelker et al. 2019 and of HiPPO (Gu et al. 2020), section 4.2.
 */
export function bandLimitedNoise(options: NoiseOptions): Float64Array {
  refuseUnknown("bandLimitedNoise", options, ["length", "cutoff", "random", "rms"]);
  const { length, cutoff, random, rms = 1 } = options;
  requireInteger("bandLimitedNoise", "length", length, 2);
  requireNumber("bandLimitedNoise", "cutoff", cutoff, 1 / length, 0.5);
  requireNumber("bandLimitedNoise", "rms", rms, 0, 1e30);
  const signal = new Float64Array(length);
  const imaginary = new Float64Array(length);
  for (let k = 1; k <= cutoff * length; k++) {
    signal[k] = random.normal();
    imaginary[k] = random.normal();
  }
  ifft(signal, imaginary);
  const power = signal.reduce((sum, x) => sum + x * x, 0) / length;
  const scale = rms / Math.sqrt(power);
  return signal.map((x) => x * scale);
}
