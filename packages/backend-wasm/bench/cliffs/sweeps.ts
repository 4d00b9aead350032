/** How an argument is drawn: numbers in [low, high), [-1, 1) unless told. */
interface Argument {
  readonly shape: readonly number[];
  readonly ints?: boolean;
  readonly low?: number;
  readonly high?: number;
}

/** One size of a sweep. */
export interface Point {
  readonly size: number | string;
  readonly inputs: Readonly<Record<string, Argument>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
  /** What the time is divided by. */
  readonly elements: number;
}

export interface Sweep {
  readonly title: string;
  readonly op: string;
  readonly gradient: boolean;
  readonly points: readonly Point[];
}

const SMALL = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 64];
const AROUND = [
  15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100, 127, 128, 129, 250, 255, 256, 257, 509, 511, 512, 513, 1000, 1023, 1024,
  1025, 2047, 2048, 2049,
];
const TOTAL = 1 << 16;
const plain = (...shape: number[]): Argument => ({ shape });

function sweep(
  title: string,
  op: string,
  sizes: readonly (number | string)[],
  at: (size: number) => Omit<Point, "size">,
  gradient = false,
): Sweep {
  return { title, op, gradient, points: sizes.map((size) => ({ size, ...at(size as number) })) };
}
/** Forward and backward. */
const both = (
  title: string,
  op: string,
  sizes: readonly number[],
  at: (size: number) => Omit<Point, "size">,
): Sweep[] => [sweep(title, op, sizes, at), sweep(`${title}, gradient`, op, sizes, at, true)];
const per = (n: number): number => Math.max(1, Math.floor(TOTAL / n));

function selective(b: number, l: number, d: number, n: number, g: number, A = 1): Omit<Point, "size"> {
  const own = [b, l, d];
  return {
    inputs: {
      u: plain(...own),
      delta: { shape: own, low: 0.01, high: 0.5 },
      A: { shape: [d, n], low: -A, high: -A / 2 },
      B: plain(b, l, g, n),
      C: plain(b, l, g, n),
    },
    attrs: { deltaSoftplus: false, returnLastState: false },
    elements: b * l * d * n,
  };
}
function ssd(l: number, h: number, p: number, n: number, g: number): Omit<Point, "size"> {
  return {
    inputs: {
      x: plain(1, l, h, p),
      dt: { shape: [1, l, h], low: 0.01, high: 0.5 },
      A: { shape: [h], low: -1, high: -0.1 },
      B: plain(1, l, g, n),
      C: plain(1, l, g, n),
    },
    attrs: { dtSoftplus: false, returnLastState: false },
    elements: l * h * p * n,
  };
}
function mamba3(l: number, h: number, r: number, p: number, n: number): Omit<Point, "size"> {
  const one = { shape: [1, l, h], low: 0.01, high: 0.5 };
  return {
    inputs: {
      q: plain(1, l, h, r, n),
      k: plain(1, l, h, r, n),
      v: plain(1, l, h, r, p),
      adt: { ...one, low: -0.5, high: 0 },
      dt: one,
      trap: one,
    },
    elements: l * h * r * p * n,
  };
}
function delta(l: number, h: number, p: number, n: number): Omit<Point, "size"> {
  const one = { shape: [1, l, h], low: 0.01, high: 0.5 };
  return {
    inputs: {
      q: plain(1, l, h, n),
      k: plain(1, l, h, n),
      v: plain(1, l, h, p),
      g: { ...one, low: -0.5, high: 0 },
      beta: one,
    },
    attrs: { l2norm: true },
    elements: l * h * p * n,
  };
}
function attention(l: number, h: number, p: number): Omit<Point, "size"> {
  return {
    inputs: { q: plain(1, l, h, p), k: plain(1, l, h, p), v: plain(1, l, h, p) },
    elements: (l * l * h * p) / 2 + 4 * l * l * h,
  };
}
function product(m: number, k: number, n: number): Omit<Point, "size"> {
  return { inputs: { a: plain(1, m, k), b: plain(1, k, n) }, elements: m * n * k + 4 * (m * n + m * k + k * n) };
}

