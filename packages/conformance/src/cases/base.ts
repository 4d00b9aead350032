import * as ops from "@statespace/core";
import { ndarray, sizeOf, stridesOf, type NdArray, type Tensor } from "@statespace/core";
import { type Draw, values } from "./opCase.ts";

/** One situation of a base op: what it is on tensors and what it is in float64. */
export interface BaseCase {
  readonly name: string;
  make(draw: Draw): Readonly<Record<string, NdArray>>;
  run(tensors: Readonly<Record<string, Tensor>>): Tensor;
  reference(arrays: Readonly<Record<string, NdArray>>): NdArray;
  /** Allowed, in units of 2^-24 of each element, plus `absolute` units of 1. */
  readonly relative: number;
  readonly absolute?: number;
  readonly reason: string;
  /** Inputs whose gradient is checked along random directions. */
  readonly differentiable: readonly string[];
  readonly integers?: readonly string[];
}

const map = (x: NdArray, f: (v: number) => number): NdArray => ndarray(x.shape, x.data.map(f));

/** erf by its series and continued fraction, to float64 precision. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 200; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 120; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 40 ? x : Math.log1p(Math.exp(x)));
const EDGES = [-40, -17, -15, -1, -1e-4, 0, 1e-4, 0.5, 1, 15, 20, 21];

interface Unary {
  readonly op: (x: Tensor) => Tensor;
  readonly f: (x: number) => number;
  readonly low?: number;
  readonly high?: number;
  readonly edges?: readonly number[];
  readonly relative?: number;
  readonly absolute?: number;
  readonly gradient?: boolean;
}

const unary: Readonly<Record<string, Unary>> = {
  neg: { op: ops.neg, f: (x) => -x, relative: 0 },
  abs: { op: ops.abs, f: Math.abs, relative: 0 },
  sign: { op: ops.sign, f: Math.sign, relative: 0, gradient: false, edges: [-2, 0, 3] },
  floor: { op: ops.floor, f: Math.floor, relative: 0, gradient: false, edges: [-2.5, -1, 0, 0.99, 7] },
  round: {
    op: ops.round,
    f: (x) => {
      const r = Math.round(x);
      return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
    },
    relative: 0,
    gradient: false,
    edges: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999],
  },
  exp: { op: ops.exp, f: Math.exp, edges: [-80, ...EDGES, 60] },
  expm1: { op: ops.expm1, f: Math.expm1, edges: [-80, ...EDGES, 1e-6, 60] },
  log: { op: ops.log, f: Math.log, low: 0.01, high: 10, edges: [1e-30, 0.5, 0.999, 1, 1.001, 1e30], absolute: 2 },
  log1p: { op: ops.log1p, f: Math.log1p, low: -0.9, high: 10, edges: [-0.99, -1e-4, 0, 1e-6, 1e-4, 1e20] },
  sqrt: { op: ops.sqrt, f: Math.sqrt, low: 0.01, high: 10, edges: [1e-30, 1e30] },
  rsqrt: { op: ops.rsqrt, f: (x) => 1 / Math.sqrt(x), low: 0.01, high: 10, edges: [1e-30, 1e30] },
  square: { op: ops.square, f: (x) => x * x },
  reciprocal: { op: ops.reciprocal, f: (x) => 1 / x, low: 0.1, high: 5 },
  sigmoid: { op: ops.sigmoid, f: sigmoid, edges: EDGES },
  tanh: { op: ops.tanh, f: Math.tanh, edges: [...EDGES, 1e-6] },
  softplus: { op: ops.softplus, f: softplus, edges: [...EDGES, 88.5, 89] },
  relu: { op: ops.relu, f: (x) => Math.max(x, 0), relative: 0 },
  silu: { op: ops.silu, f: (x) => x * sigmoid(x), edges: EDGES },
  // 1 + erf cancels on the far negative side; there the absolute error is what a model sees.
  gelu: { op: ops.gelu, f: (x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2, edges: [-6, -3, -1, 0, 1, 3, 6], absolute: 8 },
  sin: { op: ops.sin, f: Math.sin, low: -20, high: 20, absolute: 32 },
  cos: { op: ops.cos, f: Math.cos, low: -20, high: 20, absolute: 32 },
  erf: { op: ops.erf, f: erf, edges: [-5, -2, -0.5, -1e-3, 0, 1e-3, 0.5, 2, 5], absolute: 2 },
};

/** WGSL lets exp err by 3 + 2|x| ulp; 60 is the largest argument tried. */
const WGSL_EXP = 3 + 2 * 80;

