import { readFloats, setBackend, stopBackend, tensor, type Tensor } from "@statespace/core";
import { currentBackend, runKernel } from "@statespace/core/backend";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { scanWishes } from "../src/ops/ssdScan/halvedStates.ts";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

const sized = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function values(seed: number, shape: readonly number[], low = -1, high = 1): Float32Array {
  let x = seed * 7919 + 1;
  return Float32Array.from({ length: sized(shape) }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * x) / 2 ** 32;
  });
}

interface Size {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly g: number;
  readonly n: number;
  readonly initial?: boolean;
  readonly packed?: boolean;
  readonly gated?: boolean;
  /** Changes operands, flat in their layouts. */
  readonly change?: (operands: Record<string, Float32Array>) => void;
}

const p = 32;

function inputsOf({ b, l, h, g, n, initial, packed, gated, change }: Size): Record<string, Tensor> {
  const shapes: Record<string, readonly number[]> = {
    x: [b, l, h, p],
    dt: [b, l, h],
    A: [h],
    B: [b, l, g, n],
    C: [b, l, g, n],
    D: [h],
    dtBias: [h],
    ...(gated && { z: [b, l, h, p] }),
    ...(initial && { initialState: [b, h, p, n] }),
  };
  const ranges: Record<string, [number, number]> = { dt: [-4, 0], A: [-4, -0.5], initialState: [-5, 5] };
  const operands = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [name, values(i + 1, shape, ...(ranges[name] ?? []))]),
  );
  change?.(operands);
  const sequences = Int32Array.from({ length: b * l }, (_, i) => Math.floor((i % l) / 21));
  return {
    ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tensor(operands[name]!, [...shape])])),
    ...(packed && { seqIdx: tensor(sequences, [b, l]) }),
  };
}

const attrs = { dtSoftplus: true, dtMin: 0, dtMax: Infinity, chunkSize: 32, returnLastState: true };

async function readAll(outputs: readonly Tensor[]): Promise<Float32Array[]> {
  const read: Float32Array[] = [];
  for (const t of outputs) read.push(Float32Array.from(await readFloats(t)));
  return read;
}

async function scanned(size: Size): Promise<Float32Array[]> {
  const inputs = inputsOf(size);
  const outputs = runKernel("ssdScan", inputs, attrs);
  const read = await readAll(outputs);
  for (const t of [...outputs, ...Object.values(inputs)]) t.dispose();
  return read;
}

async function bothWays(size: Size, run = scanned): Promise<{ wide: Float32Array[]; halved: Float32Array[] }> {
  scanWishes.halves = "never";
  const wide = await run(size);
  scanWishes.halves = "always";
  return { wide, halved: await run(size) };
}

const peakOf = (x: Float32Array): number => x.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);
const worstOf = (x: Float32Array, y: Float32Array): number =>
  x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]!)), 0);

beforeAll(() => setBackend(webGpuBackend()));
afterEach(() => {
  scanWishes.halves = "by precision";
});
afterAll(() => stopBackend("webgpu"));

// Each value as two half floats errs by 2^-22 or so of the largest that it is scaled with; four of them meet in a product.
it.each<[string, Size]>([
  ["two chunks", { b: 1, l: 64, h: 2, g: 1, n: 64 }],
  ["a ragged last chunk and an initial state", { b: 1, l: 78, h: 2, g: 1, n: 64, initial: true }],
  ["packed rows, a gate and two groups", { b: 2, l: 66, h: 4, g: 2, n: 32, packed: true, gated: true }],
])("the chunked scan of half floats equals that of f32: %s", async (_, size) => {
  const { wide, halved } = await bothWays(size);
  expect(halved.length).toBe(2);
  halved.forEach((values, which) => {
    const worst = worstOf(values, wide[which]!);
    expect(worst / peakOf(wide[which]!), `output ${which}`).toBeLessThan(2 ** -19);
    expect(worst, "the other path was taken").toBeGreaterThan(0);
  });
});

const hostile: Size = { b: 2, l: 66, h: 2, g: 1, n: 32, initial: true };
const tokens = hostile.l * hostile.h * p;

