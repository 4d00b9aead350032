import { ndarray, type NdArray } from "@statespace/core/math";
import type { Dice } from "./dice.ts";
import { asStep, RECURRENCE, tokens, type Drawn, type Recipe } from "./recipe.ts";

function selectiveScan(dice: Dice, step = false): Drawn {
  const [b, l, n, g] = [dice.sizeOrNone(3), tokens(dice, step), dice.sizeOrNone(17), dice.choice([1, 2, 3])];
  const grouped = dice.flip(0.3);
  const d = g * dice.size(9);
  const selective = grouped ? [b, l, g, n] : [b, l, n];
  const deltaSoftplus = dice.flip(0.7);
  return {
    inputs: {
      u: dice.values([b, l, d]),
      delta: deltaSoftplus ? dice.normal([b, l, d], dice.choice([0.5, 0.5, 5])) : dice.uniform([b, l, d], 0, 0.5),
      A: dice.uniform([d, n], -2, -0.05),
      B: dice.values(selective),
      C: dice.values(selective),
      D: dice.normal([d]),
      z: dice.normal([b, l, d]),
      deltaBias: deltaSoftplus ? dice.normal([d], 0.1, -1) : dice.uniform([d], 0, 0.1),
      initialState: dice.values([b, d, n]),
      seqIdx: dice.boundaries([b, l], 0.15),
    },
    attrs: { deltaSoftplus, returnLastState: dice.flip() },
    signed: ["delta", "A", "deltaBias"],
    bound: RECURRENCE,
  };
}

function ssdScan(dice: Dice, step = false): Drawn {
  const [b, l, p, n, g] = [
    dice.sizeOrNone(3),
    tokens(dice, step),
    dice.sizeOrNone(9),
    dice.sizeOrNone(17),
    dice.size(2),
  ];
  const h = g * dice.size(3);
  const dtSoftplus = dice.flip(0.7);
  return {
    inputs: {
      x: dice.values([b, l, h, p]),
      // Without softplus not where it is clamped, at 0.
      dt: dtSoftplus ? dice.normal([b, l, h], dice.choice([0.5, 0.5, 5])) : dice.uniform([b, l, h], 1e-3, 0.5),
      A: dice.uniform([h], dice.choice([-1, -1, -20]), -0.02),
      B: dice.values([b, l, g, n]),
      C: dice.values([b, l, g, n]),
      D: dice.normal(dice.flip() ? [h] : [h, p]),
      z: dice.normal([b, l, h, p]),
      dtBias: dtSoftplus ? dice.normal([h], 0.1, -1) : dice.uniform([h], 0, 0.1),
      initialState: dice.values([b, h, p, n]),
      seqIdx: dice.boundaries([b, l], 0.15),
    },
    attrs: { dtSoftplus, returnLastState: dice.flip(), chunkSize: dice.choice([1, 7, 16, 64, 128]) },
    signed: ["dt", "A", "dtBias"],
    bound: {
      ...RECURRENCE,
      forward: 256,
      reason: `${RECURRENCE.reason}; a decay errs by as many units as its exponent, down to -87, which is a running sum`,
    },
  };
}

function mamba3Scan(dice: Dice, step = false): Drawn {
  const [b, l, h, r] = [dice.sizeOrNone(3), tokens(dice, step, 65), dice.size(3), dice.choice([1, 1, 2, 4])];
  const [p, n] = [dice.sizeOrNone(9), dice.sizeOrNone(17)];
  return {
    inputs: {
      q: dice.values([b, l, h, r, n]),
      k: dice.values([b, l, h, r, n]),
      v: dice.values([b, l, h, r, p]),
      adt: dice.uniform([b, l, h], -0.3, 0),
      dt: dice.uniform([b, l, h], 0.01, 0.5),
      trap: dice.normal([b, l, h]),
      D: dice.normal([h]),
      z: dice.normal([b, l, h, r, p]),
      initialState: dice.values([b, h, p, n]),
      initialK: dice.values([b, h, r, n]),
      initialV: dice.values([b, h, r, p]),
      seqIdx: dice.boundaries([b, l], 0.15),
    },
    attrs: { returnLastState: dice.flip(), chunkSize: dice.choice([1, 7, 16, 64]) },
    signed: ["adt", "trap"],
    bound: RECURRENCE,
    together: [["initialState", "initialK", "initialV"]],
  };
}

function causalConv1d(dice: Dice, step = false): Drawn {
  const [b, l, d, k] = [dice.sizeOrNone(3), tokens(dice, step), dice.sizeOrNone(33), dice.choice([1, 2, 3, 4, 4, 7])];
  const silu = dice.flip();
  // Between large values silu is a kink.
  const draw = (shape: readonly number[]): NdArray => (silu ? dice.normal(shape) : dice.values(shape));
  return {
    inputs: {
      x: draw([b, l, d]),
      weight: draw([d, k]),
      bias: draw([d]),
      initialState: draw([b, k - 1, d]),
      seqIdx: dice.boundaries([b, l], 0.2),
    },
    attrs: { silu, returnLastState: dice.flip() },
    bound: {
      forward: 2 * k + 10,
      backward: 128,
      cancels: 32,
      differences: 1e-6,
      reason: "k products and sums and a silu; a gradient of the weight sums over all tokens",
    },
  };
}

