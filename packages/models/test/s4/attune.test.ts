import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, setBackend, tensor, type Tensor } from "@statespace/core";
import { beforeAll, expect, it } from "vitest";
import type { ComplexTensor } from "../../src/layers/complexTensor.ts";
import {
  attune,
  denseSystem,
  prepareLinearStep,
  stepsAreLess,
  stepThrough,
  type LinearStep,
} from "../../src/mixers/s4/dplrSteps.ts";

beforeAll(() => setBackend(cpuBackend()));

const H = 2;

/** A system drawn by hand: stable, of some rank, with a step a channel or a state. */
function system(n: number, rank: number, tie: boolean): LinearStep {
  const wave = (shape: number[], scale: number, shift: number): Tensor =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(1.7 * i + shift)),
      shape,
    );
  const positive = (shape: number[], from: number, spread: number): Tensor =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + spread * Math.cos(0.9 * i) ** 2),
      shape,
    );
  const low = Math.sqrt(4 / n);
  return prepareLinearStep({
    delta: positive([H, tie ? 1 : n], 0.05, 0.1),
    A: { re: positive([H, n], -1.5, 1), im: wave([H, n], 8, 0.3) },
    B: { re: wave([H, n], 1, 0), im: wave([H, n], 1, 2) },
    C: { re: wave([1, H, n], 1, 1), im: wave([1, H, n], 1, 3) },
    P: { re: wave([rank, H, n], low, 0.5), im: wave([rank, H, n], low, 1.5) },
  });
}

const cases: [side: number, l: number, rank: number, tie: boolean, steps: boolean][] = [
  [512, 11, 1, true, true],
  [516, 7, 2, false, true],
  [514, 130, 1, true, true],
  [96, 11, 1, true, false],
  [64, 11, 2, false, false],
];

/** Of a side of 512 on the row goes through the structure, step by step; below it, and for very many steps, ABar is squared. */
it.each(cases)("C (I - ABar^l) of a side of %i, l = %i, rank %i", async (side, l, rank, tie, steps) => {
  const step = system(side / 2, rank, tie);
  expect(stepsAreLess(side, l)).toBe(steps);
  expect(stepsAreLess(side, 100 * side)).toBe(false);
  const row = Float32Array.from({ length: H * side }, (_, i) => Math.sin(i + 1));
  const ABar = await readFloats(denseSystem(step).ABar);
  let power = Float64Array.from(row);
  for (let count = 0; count < l; count++) {
    const next = new Float64Array(H * side);
    for (let h = 0; h < H; h++)
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++) next[h * side + j]! += power[h * side + i]! * ABar[(h * side + i) * side + j]!;
    power = next;
  }
  const found = await readFloats(attune(tensor(row, [1, H, side]), step, l));
  const largest = power.reduce((a, x) => Math.max(a, Math.abs(x)), 1);
  found.forEach((value, i) => expect(Math.abs(value - (row[i]! - power[i]!))).toBeLessThan(2e-5 * largest));
});

it.each([
  [1, true],
  [2, false],
])("the state after tokens, through the structure: rank %i", async (rank, tie) => {
  const [n, b, l] = [5, 2, 9];
  const step = system(n, rank, tie);
  const { ABar, BBar } = denseSystem(step);
  const [M, input] = [await readFloats(ABar), await readFloats(BBar)];
  const u = Float32Array.from({ length: b * l * H }, (_, i) => Math.cos(i));
  const start = Float32Array.from({ length: b * H * 2 * n }, (_, i) => Math.sin(3 * i));
  const half = (k: number): Tensor =>
    tensor(
      Float32Array.from({ length: b * H * n }, (_, i) => start[Math.floor(i / n) * 2 * n + k * n + (i % n)]!),
      [b, H, n],
    );
  const halves: ComplexTensor = { re: half(0), im: half(1) };
  const end = stepThrough(step, tensor(u, [b, l, H]), halves);
  const [re, im] = [await readFloats(end.re), await readFloats(end.im)];
  for (let row = 0; row < b * H; row++) {
    const h = row % H;
    let x = Float64Array.from(start.subarray(row * 2 * n, (row + 1) * 2 * n));
    for (let t = 0; t < l; t++) {
      const moved = Float64Array.from(
        { length: 2 * n },
        (_, i) => input[h * 2 * n + i]! * u[(Math.floor(row / H) * l + t) * H + h]!,
      );
      for (let i = 0; i < 2 * n; i++)
        for (let j = 0; j < 2 * n; j++) moved[i]! += M[(h * 2 * n + i) * 2 * n + j]! * x[j]!;
      x = moved;
    }
    for (let i = 0; i < n; i++) {
      expect(Math.abs(re[row * n + i]! - x[i]!)).toBeLessThan(1e-5);
      expect(Math.abs(im[row * n + i]! - x[n + i]!)).toBeLessThan(1e-5);
    }
  }
});
