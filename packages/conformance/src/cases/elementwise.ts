import * as ops from "@statespace/core/ops";
import { opTable } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";
import { elementBound, moved } from "./bounds.ts";
import { values, type Draw, type OpCase } from "./opCase.ts";

const EDGES = [-40, -17, -15, -1, -1e-4, 0, 1e-4, 0.5, 1, 15, 20, 21];

/** Where a unary op is tried, and what it may err by. */
export interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly edges?: readonly number[];
  readonly relative?: number;
  readonly absolute?: number;
}

export const unaryRanges: Readonly<Record<string, Range>> = {
  neg: { relative: 0 },
  abs: { relative: 0 },
  sign: { relative: 0, edges: [-2, 0, 3] },
  floor: { relative: 0, edges: [-2.5, -1, 0, 0.99, 7] },
  round: { relative: 0, edges: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999] },
  exp: { edges: [-80, ...EDGES, 60] },
  expm1: { edges: [-80, ...EDGES, 1e-6, 60] },
  log: { low: 0.01, high: 10, edges: [1e-30, 0.5, 0.999, 1, 1.001, 1e30], absolute: 2 },
  log1p: { low: -0.9, high: 10, edges: [-0.99, -1e-4, 0, 1e-6, 1e-4, 1e20] },
  sqrt: { low: 0.01, high: 10, edges: [1e-30, 1e30] },
  rsqrt: { low: 0.01, high: 10, edges: [1e-30, 1e30] },
  square: {},
  reciprocal: { low: 0.1, high: 5 },
  sigmoid: { edges: EDGES },
  tanh: { edges: [...EDGES, 1e-6] },
  softplus: { edges: [...EDGES, 88.5, 89] },
  relu: { relative: 0 },
  silu: { edges: EDGES },
  // 1 + erf cancels on the far negative side; there the absolute error is what a model sees.
  gelu: { edges: [-6, -3, -1, 0, 1, 3, 6], absolute: 8 },
  sin: { low: -20, high: 20, absolute: 32 },
  cos: { low: -20, high: 20, absolute: 32 },
  erf: { edges: [-5, -2, -0.5, -1e-3, 0, 1e-3, 0.5, 2, 5], absolute: 2 },
};

/** WGSL lets exp err by 3 + 2|x| ulp; 60 is the largest argument tried. */
export const WGSL_EXP: number = 3 + 2 * 80;

const unaryCases = Object.entries(unaryRanges).flatMap(
  ([name, { low = -3, high = 3, edges, relative = 16, absolute = 0 }]): OpCase[] => {
    const random: OpCase = {
      op: opTable[name]!,
      name: `on [${low}, ${high}]`,
      make: (draw) => ({ x: draw.uniform([3, 37], low, high) }),
      scale: "value",
      bound: elementBound(relative, "a library function to a few ulp", absolute),
    };
    if (!edges) return [random];
    const atEdges: OpCase = {
      ...random,
      name: "at its edges",
      make: () => ({ x: values([edges.length], edges) }),
      bound: elementBound(
        relative === 0 ? 0 : WGSL_EXP,
        "exp may err by 3 + 2|x| ulp in WGSL, and |x| goes to 80 here",
        absolute,
      ),
      gradients: false,
    };
    return [random, atEdges];
  },
);

const SHAPES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["same", [3, 17], [3, 17]],
  ["row", [5, 33], [33]],
  ["column", [5, 33], [5, 1]],
  ["scalar", [2, 3, 4], []],
  ["both ways", [4, 1, 6], [5, 1]],
  ["long", [1, 1030], [1, 1030]],
];

const ONE_ROUNDING = "one rounding; division to 2.5 ulp in WGSL";