it.each<[string, Size]>([
  ["a value is no number", { ...hostile, change: ({ x }) => void (x![40 * 64 + 5] = NaN) }],
  ["a value is infinite", { ...hostile, change: ({ x }) => void (x![40 * 64 + 5] = Infinity) }],
  [
    "values are infinite and packed",
    { ...hostile, packed: true, change: ({ x }) => void x!.fill(-Infinity, 1800, 1900) },
  ],
  ["a key is no number", { ...hostile, change: ({ B }) => void (B![45 * 32 + 3] = NaN) }],
  ["a step is no number", { ...hostile, change: ({ dt }) => void (dt![70] = NaN) }],
  ["a step is infinite", { ...hostile, change: ({ dt }) => void (dt![70] = Infinity) }],
  ["values are beyond half floats of any scale", { ...hostile, change: ({ x }) => void (x![9] = 1e35) }],
])("what half floats cannot hold is left to f32, to the bit: %s", async (_, size) => {
  const { wide, halved } = await bothWays(size);
  expect(wide[0]!.some(Number.isFinite), "something finite is left to compare").toBe(true);
  halved.forEach((values, which) => expect([...values], `output ${which}`).toEqual([...wide[which]!]));
});

it.each<[string, Size]>([
  ["a query is infinite", { ...hostile, change: ({ C }) => void (C![5 * 32 + 3] = Infinity) }],
  ["a state grows", { ...hostile, change: ({ A }) => void (A![1] = 3) }],
  ["a state is infinite", { ...hostile, change: ({ initialState }) => void (initialState![100] = Infinity) }],
  ["a state is no number", { ...hostile, change: ({ initialState }) => void (initialState![3000] = NaN) }],
])("what is not made of half floats keeps what it is: %s", async (_, size) => {
  const { wide, halved } = await bothWays(size);
  halved.forEach((values, which) => {
    const odd = (x: Float32Array): number[] => [...x].map((value) => (Number.isFinite(value) ? 0 : value));
    expect(odd(values), `output ${which}`).toEqual(odd(wide[which]!));
    const finite = (x: Float32Array): Float32Array => x.filter((value) => Number.isFinite(value));
    expect(worstOf(finite(values), finite(wide[which]!)) / peakOf(finite(wide[which]!))).toBeLessThan(2 ** -19);
  });
});

it("the gradients of a scan whose states are made of half floats are those of f32", async () => {
  const graded = async (size: Size): Promise<Float32Array[]> => {
    const inputs = inputsOf(size);
    const upstream = {
      dY: tensor(values(20, [size.b, size.l, size.h, p]), [size.b, size.l, size.h, p]),
      dLastState: tensor(values(21, [size.b, size.h, p, size.n]), [size.b, size.h, p, size.n]),
    };
    const outputs = runKernel("ssdScanGrad", { ...inputs, ...upstream }, attrs);
    const read = await readAll(outputs);
    for (const t of [...outputs, ...Object.values(inputs), ...Object.values(upstream)]) t.dispose();
    return read;
  };
  const { wide, halved } = await bothWays({ ...hostile, packed: true, h: 4, g: 1, b: 1 }, graded);
  halved.forEach((values, which) => {
    expect(worstOf(values, wide[which]!) / peakOf(wide[which]!), `gradient ${which}`).toBeLessThan(2 ** -18);
  });
  expect(
    halved.some((values, which) => worstOf(values, wide[which]!) > 0),
    "the other path was taken",
  ).toBe(true);
});

it("a loud sequence costs its neighbours in a chunk no digits", async () => {
  // Sequences of 21 tokens: the second of each row is 10^6 times as loud.
  const loud = (at: number): boolean => Math.floor((at % tokens) / (hostile.h * p) / 21) === 1;
  const change = ({ x }: Record<string, Float32Array>): void =>
    x!.forEach((value, i) => void (loud(i) && (x![i] = 1e6 * value)));
  const { wide, halved } = await bothWays({ ...hostile, packed: true, change });
  const quiet = (x: Float32Array): Float32Array => x.filter((_, i) => !loud(i));
  expect(worstOf(quiet(wide[0]!), quiet(halved[0]!)) / peakOf(quiet(wide[0]!))).toBeLessThan(2 ** -19);
  expect(worstOf(wide[0]!, halved[0]!) / peakOf(wide[0]!)).toBeLessThan(2 ** -19);
  expect(worstOf(wide[0]!, halved[0]!), "the other path was taken").toBeGreaterThan(0);
});

it("nothing is held after a scan of half floats", async () => {
  const backend = currentBackend() as WebGpuBackend;
  const before = backend.counters.buffersInUse;
  await bothWays(hostile);
  expect(backend.counters.buffersInUse).toBe(before);
});