/** Pairs (re, im) of radius and phase. */
function polar(dice: Dice, shape: readonly number[], low: number, high: number): NdArray {
  const radius = dice.uniform(shape, low, high).data;
  const phase = dice.uniform(shape, -Math.PI, Math.PI).data;
  return ndarray(
    [...shape, 2],
    Float64Array.from({ length: 2 * radius.length }, (_, i) =>
      Math.fround(radius[i >> 1]! * (i % 2 === 0 ? Math.cos(phase[i >> 1]!) : Math.sin(phase[i >> 1]!))),
    ),
  );
}

const pairs = (shape: readonly number[], of: (i: number, im: boolean) => number): NdArray =>
  ndarray(
    [...shape, 2],
    Float64Array.from({ length: 2 * shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(of(i >> 1, i % 2 === 1))),
  );

/** How cases of scans, their steps, and long filters are drawn. */
export const sequenceRecipes: Readonly<Record<string, Recipe>> = {
  selectiveScan: (dice) => selectiveScan(dice),
  selectiveScanStep: (dice) => asStep(selectiveScan(dice, true), { initialState: "state" }, ["deltaSoftplus"]),
  ssdScan: (dice) => ssdScan(dice),
  ssdScanStep: (dice) => asStep(ssdScan(dice, true), { initialState: "state" }, ["dtSoftplus"]),
  mamba3Scan: (dice) => mamba3Scan(dice),
  mamba3ScanStep: (dice) =>
    asStep(mamba3Scan(dice, true), { initialState: "state", initialK: "lastK", initialV: "lastV" }, []),
  causalConv1d: (dice) => causalConv1d(dice),
  causalConv1dStep: (dice) => asStep(causalConv1d(dice, true), { initialState: "state" }, ["silu"]),
  diagonalScan: (dice) => {
    const [b, l, n] = [dice.sizeOrNone(3), dice.sizeOrNone(129), dice.sizeOrNone(17)];
    return {
      inputs: {
        Bu: dice.values([b, l, n, 2]),
        ABar: polar(dice, dice.flip() ? [n] : [b, l, n], 0.3, 0.99),
        initialState: dice.values([b, n, 2]),
      },
      attrs: { reverse: dice.flip(), returnLastState: dice.flip() },
      scale: "peak",
      bound: {
        forward: 128,
        backward: 512,
        cancels: 32,
        differences: 1e-6,
        reason:
          "a complex product and sum a token, whose roundings add up while the state lasts; against the largest state",
      },
    };
  },
  fftConv: (dice) => {
    const [b, l, d, m] = [dice.sizeOrNone(5), dice.sizeOrNone(129), dice.sizeOrNone(7), dice.sizeOrNone(129)];
    return {
      inputs: { u: dice.normal([b, l, d]), k: dice.normal([d, m], 1 / Math.sqrt(m + 1)), D: dice.normal([d]) },
      scale: "peak",
      bound: {
        forward: 96,
        backward: 256,
        cancels: 64,
        differences: 1e-6,
        reason:
          "three transforms of log2(size) passes each, whose roundings spread over the whole row: against the largest output",
      },
    };
  },
  inverseRealFft: (dice) => {
    const [h, l] = [dice.sizeOrNone(17), dice.size(129)];
    return {
      inputs: { x: dice.normal([h, Math.floor(l / 2) + 1, 2]) },
      attrs: { seqLen: l },
      scale: "peak",
      bound: {
        forward: 16 + 16 * Math.log2(l + 1),
        backward: 64 + 16 * Math.log2(l + 1),
        cancels: 32,
        reason:
          "log2(l) passes (three transforms of twice the length where l is no power of two), whose roundings spread over the row",
      },
    };
  },
  cauchy: (dice) => {
    const [h, n, l] = [dice.sizeOrNone(9), dice.sizeOrNone(33), dice.sizeOrNone(65)];
    const [re, im] = [dice.uniform([h * n], -0.2, -0.02).data, dice.uniform([h * n], -3, 0).data];
    return {
      inputs: {
        v: dice.normal([h, n, 2]),
        w: pairs([h, n], (i, imaginary) => (imaginary ? im[i]! : re[i]!)),
        z: pairs([l], (i, imaginary) => (imaginary ? 2 * Math.tan((Math.PI * i) / (2 * l + 1)) : 0)),
      },
      scale: "peak",
      bound: {
        forward: 64 + 8 * Math.sqrt(n),
        backward: 512 + 32 * Math.sqrt(n),
        cancels: 32,
        differences: 1e-5,
        reason: "z - w cancels where a node passes a pole, and the reciprocal's error grows by as much; n terms add up",
      },
    };
  },
  vandermonde: (dice) => {
    const [h, n, l] = [dice.sizeOrNone(9), dice.sizeOrNone(17), dice.size(129)];
    const step = dice.choice([0.1, 0.01]);
    return {
      inputs: {
        C: dice.normal([h, n, 2]),
        logABar: pairs([h, n], (i, imaginary) => step * (imaginary ? Math.PI * (i % Math.max(1, n)) : -0.5)),
      },
      attrs: { seqLen: l },
      scale: "peak",
      bound: {
        forward: 64 + 4 * l,
        backward: 256 + 16 * l,
        cancels: 64,
        differences: 1e-5,
        reason:
          "a phase t im(logABar) rounded once in float32 errs by as many units as it has radians; sines and sums add the rest",
      },
    };
  },
};