function unaryCases(): BaseCase[] {
  return Object.entries(unary).flatMap(
    ([name, { op, f, low = -3, high = 3, edges, relative = 16, absolute = 0, gradient = true }]) => {
      const common = {
        run: ({ x }: Readonly<Record<string, Tensor>>) => op(x!),
        reference: ({ x }: Readonly<Record<string, NdArray>>) => map(x!, f),
        absolute,
      };
      const random: BaseCase = {
        ...common,
        name,
        make: (draw) => ({ x: draw.uniform([3, 37], low, high) }),
        relative,
        reason: "a library function to a few ulp",
        differentiable: gradient ? ["x"] : [],
      };
      const atEdges: BaseCase[] = edges
        ? [
            {
              ...common,
              name: `${name} at its edges`,
              make: () => ({ x: values([edges.length], edges) }),
              relative: relative === 0 ? 0 : WGSL_EXP,
              reason: "exp may err by 3 + 2|x| ulp in WGSL, and |x| goes to 80 here",
              differentiable: [],
            },
          ]
        : [];
      return [random, ...atEdges];
    },
  );
}

/** Index of an element of a broadcast shape in an operand. */
function broadcastIndex(index: number, shape: readonly number[], operand: readonly number[]): number {
  const strides = stridesOf(shape);
  const own = stridesOf(operand);
  const lead = shape.length - operand.length;
  return operand.reduce(
    (at, extent, i) => at + (extent === 1 ? 0 : (Math.floor(index / strides[i + lead]!) % shape[i + lead]!) * own[i]!),
    0,
  );
}

function broadcast(a: NdArray, b: NdArray, f: (x: number, y: number) => number): NdArray {
  const shape = ops.broadcastShape("reference", a.shape, b.shape);
  return ndarray(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      f(a.data[broadcastIndex(i, shape, a.shape)]!, b.data[broadcastIndex(i, shape, b.shape)]!),
    ),
  );
}

const SHAPES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["same", [3, 17], [3, 17]],
  ["row", [5, 33], [33]],
  ["column", [5, 33], [5, 1]],
  ["scalar", [2, 3, 4], []],
  ["both ways", [4, 1, 6], [5, 1]],
  ["long", [1, 1030], [1, 1030]],
];

function binaryCases(): BaseCase[] {
  const table: Readonly<
    Record<string, readonly [(a: Tensor, b: Tensor) => Tensor, (x: number, y: number) => number, number]>
  > = {
    add: [ops.add, (x, y) => x + y, 2],
    sub: [ops.sub, (x, y) => x - y, 2],
    mul: [ops.mul, (x, y) => x * y, 2],
    div: [ops.div, (x, y) => x / y, 8],
    maximum: [ops.maximum, Math.max, 0],
    minimum: [ops.minimum, Math.min, 0],
    pow: [ops.pow, (x, y) => x ** y, 64],
  };
  return Object.entries(table).flatMap(([name, [op, f, relative]]) =>
    SHAPES.map(([label, a, b]): BaseCase => ({
      name: `${name}, ${label}`,
      make: (draw) => ({
        a: name === "pow" ? draw.uniform(a, 0.2, 3) : draw.normal(a),
        b: name === "div" || name === "pow" ? draw.uniform(b, 0.5, 2) : draw.normal(b),
      }),
      run: ({ a: x, b: y }) => op(x!, y!),
      reference: ({ a: x, b: y }) => broadcast(x!, y!, f),
      relative,
      reason:
        name === "pow"
          ? "exp2(y log2 x): the logarithm's rounding times the exponent"
          : "one rounding; division to 2.5 ulp in WGSL",
      differentiable: ["a", "b"],
    })),
  );
}