const scans: Sweep[] = [
  ...both("selectiveScan n", "selectiveScan", SMALL, (n) => selective(1, 64, per(64 * n) + 16, n, 1)),
  ...both("selectiveScan d", "selectiveScan", SMALL, (d) => selective(1, per(16 * d), d, 16, 1)),
  ...both("selectiveScan groups of d 64", "selectiveScan", [1, 2, 4, 8, 16, 32, 64], (g) =>
    selective(1, 64, 64, 16, g),
  ),
  ...both("selectiveScan decay", "selectiveScan", [1, 50, 150, 200, 400], (A) => selective(1, 64, 64, 16, 1, A)),
  ...both("ssdScan p", "ssdScan", SMALL, (p) => ssd(128, per(2048 * p) + 1, p, 16, 1)),
  ...both("ssdScan n", "ssdScan", SMALL, (n) => ssd(128, per(2048 * n) + 1, 16, n, 1)),
  ...both("ssdScan groups of 16 heads", "ssdScan", [1, 2, 4, 8, 16], (g) => ssd(128, 16, 8, 8, g)),
  ...both("ssdScan l", "ssdScan", [1, 2, 8, 14, 15, 16, 17, 31, 32, 33, 64, 65], (l) =>
    ssd(l, Math.ceil(256 / l), 16, 16, 1),
  ),
  ...both("mamba3Scan p", "mamba3Scan", SMALL, (p) => mamba3(64, per(1024 * p) + 1, 1, p, 16)),
  ...both("mamba3Scan n", "mamba3Scan", SMALL, (n) => mamba3(64, per(1024 * n) + 1, 1, 16, n)),
  ...both("gatedDeltaRule p", "gatedDeltaRule", SMALL, (p) => delta(64, per(1024 * p) + 1, p, 16)),
  ...both("gatedDeltaRule n", "gatedDeltaRule", SMALL, (n) => delta(64, per(1024 * n) + 1, 16, n)),
  ...both("diagonalScan n", "diagonalScan", SMALL, (n) => ({
    inputs: { Bu: plain(1, per(n), n, 2), ABar: { shape: [n, 2], low: -0.5, high: 0.5 } },
    elements: per(n) * n,
  })),
  ...both("causalConv1d width", "causalConv1d", [1, 2, 3, 4, 5, 6, 7, 8], (k) => ({
    inputs: { x: plain(1, 256, 256), weight: plain(256, k) },
    attrs: { silu: true },
    elements: TOTAL * (k + 8),
  })),
  ...both("causalConv1d d", "causalConv1d", SMALL, (d) => ({
    inputs: { x: plain(1, per(d), d), weight: plain(d, 4) },
    attrs: { silu: true },
    elements: per(d) * d,
  })),
];

const transforms: Sweep[] = [
  ...both("inverseRealFft l", "inverseRealFft", AROUND, (l) => ({
    inputs: { x: plain(per(l), Math.floor(l / 2) + 1, 2) },
    attrs: { seqLen: l },
    elements: per(l) * l,
  })),
  ...both("fftConv l", "fftConv", AROUND, (l) => ({
    inputs: { u: plain(1, l, per(l)), k: plain(per(l), l) },
    elements: per(l) * l,
  })),
  ...both("fftConv d", "fftConv", SMALL, (d) => ({
    inputs: { u: plain(per(100 * d), 100, d), k: plain(d, 100) },
    elements: per(100 * d) * 100 * d,
  })),
  ...both(
    "fftConv filter",
    "fftConv",
    AROUND.filter((m) => m <= 257),
    (m) => ({
      inputs: { u: plain(1, 256, 64), k: plain(64, m) },
      elements: 256 * 64,
    }),
  ),
  ...both("vandermonde n", "vandermonde", SMALL, (n) => ({
    inputs: { C: plain(per(64 * n), n, 2), logABar: { shape: [per(64 * n), n, 2], low: -0.5, high: -0.1 } },
    attrs: { seqLen: 64 },
    elements: per(64 * n) * n * 64,
  })),
  ...both("vandermonde l", "vandermonde", SMALL, (l) => ({
    inputs: { C: plain(per(16 * l), 16, 2), logABar: { shape: [per(16 * l), 16, 2], low: -0.5, high: -0.1 } },
    attrs: { seqLen: l },
    elements: per(16 * l) * 16 * (l + 8),
  })),
  ...both("cauchy n", "cauchy", SMALL, (n) => ({
    inputs: {
      v: plain(per(64 * n), n, 2),
      w: { shape: [per(64 * n), n, 2], low: -1, high: -0.1 },
      z: { shape: [64, 2], low: 0.1, high: 1 },
    },
    elements: per(64 * n) * n * 64,
  })),
  ...both("cauchy l", "cauchy", SMALL, (l) => ({
    inputs: {
      v: plain(per(16 * l), 16, 2),
      w: { shape: [per(16 * l), 16, 2], low: -1, high: -0.1 },
      z: { shape: [l, 2], low: 0.1, high: 1 },
    },
    elements: per(16 * l) * 16 * l,
  })),
];

