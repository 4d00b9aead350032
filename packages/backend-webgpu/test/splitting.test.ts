import {
  keep,
  OutOfMemoryError,
  readFloats,
  registerBackend,
  setBackend,
  stopBackend,
  tensor,
  type Tensor,
} from "@statespace/core";
import { currentBackend, runKernel } from "@statespace/core/backend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

const noise = (size: number, seed = 1): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 12.9898 * i));
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const maxBinding = 8192; // 2048 elements

type Spec = readonly number[] | { readonly shape: readonly number[]; readonly ints: number };

interface Case {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Spec>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** Inputs that are changed in place and compared too. */
  readonly changed?: readonly string[];
  /** Outputs that sum over what was cut: rounded otherwise than in one go. */
  readonly summed?: true;
}

const scan = {
  u: [3, 20, 32],
  delta: [3, 20, 32],
  A: [32, 4],
  B: [3, 20, 4],
  C: [3, 20, 4],
  D: [32],
  z: [3, 20, 32],
  deltaBias: [32],
  initialState: [3, 32, 4],
};
const conv = { x: [3, 20, 32], weight: [32, 4], bias: [32], initialState: [3, 3, 32] };
const cases: readonly Case[] = [
  { kernel: "exp", inputs: { x: [50, 100] } },
  { kernel: "cast", inputs: { x: [5000] }, attrs: { dtype: "int32" } },
  { kernel: "add", inputs: { a: [50, 100], b: [50, 100] } },
  { kernel: "mul", inputs: { a: [50, 100], b: [100] } },
  { kernel: "sub", inputs: { a: [1], b: [50, 100] } },
  { kernel: "less", inputs: { a: [3, 17, 100], b: [17, 100] } },
  { kernel: "softmax", inputs: { x: [40, 100] } },
  { kernel: "sum", inputs: { x: [50, 100] }, attrs: { axes: [1], keepDims: false } },
  { kernel: "sum", inputs: { x: [50, 100] }, attrs: { axes: [0, 1], keepDims: false }, summed: true },
  { kernel: "sum", inputs: { x: [50, 100] }, attrs: { axes: [0], keepDims: true }, summed: true },
  { kernel: "max", inputs: { x: [50, 100] }, attrs: { axes: [1], keepDims: true } },
  { kernel: "argMax", inputs: { x: [50, 100] }, attrs: { axis: 1 } },
  { kernel: "sumSquares", inputs: { x: [5000] }, summed: true },
  {
    kernel: "matMul",
    inputs: { a: [6, 16, 32], b: [6, 32, 24] },
    attrs: { transposeA: false, transposeB: false },
  },
  { kernel: "matMul", inputs: { a: [6, 16, 32], b: [1, 24, 32] }, attrs: { transposeA: false, transposeB: true } },
  { kernel: "oneHot", inputs: { indices: { shape: [60], ints: 50 } }, attrs: { depth: 50 } },
  { kernel: "gather", inputs: { x: [16, 64], indices: { shape: [70], ints: 16 } }, attrs: { axis: 0 } },
  { kernel: "full", inputs: {}, attrs: { shape: [50, 100], value: 3, dtype: "float32" } },
  { kernel: "linear", inputs: { x: [90, 32], weight: [40, 32], bias: [40] } },
  { kernel: "linear", inputs: { x: [90, 32], weight: [200, 32], bias: [200] } },
  { kernel: "linearGrad", inputs: { x: [90, 32], weight: [40, 32], bias: [40], dY: [90, 40] }, summed: true },
  { kernel: "linearGrad", inputs: { x: [10, 32], weight: [200, 32], bias: [200], dY: [10, 200] }, summed: true },
  { kernel: "linearGrad", inputs: { x: [90, 32], weight: [200, 32], bias: [200], dY: [90, 200] }, summed: true },
  { kernel: "embedding", inputs: { ids: { shape: [3, 40], ints: 200 }, weight: [200, 32] } },
  { kernel: "embeddingGrad", inputs: { ids: { shape: [60], ints: 200 }, weight: [200, 32], dY: [60, 32] } },
  {
    kernel: "rmsNorm",
    inputs: { x: [3, 30, 64], weight: [64], z: [3, 30, 64] },
    attrs: { eps: 1e-5, groupSize: 0, normBeforeGate: false },
  },
  {
    kernel: "rmsNormGrad",
    inputs: { x: [3, 30, 64], weight: [64], z: [3, 30, 64], dY: [3, 30, 64] },
    attrs: { eps: 1e-5, groupSize: 0, normBeforeGate: false },
    summed: true,
  },
  {
    kernel: "layerNormGrad",
    inputs: { x: [90, 64], weight: [64], bias: [64], dY: [90, 64] },
    attrs: { eps: 1e-5 },
    summed: true,
  },
  {
    kernel: "crossEntropy",
    inputs: { logits: [3, 20, 100], targets: { shape: [3, 20], ints: 100 } },
    attrs: { ignoreIndex: -100 },
  },
  {
    kernel: "crossEntropyGrad",
    inputs: { logits: [3, 20, 100], targets: { shape: [3, 20], ints: 100 }, dLosses: [3, 20] },
    attrs: { ignoreIndex: -100 },
  },
  { kernel: "causalConv1d", inputs: conv, attrs: { silu: true, returnLastState: true } },
  {
    kernel: "causalConv1dGrad",
    inputs: { ...conv, dY: [3, 20, 32] },
    attrs: { silu: true, returnLastState: false },
    summed: true,
  },
  { kernel: "selectiveScan", inputs: scan, attrs: { deltaSoftplus: true, returnLastState: true } },
  { kernel: "selectiveScanGrad", inputs: { ...scan, dY: [3, 20, 32] }, attrs: { deltaSoftplus: true }, summed: true },
  {
    kernel: "adamW",
    inputs: { param: [5000], m: [5000], v: [5000], grad: [5000], hyper: [8] },
    changed: ["param", "m", "v"],
  },
];