function compareCases(): BaseCase[] {
  const table: Readonly<
    Record<string, readonly [(a: Tensor, b: Tensor) => Tensor, (x: number, y: number) => boolean]>
  > = {
    equal: [ops.equal, (x, y) => x === y],
    notEqual: [ops.notEqual, (x, y) => x !== y],
    less: [ops.less, (x, y) => x < y],
    lessEqual: [ops.lessEqual, (x, y) => x <= y],
    greater: [ops.greater, (x, y) => x > y],
    greaterEqual: [ops.greaterEqual, (x, y) => x >= y],
  };
  return Object.entries(table).flatMap(([name, [op, f]]) =>
    [
      [[4, 9], [9]],
      [[6], []],
    ].map(([a, b]): BaseCase => ({
      name: `${name} [${a}] [${b}]`,
      make: (draw) => ({ a: draw.integers(a!, 3), b: draw.integers(b!, 3) }),
      run: ({ a: x, b: y }) => ops.cast(op(x!, y!), "float32"),
      reference: ({ a: x, b: y }) => broadcast(x!, y!, (p, q) => Number(f(p, q))),
      relative: 0,
      reason: "true or false",
      differentiable: [],
    })),
  );
}

function reduce(
  x: NdArray,
  axes: readonly number[],
  keepDims: boolean,
  start: number,
  f: (a: number, b: number) => number,
): NdArray {
  const kept = x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent));
  const out = new Float64Array(sizeOf(kept)).fill(start);
  x.data.forEach((v, i) => {
    const at = broadcastIndex(i, x.shape, kept);
    out[at] = f(out[at]!, v);
  });
  return ndarray(keepDims ? kept : x.shape.filter((_, i) => !axes.includes(i)), out);
}

function reductionCases(): BaseCase[] {
  const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[7], [0]],
    [[4, 9], [0]],
    [[4, 9], [1]],
    [[3, 5, 4], [1]],
    [
      [3, 5, 4],
      [0, 2],
    ],
    [[2, 600], [1]],
    [[600, 3], [0]],
    [[5], []],
    [[1500], [0]],
  ];
  return shapes.flatMap(([shape, axes]) =>
    [false, true].flatMap((keepDims): BaseCase[] => [
      {
        name: `sum [${shape}] over [${axes}]${keepDims ? ", kept" : ""}`,
        make: (draw) => ({ x: draw.uniform(shape, 0.1, 1) }),
        run: ({ x }) => ops.sum(x!, axes, keepDims),
        reference: ({ x }) => reduce(x!, axes, keepDims, 0, (a, b) => a + b),
        relative: 4 + 2 * Math.sqrt(axes.reduce((n, axis) => n * shape[axis]!, 1)),
        reason: "a sum in any order of positive terms",
        differentiable: ["x"],
      },
      {
        name: `max [${shape}] over [${axes}]${keepDims ? ", kept" : ""}`,
        make: (draw) => ({ x: draw.normal(shape) }),
        run: ({ x }) => ops.max(x!, axes, keepDims),
        reference: ({ x }) => reduce(x!, axes, keepDims, -Infinity, Math.max),
        relative: 0,
        reason: "picked",
        differentiable: ["x"],
      },
      {
        name: `min [${shape}] over [${axes}]${keepDims ? ", kept" : ""}`,
        make: (draw) => ({ x: draw.normal(shape) }),
        run: ({ x }) => ops.min(x!, axes, keepDims),
        reference: ({ x }) => reduce(x!, axes, keepDims, Infinity, Math.min),
        relative: 0,
        reason: "picked",
        differentiable: ["x"],
      },
    ]),
  );
}

/** An output built element by element: `source` tells where each comes from, or -1 for `fill`. */
function gatherBy(
  shape: readonly number[],
  x: NdArray,
  source: (at: number[]) => number[] | undefined,
  fill = 0,
): NdArray {
  const strides = stridesOf(shape);
  const own = stridesOf(x.shape);
  return ndarray(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const from = source(shape.map((extent, axis) => Math.floor(i / strides[axis]!) % extent));
      return from === undefined ? fill : x.data[from.reduce((at, k, axis) => at + k * own[axis]!, 0)]!;
    }),
  );
}

const moved = { relative: 0, reason: "moved", differentiable: ["x"] } as const;