/** Roundings of each arithmetic op, and why. */
export const arithmeticRoundings: Readonly<Record<string, readonly [number, string]>> = {
  add: [2, ONE_ROUNDING],
  sub: [2, ONE_ROUNDING],
  mul: [2, ONE_ROUNDING],
  div: [8, ONE_ROUNDING],
  maximum: [0, ONE_ROUNDING],
  minimum: [0, ONE_ROUNDING],
  pow: [64, "exp2(y log2 x): the logarithm's rounding times the exponent"],
};

const arithmeticCases = Object.entries(arithmeticRoundings).flatMap(([name, [relative, reason]]) =>
  SHAPES.map(([label, a, b]): OpCase => ({
    op: opTable[name]!,
    name: label,
    make: (draw) => ({
      a: name === "pow" ? draw.uniform(a, 0.2, 3) : draw.normal(a),
      b: name === "div" || name === "pow" ? draw.uniform(b, 0.5, 2) : draw.normal(b),
    }),
    scale: "value",
    bound: elementBound(relative, reason),
  })),
);

const truth = elementBound(0, "true or false");

const comparisonCases = ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"].flatMap((name) =>
  (
    [
      [[4, 9], [9]],
      [[6], []],
    ] as const
  ).map(([a, b]): OpCase => ({
    op: opTable[name]!,
    name: `[${a}] [${b}]`,
    make: (draw) => ({ a: draw.integers(a, 3), b: draw.integers(b, 3) }),
    scale: "value",
    bound: truth,
  })),
);

const logicCases: readonly OpCase[] = [
  {
    op: opTable["logicalAnd"]!,
    name: "[4, 9] [9]",
    make: (draw) => ({ a: draw.integers([4, 9], 2), b: draw.integers([9], 2) }),
    scale: "value",
    bound: truth,
  },
  {
    op: opTable["logicalNot"]!,
    name: "[4, 9]",
    make: (draw) => ({ x: draw.integers([4, 9], 2) }),
    scale: "value",
    bound: truth,
  },
];

/** Where `c` is above 0: a face takes three tensors that broadcast. */
const chosen = ({ c, x, y }: Readonly<Record<string, NdArray>>): NdArray =>
  ndarray(
    x!.shape,
    x!.data.map((value, i) => (c!.data[i]! > 0 ? value : y!.data[i % y!.data.length]!)),
  );

const castCase = (dtype: string, x: (draw: Draw) => NdArray): OpCase => ({
  op: opTable["cast"]!,
  name: `to ${dtype}`,
  attrs: { dtype },
  make: (draw) => ({ x: x(draw) }),
  scale: "value",
  bound: elementBound(0, "whole numbers and truth are exact"),
});

const choosingCases: readonly OpCase[] = [
  {
    op: opTable["where"]!,
    name: "alike",
    make: (d) => ({ condition: d.integers([3, 4], 2), t: d.normal([3, 4]), e: d.normal([3, 4]) }),
    scale: "value",
    bound: moved,
  },
  {
    op: opTable["where"]!,
    name: "broadcast",
    make: (d) => ({ c: d.integers([3, 4], 2), x: d.normal([3, 4]), y: d.normal([4]) }),
    face: ({ c, x, y }) => ops.where(ops.greater(c!, 0), x!, y!),
    meaning: chosen,
    scale: "value",
    bound: moved,
  },
  {
    op: opTable["clip"]!,
    name: "[5, 7]",
    attrs: { min: -0.5, max: 0.75 },
    make: (d) => ({ x: d.normal([5, 7]) }),
    scale: "value",
    bound: moved,
  },
  castCase("int32", (d) => d.normal([5, 7], 3)),
  castCase("bool", (d) => d.integers([5, 7], 2)),
  {
    op: opTable["full"]!,
    name: "[3, 5]",
    attrs: { shape: [3, 5], value: 0.75 },
    make: () => ({}),
    scale: "value",
    bound: moved,
  },
];

/** Ops that work element by element. */
export const elementwiseCases: readonly OpCase[] = [
  ...unaryCases,
  ...arithmeticCases,
  ...comparisonCases,
  ...logicCases,
  ...choosingCases,
];
