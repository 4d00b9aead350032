import { setBackend, sum, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import { opTable, roomOf, type AnyOp } from "@statespace/core/backend";
import { cast } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { Draw, upload } from "../cases/opCase.ts";

type Arrays = Readonly<Record<string, NdArray>>;
interface Shape {
  readonly make: (draw: Draw) => Arrays;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

const big = [1024, 1024] as const;
const x = (draw: Draw): Arrays => ({ x: draw.uniform(big, 0.1, 0.9) });
const along = { axes: [1], keepDims: false };

/** A selective scan's arguments, of a whole sequence or of one token. */
const scan = (draw: Draw, l: readonly number[]): Arrays => ({
  u: draw.normal([1, ...l, 1536]),
  delta: draw.uniform([1, ...l, 1536], 0.01, 0.1),
  A: draw.uniform([1536, 16], -2, -0.05),
  B: draw.normal([1, ...l, 16]),
  C: draw.normal([1, ...l, 16]),
});
const ssd = (draw: Draw, l: readonly number[]): Arrays => ({
  x: draw.normal([1, ...l, 24, 64]),
  dt: draw.uniform([1, ...l, 24], 0.01, 0.1),
  A: draw.uniform([24], -2, -0.05),
  B: draw.normal([1, ...l, 1, 128]),
  C: draw.normal([1, ...l, 1, 128]),
});
const mamba3 = (draw: Draw, l: readonly number[]): Arrays => ({
  q: draw.normal([1, ...l, 12, 1, 64]),
  k: draw.normal([1, ...l, 12, 1, 64]),
  v: draw.normal([1, ...l, 12, 1, 64]),
  adt: draw.uniform([1, ...l, 12], -0.2, -0.01),
  dt: draw.uniform([1, ...l, 12], 0.01, 0.1),
  trap: draw.normal([1, ...l, 12]),
});
const delta = (draw: Draw, l: readonly number[]): Arrays => ({
  q: draw.normal([1, ...l, 12, 64], 0.1),
  k: draw.normal([1, ...l, 12, 64], 0.1),
  v: draw.normal([1, ...l, 12, 64]),
  g: draw.uniform([1, ...l, 12], -0.2, -0.01),
  beta: draw.uniform([1, ...l, 12], 0.1, 0.9),
});
const attention = (draw: Draw, l: readonly number[]): Arrays => ({
  q: draw.normal([1, ...l, 12, 64]),
  k: draw.normal([1, ...l, 12, 64]),
  v: draw.normal([1, ...l, 12, 64]),
});
const poles = (draw: Draw): NdArray => draw.uniform([64, 32, 2], -1, -0.1);

/** Shapes of a model of 130 million weights, or a million elements. Ops that give nothing back but change what they are given are not timed. */
const SHAPES: Readonly<Record<string, Shape>> = {
  transpose: { make: x, attrs: { perm: [1, 0] } },
  reverse: { make: x, attrs: { axes: [1] } },
  tile: { make: x, attrs: { reps: [2, 1] } },
  cast: { make: x, attrs: { dtype: "int32" } },
  where: { make: (draw) => ({ condition: draw.integers(big, 2), t: draw.normal(big), e: draw.normal(big) }) },
  full: { make: () => ({}), attrs: { shape: big, value: 1, dtype: "float32" } },
  slice: { make: x, attrs: { begin: [0, 256], size: [1024, 512] } },
  pad: {
    make: x,
    attrs: {
      paddings: [
        [0, 0],
        [1, 1],
      ],
      value: 0,
    },
  },
  concat: { make: (draw) => ({ 0: draw.normal(big), 1: draw.normal(big) }), attrs: { axis: 0 } },
  sum: { make: x, attrs: along },
  max: { make: x, attrs: along },
  min: { make: x, attrs: along },
  argMax: { make: x, attrs: { axis: 1 } },
  softmax: { make: x },
  cumsum: { make: x, attrs: { axis: 1 } },
  sumSquares: { make: x },
  squaredNorm: { make: (draw) => ({ 0: draw.normal(big), 1: draw.normal([768]), 2: draw.normal(big) }) },
  topK: { make: x, attrs: { k: 16 } },
  gather: { make: (draw) => ({ ...x(draw), indices: draw.integers([1024], 1024) }), attrs: { axis: 0 } },
  oneHot: { make: (draw) => ({ indices: draw.integers([1024], 1024) }), attrs: { depth: 1024 } },
  segmentSum: { make: (draw) => ({ ...x(draw), ids: draw.integers([1024], 64) }), attrs: { count: 64 } },
  matMul: { make: (draw) => ({ a: draw.normal([1, 512, 768]), b: draw.normal([1, 768, 768]) }) },
  linear: { make: (draw) => ({ x: draw.normal([512, 768]), weight: draw.normal([3072, 768], 0.05) }) },
  expertLinear: {
    make: (draw) => ({
      x: draw.normal([128, 512]),
      weight: draw.normal([16, 512, 512], 0.05),
      ids: draw.integers([128, 2], 16),
    }),
  },
  embedding: { make: (draw) => ({ weight: draw.normal([8192, 768]), ids: draw.integers([1, 512], 8192) }) },
  crossEntropy: { make: (draw) => ({ logits: draw.normal([512, 8192]), targets: draw.integers([512], 8192) }) },
  layerNorm: {
    make: (draw) => ({ x: draw.normal([2048, 768]), weight: draw.normal([768]), bias: draw.normal([768]) }),
  },
  rmsNorm: { make: (draw) => ({ x: draw.normal([2048, 768]), weight: draw.normal([768]) }) },
  causalConv1d: {
    make: (draw) => ({ x: draw.normal([1, 2048, 1536]), weight: draw.normal([1536, 4]) }),
    attrs: { silu: true },
  },
  causalConv1dStep: {
    make: (draw) => ({ x: draw.normal([1, 1536]), weight: draw.normal([1536, 4]), state: draw.normal([1, 3, 1536]) }),
  },
  causalAttention: { make: (draw) => attention(draw, [512]) },
  causalAttentionStep: {
    make: (draw) => ({
      ...attention(draw, []),
      keys: draw.normal([1, 512, 12, 64]),
      values: draw.normal([1, 512, 12, 64]),
      position: ndarray([1], [100]),
    }),
  },
  selectiveScan: { make: (draw) => scan(draw, [512]) },
  selectiveScanStep: { make: (draw) => ({ ...scan(draw, []), state: draw.normal([1, 1536, 16]) }) },
  ssdScan: { make: (draw) => ssd(draw, [512]) },
  ssdScanStep: { make: (draw) => ({ ...ssd(draw, []), state: draw.normal([1, 24, 64, 128]) }) },
  mamba3Scan: { make: (draw) => mamba3(draw, [256]) },
  mamba3ScanStep: {
    make: (draw) => ({
      ...mamba3(draw, []),
      state: draw.normal([1, 12, 64, 64]),
      lastK: draw.normal([1, 12, 1, 64]),
      lastV: draw.normal([1, 12, 1, 64]),
    }),
  },
  gatedDeltaRule: { make: (draw) => delta(draw, [256]) },
  gatedDeltaRuleStep: { make: (draw) => ({ ...delta(draw, []), state: draw.normal([1, 12, 64, 64]) }) },
  diagonalScan: { make: (draw) => ({ Bu: draw.normal([1, 512, 64, 2]), ABar: draw.uniform([64, 2], 0.1, 0.6) }) },
  fftConv: { make: (draw) => ({ u: draw.normal([1, 2048, 256]), k: draw.normal([256, 2048], 0.1) }) },
  cauchy: { make: (draw) => ({ v: draw.normal([64, 32, 2]), w: poles(draw), z: draw.uniform([512, 2], 0.1, 1) }) },
  vandermonde: { make: (draw) => ({ C: draw.normal([64, 32, 2]), logABar: poles(draw) }), attrs: { seqLen: 1024 } },
  toHalves: { make: x },
  fromHalves: { make: (draw) => ({ x: draw.integers(big, 2 ** 30) }) },
  inverseRealFft: { make: (draw) => ({ x: draw.normal([64, 513, 2]) }), attrs: { seqLen: 1024 } },
};

function shapeOf({ spec }: AnyOp): Shape | undefined {
  const names = Object.keys(spec.inputs);
  const truth = /^logical/.test(spec.name);
  const room = roomOf(spec);
  if (spec.name === "clip") return { make: x, attrs: { min: 0.2, max: 0.8 } };
  if (room !== "unary" && room !== "binary") return SHAPES[spec.name];
  const make = (draw: Draw): NdArray => (truth ? draw.integers(big, 2) : draw.uniform(big, 0.1, 0.9));
  return { make: (draw) => Object.fromEntries(names.map((name) => [name, make(draw)])) };
}

/** Milliseconds of an op at its shapes. */
export interface OpSpeed {
  readonly op: string;
  readonly backend: string;
  /** `x [1024, 1024]`, `u [1, 512, 1536], ...`. */
  readonly what: string;
  /** The least of the rounds, which other work on the machine disturbs least: forward; then forward and gradient together, where it has one. */
  readonly ms: readonly number[];
}

const WARM_UP = { runs: 3, ms: 300 };
const ROUNDS = { runs: 7, ms: 3000 };

async function least(run: () => Promise<void>): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < WARM_UP.runs || performance.now() - from < WARM_UP.ms; i++) {
    await run();
    if (performance.now() - from > ROUNDS.ms) break;
  }
  const times: number[] = [];
  const start = performance.now();
  while (times.length < ROUNDS.runs && (times.length === 0 || performance.now() - start < ROUNDS.ms)) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  return Math.min(...times);
}