const rowsOf = (n: number, more: Readonly<Record<string, Argument>> = {}): Omit<Point, "size"> => ({
  inputs: { x: plain(per(n), n), ...more },
  elements: per(n) * n,
});
const dense: Sweep[] = [
  ...both("softmax last axis", "softmax", SMALL, (n) => rowsOf(n)),
  ...both("rmsNorm last axis", "rmsNorm", SMALL, (n) => rowsOf(n, { weight: plain(n) })),
  ...both("rmsNorm with gate, last axis", "rmsNorm", SMALL, (n) =>
    rowsOf(n, { weight: plain(n), z: plain(per(n), n) }),
  ),
  ...both("rmsNorm group size", "rmsNorm", [1, 2, 4, 8, 16, 32, 64, 128, 256], (groupSize) => ({
    ...rowsOf(256),
    attrs: { groupSize },
  })),
  ...both("layerNorm last axis", "layerNorm", SMALL, (n) => rowsOf(n, { weight: plain(n), bias: plain(n) })),
  ...both("crossEntropy vocabulary", "crossEntropy", SMALL, (v) => ({
    inputs: { logits: plain(per(v), v), targets: { shape: [per(v)], ints: true, low: 0, high: v } },
    elements: per(v) * v,
  })),
  ...both("causalAttention p", "causalAttention", [...SMALL, 65, 80, 96, 127, 128, 129], (p) =>
    attention(64, per(2048 * p) + 1, p),
  ),
  ...both("causalAttention l", "causalAttention", SMALL, (l) => attention(l, per(32 * l * l) + 1, 32)),
  sweep("matMul m", "matMul", SMALL, (m) => product(m, 64, 64)),
  sweep("matMul k", "matMul", SMALL, (k) => product(64, k, 64)),
  sweep("matMul n", "matMul", SMALL, (n) => product(64, 64, n)),
  ...both("linear k", "linear", SMALL, (k) => ({
    inputs: { x: plain(256, k), weight: plain(64, k) },
    elements: 256 * 64 * k + 4 * 256 * (k + 64),
  })),
  ...both("linear n", "linear", SMALL, (n) => ({
    inputs: { x: plain(256, 64), weight: plain(n, 64) },
    elements: 256 * 64 * n + 4 * 256 * (n + 64),
  })),
  ...both("embedding width", "embedding", SMALL, (d) => ({
    inputs: { weight: plain(100, d), ids: { shape: [per(d)], ints: true, low: 0, high: 100 } },
    elements: per(d) * d + 4 * per(d),
  })),
];

