import { causalConv1d, embedding, linear, rmsNorm } from "@statespace/core";
import { adamW, causalConv1dStep, copy, crossEntropy, layerNorm, sumSquares } from "@statespace/core/ops";
import { opTable } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";
import { values, type Draw, type OpCase } from "./opCase.ts";

/** Roundings of a dot product of k terms in any order of summation: each term one, the sum log2 k to k. */
const dot = (k: number): number => 4 + Math.min(k, 16 + 2 * Math.ceil(Math.sqrt(k)));

function linearCase(rows: readonly number[], k: number, n: number, bias = true): OpCase {
  return {
    op: linear,
    name: `[${[...rows, k]}] x [${n}, ${k}]${bias ? " + bias" : ""}`,
    make: (draw) => ({
      x: draw.normal([...rows, k]),
      weight: draw.normal([n, k]),
      ...(bias ? { bias: draw.normal([n]) } : {}),
    }),
    bound: {
      forward: dot(k),
      backward: dot(
        Math.max(
          k,
          n,
          rows.reduce((a, b) => a * b, 1),
        ),
      ),
      reason: "a dot product in any order of summation",
    },
  };
}

export const linearCases: readonly OpCase[] = [
  linearCase([1], 1, 1),
  linearCase([3, 5], 7, 11),
  linearCase([1], 64, 130),
  linearCase([2], 33, 65, false),
  linearCase([4, 16], 64, 48),
  linearCase([65], 129, 67),
  linearCase([2, 3, 4], 16, 8, false),
];

export const embeddingCases: readonly OpCase[] = [
  {
    name: "[2, 9] of [11, 6]",
    make: (draw: Draw) => ({ ids: draw.integers([2, 9], 11), weight: draw.normal([11, 6]) }),
  },
  {
    name: "one id, many times",
    make: (draw: Draw) => ({ ids: ndarray([40], new Float64Array(40).fill(2)), weight: draw.normal([3, 5]) }),
  },
  { name: "a scalar id", make: (draw: Draw) => ({ ids: draw.integers([], 4), weight: draw.normal([4, 33]) }) },
].map((c) => ({
  ...c,
  op: embedding,
  bound: { forward: 0, backward: 40, reason: "rows are copied; a gradient row sums as many terms as its id occurs" },
}));

const normBound = {
  forward: 24,
  backward: 64,
  reason: "a mean over the row, a root and three products; against the largest output",
};

function rms(
  name: string,
  shape: readonly number[],
  attrs: Record<string, unknown>,
  gate: boolean,
  weight = true,
): OpCase {
  return {
    op: rmsNorm,
    name,
    attrs,
    make: (draw) => ({
      x: draw.normal(shape),
      ...(weight ? { weight: draw.normal([shape.at(-1)!]) } : {}),
      ...(gate ? { z: draw.normal(shape) } : {}),
    }),
    bound: normBound,
    scale: "peak",
  };
}

export const rmsNormCases: readonly OpCase[] = [
  rms("[2]", [2], {}, false),
  rms("[3, 5, 7]", [3, 5, 7], { eps: 1e-5 }, false),
  rms("without weight", [4, 16], { eps: 1e-6 }, false, false),
  rms("[2, 300]", [2, 300], {}, false),
  rms("gate before", [3, 24], { normBeforeGate: false }, true),
  rms("gate after", [3, 24], { normBeforeGate: true }, true),
  rms("groups, gate before", [5, 24], { groupSize: 8 }, true),
  rms("groups, gate after", [5, 24], { groupSize: 6, normBeforeGate: true }, true),
  rms("[130, 64]", [130, 64], {}, false),
];

export const layerNormCases: readonly OpCase[] = (
  [
    [2, 5],
    [3, 4, 16],
    [2, 300],
    [70, 33],
  ] as const
).map((shape): OpCase => ({
  op: layerNorm,
  name: `[${shape.join(", ")}]`,
  make: (draw) => ({ x: draw.normal(shape), weight: draw.normal([shape.at(-1)!]), bias: draw.normal([shape.at(-1)!]) }),
  bound: normBound,
  scale: "peak",
}));

function conv(
  name: string,
  [b, l, d, k]: readonly [number, number, number, number],
  parts: { bias?: boolean; state?: boolean; packed?: boolean },
  silu = true,
): OpCase {
  return {
    op: causalConv1d,
    name,
    attrs: { silu, returnLastState: true },
    make: (draw) => ({
      x: draw.normal([b, l, d]),
      weight: draw.normal([d, k]),
      ...(parts.bias ? { bias: draw.normal([d]) } : {}),
      ...(parts.state ? { initialState: draw.normal([b, k - 1, d]) } : {}),
      ...(parts.packed ? { seqIdx: draw.boundaries([b, l], 0.2) } : {}),
    }),
    bound: {
      forward: 2 * k + 10,
      backward: 64,
      reason: "k products and sums and a silu; a gradient of the weight sums over all tokens",
    },
  };
}