/** Reads one number back, so that what was asked for has been computed. */
async function settle(made: Tensor): Promise<void> {
  const one = tidy(() => sum(made.dtype === "bool" ? cast(made, "int32") : made));
  await one.data();
  one.dispose();
}

/** The ops that are timed. */
export const timedOps: readonly string[] = Object.entries(opTable)
  .filter(([, op]) => shapeOf(op) !== undefined)
  .map(([name]) => name);

/** Ops on a backend, forward, and forward with gradient. Reading a sum back is part of each time. */
export async function* opSpeeds(
  backend: string,
  names: readonly string[] = timedOps,
): AsyncGenerator<OpSpeed, void, undefined> {
  await setBackend(backend);
  for (const name of names) {
    const op = opTable[name]!;
    const shape = shapeOf(op)!;
    const arrays = shape.make(new Draw(1));
    const inputs = upload({ op }, arrays);
    const forward = (): Tensor => Object.values(op.run(inputs, shape.attrs) as Record<string, Tensor>)[0]!;
    const ms = [
      await least(async () => {
        const y = tidy(forward);
        await settle(y);
        y.dispose();
      }),
    ];
    const wanted = op.spec.differentiable.map((input) => inputs[input]).filter((t) => t !== undefined);
    if (wanted.length > 0)
      ms.push(
        await least(async () => {
          const { value, grads } = valueAndGrads(() => sum(forward()), wanted);
          await settle(grads[0] ?? value);
          for (const t of [value, ...grads]) t?.dispose();
        }),
      );
    for (const t of Object.values(inputs)) t.dispose();
    const what = Object.entries(arrays).map(([input, { shape: own }]) => `${input} [${own.join(", ")}]`);
    yield { op: name, backend, what: what.join(", "), ms };
  }
}
