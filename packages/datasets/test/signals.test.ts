import { ArgumentError, Rng } from "@statespace/core";
import { expect, test } from "vitest";
import { bandLimitedNoise, chirp, lorenz, mackeyGlass, sines } from "../src/index.ts";

/** Amplitude of the component with `cycles` over the whole signal. */
function amplitude(signal: Float64Array, cycles: number): number {
  let re = 0;
  let im = 0;
  signal.forEach((x, t) => {
    re += x * Math.cos((2 * Math.PI * cycles * t) / signal.length);
    im += x * Math.sin((2 * Math.PI * cycles * t) / signal.length);
  });
  return (2 * Math.hypot(re, im)) / signal.length;
}

test("sines: the components asked for and no other", () => {
  const signal = sines({ length: 400, frequencies: [10 / 400, 35 / 400], phases: [0.3] });
  // 400 terms of at most 2 with rounding 2^-53 each, plus the sines' own: 1e-12 is 20 times that.
  for (const [cycles, expected] of [
    [10, 1],
    [35, 1],
    [11, 0],
    [70, 0],
  ])
    expect(Math.abs(amplitude(signal, cycles) - expected)).toBeLessThan(1e-12);
  expect(signal[0]).toBeCloseTo(Math.sin(0.3), 14);
});

test("chirp: zero crossings follow the integral of the frequency", () => {
  const signal = chirp({ length: 10000, from: 0.001, to: 0.05 });
  const crossings = (from: number, to: number): number => {
    let count = 0;
    for (let t = from + 1; t < to; t++) if (signal[t - 1] * signal[t] < 0) count++;
    return count;
  };
  const phase = (t: number): number => 2 * (0.001 * t + ((0.049 / 10000) * t * t) / 2); // half turns
  for (const [from, to] of [
    [0, 2500],
    [2500, 7500],
    [7500, 10000],
  ])
    expect(Math.abs(crossings(from, to) - (phase(to) - phase(from)))).toBeLessThanOrEqual(1.5);
});

test("Lorenz: order 4 in the step, and it stays on the attractor", () => {
  const end = (steps: number): Float64Array => lorenz({ length: steps + 1, dt: 1 / steps }).slice(-3);
  const fine = end(6400);
  const error = (steps: number): number => Math.hypot(...end(steps).map((x, i) => x - fine[i]));
  expect(Math.log2(error(200) / error(400))).toBeGreaterThan(3.7);
  expect(Math.log2(error(200) / error(400))).toBeLessThan(4.3);
  const long = lorenz({ length: 20000 });
  expect(long.every((x) => Math.abs(x) < 60)).toBe(true);
});

test("Mackey-Glass: the linear start is exact, refinement converges, the chaotic range is right", () => {
  // For t <= tau the delayed value is constant, so x = q + (x0 - q) e^(-t / 10) with q = 2 x0 / (1 + x0^10).
  const signal = mackeyGlass({ length: 3000 });
  const rest = (2 * 1.2) / (1 + 1.2 ** 10);
  // RK4 with h = 0.1 on a rate of 0.1: local error (0.01)^5 / 120 = 8.3e-13 a step, 1.4e-10 over 170 steps.
  for (let t = 0; t <= 17; t++)
    expect(Math.abs(signal[t] - (rest + (1.2 - rest) * Math.exp(-t / 10)))).toBeLessThan(1.4e-10);
  const at = (substeps: number): number => mackeyGlass({ length: 61, substeps })[60];
  expect(Math.abs(at(10) - at(40))).toBeGreaterThan(3.5 * Math.abs(at(20) - at(40)));
  const tail = signal.slice(500);
  expect(Math.min(...tail)).toBeGreaterThan(0.2);
  expect(Math.max(...tail)).toBeLessThan(1.4);
});

test("band-limited noise: nothing above the cutoff, exact power, seeded", () => {
  const make = (seed: number): Float64Array =>
    bandLimitedNoise({ length: 600, cutoff: 0.05, random: new Rng(seed), rms: 0.5 });
  const signal = make(1);
  expect(Math.sqrt(signal.reduce((sum, x) => sum + x * x, 0) / 600)).toBeCloseTo(0.5, 12);
  for (const cycles of [0, 31, 40, 100, 299]) expect(amplitude(signal, cycles)).toBeLessThan(1e-12);
  expect(Math.max(...Array.from({ length: 30 }, (_, k) => amplitude(signal, k + 1)))).toBeGreaterThan(0.05);
  expect(make(1)).toEqual(signal);
  expect(make(2)).not.toEqual(signal);
  const white = bandLimitedNoise({ length: 600, cutoff: 0.5, random: new Rng(1) });
  expect(amplitude(white, 250)).toBeGreaterThan(1e-4);
});

test("settings that do not fit are refused", () => {
  expect(() => sines({ length: 0, frequencies: [0.1] })).toThrow(ArgumentError);
  expect(() => sines({ length: 5, frequencies: [0.6] })).toThrow(ArgumentError);
  expect(() => lorenz({ length: 5, dt: 1 })).toThrow(ArgumentError);
  expect(() => mackeyGlass({ length: 5, tau: 0.55, substeps: 10 })).toThrow(ArgumentError);
  expect(() => bandLimitedNoise({ length: 100, cutoff: 0.001, random: new Rng(1) })).toThrow(ArgumentError);
});