const shapes: Sweep[] = [
  ...both("add, last axis broadcast", "add", SMALL, (n) => ({
    inputs: { a: plain(per(n), n), b: plain(n) },
    elements: per(n) * n,
  })),
  ...both("add, column broadcast", "add", SMALL, (n) => ({
    inputs: { a: plain(per(n), n), b: plain(per(n), 1) },
    elements: per(n) * n,
  })),
  ...both("mul, middle broadcast", "mul", SMALL, (n) => ({
    inputs: { a: plain(16, per(16 * n), n), b: plain(16, 1, n) },
    elements: per(16 * n) * 16 * n,
  })),
  ...(["sum", "max"] as const).flatMap((op) => [
    ...both(`${op}, last axis`, op, SMALL, (n) => ({ ...rowsOf(n), attrs: { axes: [1] } })),
    ...both(`${op}, leading axis`, op, SMALL, (n) => ({
      inputs: { x: plain(n, per(n)) },
      attrs: { axes: [0] },
      elements: per(n) * n,
    })),
    ...both(`${op}, leading axis of rows`, op, SMALL, (n) => ({
      inputs: { x: plain(per(n), n) },
      attrs: { axes: [0] },
      elements: per(n) * n,
    })),
    sweep(`${op}, middle axis`, op, SMALL, (n) => ({
      inputs: { x: plain(per(8 * n), n, 8) },
      attrs: { axes: [1] },
      elements: per(8 * n) * n * 8,
    })),
  ]),
  sweep("argMax, last axis", "argMax", SMALL, (n) => ({ ...rowsOf(n), attrs: { axis: 1 } })),
  sweep("argMax, leading axis", "argMax", SMALL, (n) => ({
    inputs: { x: plain(n, per(n)) },
    attrs: { axis: 0 },
    elements: per(n) * n,
  })),
  ...[1024, 8].map((n) =>
    sweep(`argMax of ${n} a column, columns`, "argMax", SMALL, (columns) => ({
      inputs: { x: plain(per(n * columns), n, columns) },
      attrs: { axis: 1 },
      elements: per(n * columns) * n * columns,
    })),
  ),
  sweep("topK of n", "topK", SMALL, (n) => ({ ...rowsOf(n), attrs: { k: 1 } })),
  sweep("topK k", "topK", [1, 2, 3, 4, 8, 16, 32, 64], (k) => ({ ...rowsOf(256), attrs: { k } })),
  ...both("cumsum, last axis", "cumsum", SMALL, (n) => ({ ...rowsOf(n), attrs: { axis: 1 } })),
  sweep("cumsum, leading axis of rows", "cumsum", SMALL, (n) => ({ ...rowsOf(n), attrs: { axis: 0 } })),
  sweep("concat, last axis", "concat", SMALL, (n) => ({
    inputs: { 0: plain(per(n), n), 1: plain(per(n), n) },
    attrs: { axis: 1 },
    elements: 2 * per(n) * n,
  })),
  sweep("slice, last axis", "slice", SMALL, (n) => ({
    inputs: { x: plain(per(n), n + 1) },
    attrs: { begin: [0, 1], size: [per(n), n] },
    elements: per(n) * n,
  })),
  sweep("pad, last axis", "pad", SMALL, (n) => ({
    ...rowsOf(n),
    attrs: {
      paddings: [
        [0, 0],
        [1, 1],
      ],
    },
  })),
  sweep("tile, last axis", "tile", SMALL, (n) => ({ ...rowsOf(n), attrs: { reps: [1, 2] } })),
  sweep("reverse, last axis", "reverse", SMALL, (n) => ({ ...rowsOf(n), attrs: { axes: [1] } })),
  sweep("transpose of two", "transpose", SMALL, (n) => ({ ...rowsOf(n), attrs: { perm: [1, 0] } })),
  sweep("transpose, last axis kept", "transpose", SMALL, (n) => ({
    inputs: { x: plain(16, per(16 * n), n) },
    attrs: { perm: [1, 0, 2] },
    elements: per(16 * n) * 16 * n,
  })),
  ...both("gather rows", "gather", SMALL, (n) => ({
    inputs: { x: plain(100, n), indices: { shape: [per(n)], ints: true, low: 0, high: 100 } },
    attrs: { axis: 0 },
    elements: per(n) * (n + 2),
  })),
  ...both("segmentSum rows", "segmentSum", SMALL, (n) => ({
    inputs: { x: plain(per(n), n), ids: { shape: [per(n)], ints: true, low: 0, high: 100 } },
    attrs: { count: 100 },
    elements: per(n) * (n + 2),
  })),
];

const UNARY =
  "neg abs sign floor round exp log expm1 log1p sqrt rsqrt square reciprocal sigmoid tanh softplus relu silu gelu sin cos erf".split(
    " ",
  );
const BINARY = "add mul sub div greater equal maximum minimum pow".split(" ");
/** One size, to see what an element costs. */
const elementwise: Sweep[] = [UNARY, BINARY].flatMap((ops) =>
  ops.map((op): Sweep => {
    const x = { shape: [TOTAL], low: 0.1, high: 4 };
    const inputs: Record<string, Argument> = ops === UNARY ? { x } : { a: x, b: x };
    return { title: `${op} of a vector`, op, gradient: false, points: [{ size: TOTAL, inputs, elements: TOTAL }] };
  }),
);

export const sweeps: readonly Sweep[] = [...scans, ...transforms, ...dense, ...shapes, ...elementwise];