function movementCases(): BaseCase[] {
  const perms: readonly (readonly [readonly number[], readonly number[]])[] = [
    [
      [5, 7],
      [1, 0],
    ],
    [
      [3, 4, 5],
      [0, 2, 1],
    ],
    [
      [3, 4, 5],
      [2, 0, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 2, 0],
    ],
    [
      [70, 65],
      [1, 0],
    ],
  ];
  return [
    ...perms.map(([shape, perm]): BaseCase => ({
      ...moved,
      name: `transpose [${shape}] by [${perm}]`,
      make: (d) => ({ x: d.normal(shape) }),
      run: ({ x }) => ops.transpose(x!, perm),
      reference: ({ x }) =>
        gatherBy(
          perm.map((p) => shape[p]!),
          x!,
          (at) => shape.map((_, axis) => at[perm.indexOf(axis)]!),
        ),
    })),
    ...(
      [
        [[9], [2], [5]],
        [
          [4, 8],
          [1, 2],
          [2, 5],
        ],
        [
          [3, 4, 5],
          [0, 1, 2],
          [3, 2, 3],
        ],
        [
          [2, 3, 4, 5],
          [1, 0, 1, 1],
          [1, 3, 2, 3],
        ],
      ] as const
    ).map(([shape, begin, size]): BaseCase => ({
      ...moved,
      name: `slice [${shape}] from [${begin}] size [${size}]`,
      make: (d) => ({ x: d.normal(shape) }),
      run: ({ x }) => ops.slice(x!, begin, size),
      reference: ({ x }) => gatherBy(size, x!, (at) => at.map((k, axis) => k + begin[axis]!)),
    })),
    ...(
      [
        [[4, 5], [0]],
        [[4, 5], [1]],
        [
          [3, 4, 5],
          [0, 2],
        ],
      ] as const
    ).map(([shape, axes]): BaseCase => ({
      ...moved,
      name: `reverse [${shape}] over [${axes}]`,
      make: (d) => ({ x: d.normal(shape) }),
      run: ({ x }) => ops.reverse(x!, axes),
      reference: ({ x }) =>
        gatherBy(shape, x!, (at) =>
          at.map((k, axis) => ((axes as readonly number[]).includes(axis) ? shape[axis]! - 1 - k : k)),
        ),
    })),
    ...(
      [
        [
          [4, 5],
          [
            [1, 0],
            [2, 3],
          ],
        ],
        [[6], [[0, 2]]],
        [
          [2, 3, 4],
          [
            [0, 1],
            [1, 1],
            [2, 0],
          ],
        ],
      ] as const
    ).map(([shape, paddings]): BaseCase => ({
      ...moved,
      name: `pad [${shape}]`,
      make: (d) => ({ x: d.normal(shape) }),
      run: ({ x }) => ops.pad(x!, paddings, 0.5),
      reference: ({ x }) =>
        gatherBy(
          shape.map((e, i) => e + paddings[i]![0] + paddings[i]![1]),
          x!,
          (at) => {
            const from = at.map((k, i) => k - paddings[i]![0]);
            return from.every((k, i) => k >= 0 && k < shape[i]!) ? from : undefined;
          },
          0.5,
        ),
    })),
    ...(
      [
        [
          [3, 4],
          [2, 3],
        ],
        [[5], [4]],
        [
          [1, 3, 2],
          [3, 1, 2],
        ],
      ] as const
    ).map(([shape, reps]): BaseCase => ({
      ...moved,
      name: `tile [${shape}] by [${reps}]`,
      make: (d) => ({ x: d.normal(shape) }),
      run: ({ x }) => ops.tile(x!, reps),
      reference: ({ x }) =>
        gatherBy(
          shape.map((e, i) => e * reps[i]!),
          x!,
          (at) => at.map((k, i) => k % shape[i]!),
        ),
    })),
    ...(
      [
        [[7, 4], 0, 5],
        [[3, 6, 2], 1, 4],
        [[5, 3], 1, 8],
      ] as const
    ).map(([shape, axis, count]): BaseCase => ({
      ...moved,
      integers: ["indices"],
      relative: 0,
      name: `gather [${shape}] axis ${axis}`,
      make: (d) => ({ x: d.normal(shape), indices: d.integers([count], shape[axis]!) }),
      run: ({ x, indices }) => ops.gather(x!, indices!, axis),
      reference: ({ x, indices }) =>
        gatherBy(
          shape.map((e, i) => (i === axis ? count : e)),
          x!,
          (at) => at.map((k, i) => (i === axis ? indices!.data[k]! : k)),
        ),
    })),
    {
      ...moved,
      name: "concat of three",
      make: (d) => ({ x: d.normal([3, 2, 4]), y: d.normal([3, 1, 4]), z: d.normal([3, 5, 4]) }),
      differentiable: ["x", "y", "z"],
      run: ({ x, y, z }) => ops.concat([x!, y!, z!], 1),
      reference: ({ x, y, z }) =>
        ndarray(
          [3, 8, 4],
          Float64Array.from({ length: 96 }, (_, i) => {
            const [row, k, c] = [Math.floor(i / 32), Math.floor(i / 4) % 8, i % 4] as const;
            return k < 2
              ? x!.data[row * 8 + k * 4 + c]!
              : k < 3
                ? y!.data[row * 4 + c]!
                : z!.data[row * 20 + (k - 3) * 4 + c]!;
          }),
        ),
    },
    {
      ...moved,
      name: "split and swap",
      make: (d) => ({ x: d.normal([4, 3, 10]) }),
      run: ({ x }) => {
        const [a, b, c] = ops.split(x!, [3, 5, 2]);
        return ops.concat([c!, a!, b!], -1);
      },
      reference: ({ x }) => gatherBy([4, 3, 10], x!, (at) => [at[0]!, at[1]!, at[2]! < 2 ? 8 + at[2]! : at[2]! - 2]),
    },
    {
      ...moved,
      integers: ["ids"],
      relative: 8,
      reason: "a short sum",
      name: "segmentSum",
      make: (d) => ({ x: d.uniform([9, 5], 0.1, 1), ids: d.integers([9], 4) }),
      run: ({ x, ids }) => ops.segmentSum(x!, ids!, 4),
      reference: ({ x, ids }) => {
        const out = new Float64Array(20);
        x!.data.forEach((v, i) => (out[ids!.data[Math.floor(i / 5)]! * 5 + (i % 5)]! += v));
        return ndarray([4, 5], out);
      },
    },
    {
      ...moved,
      differentiable: [],
      integers: ["ids"],
      name: "oneHot",
      make: (d) => ({ ids: d.integers([2, 5], 6) }),
      run: ({ ids }) => ops.oneHot(ids!, 6),
      reference: ({ ids }) =>
        ndarray(
          [2, 5, 6],
          Float64Array.from({ length: 60 }, (_, i) => Number(ids!.data[Math.floor(i / 6)] === i % 6)),
        ),
    },
    {
      ...moved,
      name: "where",
      integers: [],
      make: (d) => ({ c: d.integers([3, 4], 2), x: d.normal([3, 4]), y: d.normal([4]) }),
      differentiable: ["x", "y"],
      run: ({ c, x, y }) => ops.where(ops.greater(c!, 0), x!, y!),
      reference: ({ c, x, y }) =>
        ndarray(
          [3, 4],
          x!.data.map((v, i) => (c!.data[i]! > 0 ? v : y!.data[i % 4]!)),
        ),
    },
    {
      ...moved,
      name: "clip",
      make: (d) => ({ x: d.normal([5, 7]) }),
      run: ({ x }) => ops.clip(x!, -0.5, 0.75),
      reference: ({ x }) => map(x!, (v) => Math.min(0.75, Math.max(-0.5, v))),
    },
  ];
}

