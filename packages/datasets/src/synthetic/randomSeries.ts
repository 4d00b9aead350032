import type { Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";

/** How long a series of `randomSeries` is. */
export interface RandomSeriesOptions {
  readonly length: number;
}

/** Periods that calendars make: of hours, days, weeks, months, quarters. */
const CALENDAR = [4, 5, 6, 7, 8, 12, 12, 12, 13, 24, 24, 26, 30, 48, 52, 60, 84, 168, 365];

/**
 * A series as the world may have it, drawn at random: trend (straight, bent, growing), seasons (smooth or jagged, one or two, swelling with the
 * level), a random walk, cycles without a clock, noise that comes alone or in bursts, and now and then only what is above a floor. A model that has
 * forecast enough of them forecasts series that it has not seen.
 *
 * Returns [length], finite, in no unit. Errors: `ArgumentError` for a bad length.
 * Source: the idea of ForecastPFN (arXiv 2311.01933) and of KernelSynth (arXiv 2403.07815, section 4.2); the parts and their ranges are this
 * project's own.
 */
export function randomSeries(rng: Rng, options: RandomSeriesOptions): Float64Array {
  refuseUnknown("randomSeries", options, ["length"]);
  const { length } = options;
  requireInteger("randomSeries", "length", length, 1);
  const level = trend(rng, length);
  add(level, randomWalk(rng, length), rng.uniform() < 0.4 ? logUniform(rng, 0.05, 2) : 0);
  const seasons = seasonal(rng, length);
  add(seasons, cycle(rng, length), rng.uniform() < 0.3 ? logUniform(rng, 0.2, 2) : 0);
  const amplitude = rng.uniform() < 0.85 ? logUniform(rng, 0.05, 3) : 0;
  const swelling = rng.uniform() < 0.3;
  const peak = Math.max(...level.map(Math.abs), 1e-9);
  const series = level.map((value, t) => value + amplitude * seasons[t]! * (swelling ? 1 + value / peak : 1));
  return shaped(rng, withNoise(rng, series));
}

const logUniform = (rng: Rng, low: number, high: number): number =>
  Math.exp(rng.uniform(Math.log(low), Math.log(high)));

const pick = <T>(rng: Rng, values: readonly T[]): T => values[rng.integer(values.length)]!;

function add(to: Float64Array, values: Float64Array, factor: number): void {
  if (factor !== 0) values.forEach((value, t) => (to[t] = to[t]! + factor * value));
}

/** In units of the whole stretch: flat, straight, bent once, or growing by a share a step. */
function trend(rng: Rng, length: number): Float64Array {
  const kind = rng.uniform();
  const slope = rng.normal(0, 1);
  if (kind < 0.35) return new Float64Array(length);
  if (kind < 0.7) return Float64Array.from({ length }, (_, t) => (slope * t) / length);
  if (kind < 0.85) {
    const bend = rng.uniform(0.2, 0.9) * length;
    const change = rng.normal(0, 2);
    return Float64Array.from({ length }, (_, t) => (slope * t + change * Math.max(0, t - bend)) / length);
  }
  const rate = rng.uniform(-2, 2);
  return Float64Array.from({ length }, (_, t) => Math.exp((rate * t) / length) - 1);
}

/** A walk of size 1 over the stretch, or one whose slope walks too. */
function randomWalk(rng: Rng, length: number): Float64Array {
  const smooth = rng.uniform() < 0.3;
  const damping = smooth ? rng.uniform(0.7, 0.98) : 0;
  const out = new Float64Array(length);
  let [at, slope] = [0, 0];
  for (let t = 0; t < length; t++) {
    slope = damping * slope + rng.normal();
    at += slope * (1 - damping);
    out[t] = at / Math.sqrt(length);
  }
  return out;
}

/** One or two profiles that repeat, of deviation about 1. */
function seasonal(rng: Rng, length: number): Float64Array {
  const out = new Float64Array(length);
  const count = rng.uniform() < 0.3 ? 2 : 1;
  for (let i = 0; i < count; i++) {
    const period = rng.uniform() < 0.7 ? pick(rng, CALENDAR) : logUniform(rng, 3, length / 2);
    const profile = rng.uniform() < 0.7 ? harmonics(rng, period) : jagged(rng, Math.round(period));
    const share = i === 0 ? 1 : rng.uniform(0.2, 0.8);
    for (let t = 0; t < length; t++) out[t] = out[t]! + share * profile(t);
  }
  return out;
}

function harmonics(rng: Rng, period: number): (t: number) => number {
  const count = 1 + rng.integer(Math.max(1, Math.min(6, Math.floor(period / 2))));
  const decay = rng.uniform(0.5, 2);
  const waves = Array.from({ length: count }, (_, k) => ({
    amplitude: (rng.normal(0, 1) * Math.SQRT2) / (k + 1) ** decay,
    phase: rng.uniform(0, 2 * Math.PI),
    speed: (2 * Math.PI * (k + 1)) / period,
  }));
  return (t) => waves.reduce((sum, { amplitude, phase, speed }) => sum + amplitude * Math.sin(speed * t + phase), 0);
}

/** Each step of the period for itself, as days of the week have. */
function jagged(rng: Rng, period: number): (t: number) => number {
  const values = rng.normals(Math.max(2, period));
  const offset = rng.integer(values.length);
  return (t) => values[(t + offset) % values.length]!;
}

/** A second-order autoregression whose poles turn: swings of about one length that lose count, of deviation about 1. */
function cycle(rng: Rng, length: number): Float64Array {
  const radius = rng.uniform(0.8, 0.995);
  const angle = (2 * Math.PI) / logUniform(rng, 4, 80);
  const [a, b] = [2 * radius * Math.cos(angle), -radius * radius];
  const values = new Float64Array(length + 200);
  for (let t = 2; t < values.length; t++) values[t] = a * values[t - 1]! + b * values[t - 2]! + rng.normal();
  const out = values.slice(200);
  const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  return out.map((value) => value / size);
}

/** Noise that remembers a little, rarely far out, and in some series louder at some times. */
function withNoise(rng: Rng, series: Float64Array): Float64Array {
  const size = logUniform(rng, 0.001, 3);
  const memory = rng.uniform() < 0.5 ? 0 : rng.uniform(-0.3, 0.95);
  const outliers = rng.uniform() < 0.2 ? 0.02 : 0;
  const bursts = rng.uniform() < 0.2 ? rng.uniform(5, 60) : 0;
  let held = 0;
  return series.map((value, t) => {
    const loud = bursts === 0 ? 1 : 1 + Math.sin((2 * Math.PI * t) / bursts);
    held = memory * held + rng.normal() * loud * (rng.uniform() < outliers ? 6 : 1);
    return value + size * Math.sqrt(1 - memory * memory) * held;
  });
}

/** As it is, skewed as prices and counts are, or cut off below as rain is. */
function shaped(rng: Rng, series: Float64Array): Float64Array {
  const kind = rng.uniform();
  if (kind < 0.75) return series;
  const mean = series.reduce((a, b) => a + b, 0) / series.length;
  const deviation = Math.sqrt(series.reduce((sum, value) => sum + (value - mean) ** 2, 0) / series.length) + 1e-9;
  const z = series.map((value) => Math.max(-8, Math.min(8, (value - mean) / deviation)));
  if (kind < 0.9) return z.map((value) => Math.exp(0.7 * value));
  const floor = rng.uniform(-1, 0.5);
  return z.map((value) => Math.max(0, value - floor));
}