function makeInput(spec: Spec, seed: number, name: string): Tensor {
  if ("ints" in spec)
    return tensor(
      Int32Array.from({ length: sizeOf(spec.shape) }, (_, i) => (i * 7919 + seed) % spec.ints),
      [...spec.shape],
    );
  const values = noise(sizeOf(spec), seed);
  // A decays, and second moments are not negative.
  return tensor(
    name === "A"
      ? values.map((v) => -1 - v * v)
      : name === "v" || name === "hyper"
        ? values.map((v) => 0.1 + v * v)
        : values,
    [...spec],
  );
}

async function results({ kernel, inputs, attrs = {}, changed = [] }: Case): Promise<Float32Array[]> {
  const made = Object.fromEntries(
    Object.entries(inputs).map(([name, spec], i) => [name, keep(makeInput(spec, i + 1, name))]),
  );
  const outputs = runKernel(kernel, made, attrs as Record<string, never>);
  const read = await Promise.all(
    [...outputs, ...changed.map((name) => made[name]!)].map(async (t) =>
      Float32Array.from(await (currentBackend() as WebGpuBackend).read(t.dataId)),
    ),
  );
  for (const t of [...outputs, ...Object.values(made)]) t.dispose();
  return read;
}

const whole = new Map<Case, Float32Array[]>();

beforeAll(async () => {
  await setBackend(webGpuBackend());
  for (const one of cases) whole.set(one, await results(one));
  stopBackend("webgpu");
  registerBackend(webGpuBackend({ maxBinding }));
  await setBackend("webgpu");
});
afterAll(() => {
  stopBackend("webgpu");
  registerBackend(webGpuBackend());
});

describe("operands larger than one binding", () => {
  it.each(cases.map((one, i) => [`${i} ${one.kernel}`, one] as const))(
    "%s gives what it gives in one go",
    async (_, one) => {
      const backend = currentBackend() as WebGpuBackend;
      const before = backend.counters.buffersInUse;
      const want = whole.get(one)!;
      const got = await results(one);
      expect(got.length).toBe(want.length);
      // At most 5000 terms, added in another order: each rounding is 2^-24 of the sum of magnitudes, which is at most 5000 times the largest.
      const tolerance = one.summed ? 5000 * 2 ** -24 : 2 ** -22;
      got.forEach((values, i) => {
        const scale = Math.max(1, ...want[i]!.map(Math.abs));
        expect(values.length).toBe(want[i]!.length);
        values.forEach((value, j) =>
          expect(Math.abs(value - want[i]![j]!), `output ${i} at ${j}`).toBeLessThanOrEqual(tolerance * scale),
        );
      });
      expect(backend.counters.buffersInUse).toBe(before);
    },
  );

  it.each([
    ["cumsum", { x: [5000] }, { axis: 0, exclusive: false, reverse: false }],
    ["transpose", { x: [50, 100] }, { perm: [1, 0] }],
    ["softmax", { x: [2, 5000] }, {}],
    [
      "selectiveScan",
      {
        ...scan,
        u: [1, 100, 32],
        delta: [1, 100, 32],
        B: [1, 100, 4],
        C: [1, 100, 4],
        z: [1, 100, 32],
        initialState: [1, 32, 4],
      },
      {},
    ],
  ] as [string, Record<string, number[]>, Record<string, unknown>][])(
    "%s, which cannot be cut, is refused by name before anything runs",
    async (kernel, inputs, attrs) => {
      const backend = currentBackend() as WebGpuBackend;
      const made = Object.fromEntries(
        Object.entries(inputs).map(([name, shape], i) => [name, makeInput(shape, i, name)]),
      );
      const { dispatches } = backend.counters;
      expect(() => runKernel(kernel, made, attrs as Record<string, never>)).toThrow(
        new RegExp(`^${kernel}: .* binds at most ${maxBinding}`),
      );
      expect(() => runKernel(kernel, made, attrs as Record<string, never>)).toThrow(OutOfMemoryError);
      expect(backend.counters.dispatches).toBe(dispatches);
      expect((await readFloats(tensor([1, 2])))[1]).toBe(2);
    },
  );
});