function matMulCases(): BaseCase[] {
  const sizes: readonly (readonly [number, number, number, number, number])[] = [
    [1, 1, 1, 1, 1],
    [1, 1, 5, 7, 3],
    [2, 2, 9, 17, 6],
    [3, 1, 4, 8, 5],
    [1, 3, 4, 8, 5],
    [1, 1, 65, 70, 67],
    [1, 1, 130, 33, 129],
    [1, 1, 1, 300, 64],
  ];
  return sizes.flatMap(([ba, bb, m, k, n]) =>
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].map(([ta, tb]): BaseCase => ({
      name: `matMul ${ba}x[${m}, ${k}]${ta ? "^T" : ""} ${bb}x[${k}, ${n}]${tb ? "^T" : ""}`,
      make: (d) => ({ a: d.normal([ba, ...(ta ? [k, m] : [m, k])]), b: d.normal([bb, ...(tb ? [n, k] : [k, n])]) }),
      run: ({ a, b }) => ops.matMul(a!, b!, ta, tb),
      reference: ({ a, b }) =>
        ndarray(
          [Math.max(ba, bb), m, n],
          Float64Array.from({ length: Math.max(ba, bb) * m * n }, (_, i) => {
            const [batch, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n] as const;
            const [fromA, fromB] = [(ba === 1 ? 0 : batch) * m * k, (bb === 1 ? 0 : batch) * k * n];
            let dot = 0;
            for (let j = 0; j < k; j++)
              dot +=
                a!.data[fromA + (ta ? j * m + row : row * k + j)]! *
                b!.data[fromB + (tb ? column * k + j : j * n + column)]!;
            return dot;
          }),
        ),
      relative: 0,
      absolute: (4 + 2 * Math.sqrt(k)) * Math.sqrt(k) * 4,
      reason: "a dot product of k normal terms in any order, against its typical size sqrt(k), fourfold",
      differentiable: ["a", "b"],
    })),
  );
}