export const causalConv1dCases: readonly OpCase[] = [
  conv("tiny", [1, 1, 1, 2], {}),
  conv("basic", [2, 17, 6, 4], { bias: true }),
  conv("state", [2, 9, 5, 4], { bias: true, state: true }),
  conv("shorter than its window", [2, 2, 4, 4], { state: true }),
  conv("one token", [3, 1, 8, 4], { bias: true, state: true }),
  conv("k=3, linear", [1, 9, 5, 3], {}, false),
  conv("packed", [2, 40, 7, 4], { bias: true, packed: true, state: true }),
  conv("wide", [1, 12, 130, 4], { bias: true }),
];

export const causalConv1dStepCases: readonly OpCase[] = (
  [
    [1, 1, 2],
    [2, 9, 4],
    [3, 130, 4],
    [1, 5, 3],
  ] as const
).map(([b, d, k]): OpCase => ({
  op: causalConv1dStep,
  name: `b=${b} d=${d} k=${k}`,
  attrs: { silu: true },
  make: (draw) => ({
    x: draw.normal([b, d]),
    state: draw.normal([b, k - 1, d]),
    weight: draw.normal([d, k]),
    bias: draw.normal([d]),
  }),
  bound: { forward: 2 * k + 10, backward: 0, reason: "k products and sums and a silu" },
}));

const targets = (draw: Draw, shape: readonly number[], v: number, ignored: boolean): NdArray => {
  const ids = draw.integers(shape, v);
  if (ignored) ids.data[0] = -100;
  return ids;
};

export const crossEntropyCases: readonly OpCase[] = (
  [
    [[5], 7, 1, false],
    [[2, 9], 33, 1, true],
    [[3], 300, 10, false],
    [[2], 1000, 1, true],
    [[1], 2, 60, false],
  ] as const
).map(([shape, v, std, ignored]): OpCase => ({
  op: crossEntropy,
  name: `[${[...shape, v]}]${std > 1 ? `, logits of size ${std}` : ""}${ignored ? ", one ignored" : ""}`,
  make: (draw) => ({ logits: draw.normal([...shape, v], std), targets: targets(draw, shape, v, ignored) }),
  scale: "peak",
  bound: {
    forward: 32 + 4 * std,
    absolute: v * 2 ** -102,
    backward: 64 + 4 * std,
    reason:
      "a sum of exponentials, which may be 0 where they are below 2^-126, and a logarithm; the logits' own rounding enters absolutely",
  },
}));

export const adamWCases: readonly OpCase[] = (
  [
    [[1], 1],
    [[5, 7], 3],
    [[300], 1000],
  ] as const
).map(([shape, step]): OpCase => ({
  op: adamW,
  name: `[${shape.join(", ")}] at step ${step}`,
  make: (draw) => ({
    param: draw.normal(shape),
    m: draw.normal(shape, 0.1),
    v: draw.uniform(shape, 1e-4, 0.1),
    grad: draw.normal(shape),
    hyper: values([8], [1e-3, 0.9, 0.999, 1e-8, 0.01, 1 - 0.9 ** step, 1 - 0.999 ** step, 0]),
    gradScale: values([], [0.5]),
  }),
  scale: "peak",
  bound: { forward: 16, backward: 0, reason: "a dozen roundings of the largest entry" },
}));

export const copyCases: readonly OpCase[] = [
  {
    op: copy,
    name: "[3, 5]",
    make: (draw) => ({ destination: draw.normal([3, 5]), source: draw.normal([3, 5]) }),
    bound: { forward: 0, backward: 0, reason: "copied" },
  },
  {
    op: copy,
    name: "whole numbers",
    dtypes: { destination: "int32", source: "int32" },
    make: (draw) => ({ destination: draw.integers([7, 3], 9), source: draw.integers([7, 3], 2 ** 31 - 1) }),
    bound: { forward: 0, backward: 0, reason: "copied" },
  },
];

export const squaredNormCases: readonly OpCase[] = [
  [[1]],
  [[2, 3], [4]],
  [[5, 7], [], [3000], [2, 3, 4]],
  Array.from({ length: 40 }, (_, i) => [1 + 3 * i, 2]),
  [[17_000], [3], [40_001]],
].map((shapes: readonly (readonly number[])[]): OpCase => ({
  op: opTable["squaredNorm"]!,
  name: `${shapes.length} tensors`,
  make: (draw) => Object.fromEntries(shapes.map((shape, i) => [String(i), draw.normal(shape)])),
  bound: {
    forward: dot(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)),
    backward: 0,
    reason: "a sum of squares in any order",
  },
}));

export const sumSquaresCases: readonly OpCase[] = ([[1], [5, 7], [3000]] as const).map((shape): OpCase => ({
  op: sumSquares,
  name: `[${shape.join(", ")}]`,
  make: (draw) => ({ x: draw.normal(shape) }),
  bound: {
    forward: dot(shape.reduce<number>((a, b) => a * b, 1)),
    backward: 0,
    reason: "a sum of squares in any order",
  },
}));