function rowCases(): BaseCase[] {
  return [
    ...(
      [
        [3, 7],
        [2, 300],
        [1, 1],
        [65, 5],
      ] as const
    ).map((shape): BaseCase => ({
      name: `softmax [${shape}]`,
      make: (d) => ({ x: d.normal(shape, 3) }),
      run: ({ x }) => ops.softmax(x!),
      differentiable: ["x"],
      relative: 64,
      reason: "an exponential of a difference of up to 20, and a sum",
      reference: ({ x }) =>
        ndarray(
          shape,
          Float64Array.from(x!.data, (v, i) => {
            const row = x!.data.subarray(
              Math.floor(i / shape[1]) * shape[1],
              (Math.floor(i / shape[1]) + 1) * shape[1],
            );
            const peak = Math.max(...row);
            return Math.exp(v - peak) / row.reduce((a, b) => a + Math.exp(b - peak), 0);
          }),
        ),
    })),
    ...(
      [
        [4, 9],
        [2, 300],
      ] as const
    ).map((shape): BaseCase => ({
      name: `argMax [${shape}]`,
      make: (d) => ({ x: d.integers(shape, 5) }),
      run: ({ x }) => ops.cast(ops.argMax(x!), "float32"),
      differentiable: [],
      relative: 0,
      reason: "the lowest index of the largest",
      reference: ({ x }) =>
        ndarray(
          [shape[0]],
          Float64Array.from({ length: shape[0] }, (_, r) => {
            const row = x!.data.subarray(r * shape[1], (r + 1) * shape[1]);
            return row.indexOf(Math.max(...row));
          }),
        ),
    })),
    ...[false, true].flatMap((exclusive) =>
      [false, true].map((backwards): BaseCase => ({
        name: `cumsum${exclusive ? ", exclusive" : ""}${backwards ? ", reverse" : ""}`,
        make: (d) => ({ x: d.uniform([3, 40, 2], 0.1, 1) }),
        run: ({ x }) => ops.cumsum(x!, 1, { exclusive, reverse: backwards }),
        differentiable: ["x"],
        relative: 48,
        reason: "a running sum of positive terms",
        reference: ({ x }) =>
          ndarray(
            [3, 40, 2],
            Float64Array.from(x!.data, (_, i) => {
              const [r, t, c] = [Math.floor(i / 80), Math.floor(i / 2) % 40, i % 2] as const;
              let total = 0;
              for (let s = 0; s < 40; s++)
                if (backwards ? (exclusive ? s > t : s >= t) : exclusive ? s < t : s <= t)
                  total += x!.data[r * 80 + s * 2 + c]!;
              return total;
            }),
          ),
      })),
    ),
  ];
}

/** Every case of every base op. */
export const baseCases: readonly BaseCase[] = [
  ...unaryCases(),
  ...binaryCases(),
  ...compareCases(),
  ...reductionCases(),
  ...movementCases(),
  ...matMulCases(),
  ...rowCases(),
];
