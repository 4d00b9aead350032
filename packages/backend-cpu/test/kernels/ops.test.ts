import { causalConv1d, embedding, linear, Rng, rmsNorm, selectiveScan, setBackend } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import {
  adamW,
  causalConv1dStep,
  copy,
  crossEntropy,
  layerNorm,
  selectiveScanStep,
  sumSquares,
} from "@statespace/core/ops";
import { beforeAll, describe, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { expectForward, expectGradients, int32, random, type Call } from "../opHarness.ts";

beforeAll(() => setBackend(cpuBackend()));

/** Sums run in f64 here, so one rounding to f32 at the end is what is left: 2^-24 of the largest output, doubled for a state that is stored between tokens. */
const FORWARD = 2 ** -23;
/** Gradients are rounded once too; a few run over values that forward rounded (states, softmax), each adding its half ulp. */
const GRADIENT = 2 ** -21;

function both(name: string, call: Call, through?: readonly string[]): void {
  it(`${name}: forward`, () => expectForward(call, FORWARD));
  it(`${name}: gradients`, () => expectGradients(call, GRADIENT, through));
}

const rng = new Rng(7);

describe("linear", () => {
  for (const [lead, k, n] of [
    [[], 5, 3],
    [[1], 1, 1],
    [[2, 3], 7, 5],
    [[4], 32, 8],
    [[9], 33, 13],
  ] as const) {
    both(`[${lead}, ${k}] -> ${n}`, {
      op: linear,
      floats: { x: random(rng, [...lead, k]), weight: random(rng, [n, k]), bias: random(rng, [n]) },
    });
  }
  both("without bias", { op: linear, floats: { x: random(rng, [3, 4]), weight: random(rng, [2, 4]) } });
});

describe("embedding", () => {
  both("repeated ids add up", {
    op: embedding,
    floats: { weight: random(rng, [5, 3]) },
    ints: { ids: int32([2, 3], [0, 4, 4, 1, 4, 0]) },
  });
  both("one id without axes", {
    op: embedding,
    floats: { weight: random(rng, [2, 4]) },
    ints: { ids: int32([], [1]) },
  });
});

describe("rmsNorm", () => {
  const floats = { x: random(rng, [2, 3, 8]), weight: random(rng, [8]), z: random(rng, [2, 3, 8], -3, 3) };
  both("plain", { op: rmsNorm, floats: { x: floats.x, weight: floats.weight } });
  both("without weight", { op: rmsNorm, floats: { x: floats.x } });
  both("one element", { op: rmsNorm, floats: { x: random(rng, [1, 1], 1, 2), weight: random(rng, [1]) } });
  for (const normBeforeGate of [false, true]) {
    for (const groupSize of [0, 4, 1])
      both(`gated, normBeforeGate ${normBeforeGate}, groupSize ${groupSize}`, {
        op: rmsNorm,
        floats,
        attrs: { normBeforeGate, groupSize, eps: 1e-3 },
      });
    both(`gated without weight, normBeforeGate ${normBeforeGate}`, {
      op: rmsNorm,
      floats: { x: floats.x, z: floats.z },
      attrs: { normBeforeGate },
    });
  }
});

describe("layerNorm", () => {
  const x = random(rng, [3, 6]);
  both("weight and bias", { op: layerNorm, floats: { x, weight: random(rng, [6]), bias: random(rng, [6]) } });
  both("neither", { op: layerNorm, floats: { x } });
  both("bias alone", { op: layerNorm, floats: { x, bias: random(rng, [6]) } });
});

describe("causalConv1d", () => {
  const make = (b: number, l: number, d: number, k: number): NdArrays => ({
    x: random(rng, [b, l, d]),
    weight: random(rng, [d, k]),
    bias: random(rng, [d]),
    initialState: random(rng, [b, k - 1, d]),
  });
  for (const silu of [false, true]) {
    const attrs = { silu, returnLastState: true };
    both(`silu ${silu}`, { op: causalConv1d, floats: make(2, 7, 3, 4), attrs });
    both(`silu ${silu}, l < k - 1`, { op: causalConv1d, floats: make(2, 2, 3, 5), attrs });
    both(`silu ${silu}, one tap`, {
      op: causalConv1d,
      floats: { x: random(rng, [1, 3, 2]), weight: random(rng, [2, 1]) },
      attrs: { silu },
    });
    both(`silu ${silu}, packed sequences`, {
      op: causalConv1d,
      floats: make(2, 7, 3, 4),
      ints: { seqIdx: int32([2, 7], [0, 0, 1, 1, 1, 1, 2, 5, 5, 5, 5, 5, 5, 5]) },
      attrs,
    });
    both(`silu ${silu}, an id that comes back starts anew`, {
      op: causalConv1d,
      floats: make(1, 5, 2, 4),
      ints: { seqIdx: int32([1, 5], [0, 0, 1, 0, 0]) },
      attrs,
    });
  }
  both("no bias, no state", { op: causalConv1d, floats: { x: random(rng, [1, 5, 2]), weight: random(rng, [2, 3]) } });
  both(
    "only lastState reaches the loss",
    { op: causalConv1d, floats: make(1, 5, 2, 4), attrs: { silu: true, returnLastState: true } },
    ["lastState"],
  );
  for (const k of [1, 2, 4]) {
    it(`step, k = ${k}`, () =>
      expectForward(
        {
          op: causalConv1dStep,
          floats: {
            x: random(rng, [2, 3]),
            state: random(rng, [2, k - 1, 3]),
            weight: random(rng, [3, k]),
            bias: random(rng, [3]),
          },
          attrs: { silu: true },
        },
        FORWARD,
      ));
  }
});

describe("selectiveScan", () => {
  const make = (b: number, l: number, d: number, n: number, g?: number): NdArrays => {
    const bc = g === undefined ? [b, l, n] : [b, l, g, n];
    return {
      u: random(rng, [b, l, d]),
      delta: random(rng, [b, l, d], -1, 1),
      A: random(rng, [d, n], -2, -0.1),
      B: random(rng, bc),
      C: random(rng, bc),
      D: random(rng, [d]),
      z: random(rng, [b, l, d], -2, 2),
      deltaBias: random(rng, [d]),
      initialState: random(rng, [b, d, n]),
    };
  };
  const attrs = { deltaSoftplus: true, returnLastState: true };
  both("everything", { op: selectiveScan, floats: make(2, 6, 4, 3), attrs });
  both("groups", { op: selectiveScan, floats: make(2, 4, 6, 2, 3), attrs });
  both("one of everything", { op: selectiveScan, floats: make(1, 1, 1, 1), attrs });
  both("packed sequences", {
    op: selectiveScan,
    floats: make(2, 6, 2, 2),
    ints: { seqIdx: int32([2, 6], [0, 0, 1, 1, 0, 0, 3, 3, 3, 3, 3, 4]) },
    attrs,
  });
  both("only lastState reaches the loss", { op: selectiveScan, floats: make(1, 4, 2, 2), attrs }, ["lastState"]);
  const { u, A, B, C } = make(1, 5, 3, 2);
  both("bare", { op: selectiveScan, floats: { u: u!, delta: random(rng, [1, 5, 3], 0.01, 1), A: A!, B: B!, C: C! } });
  for (const g of [undefined, 2]) {
    const bc = g === undefined ? [2, 3] : [2, g, 3];
    const floats = {
      state: random(rng, [2, 4, 3]),
      u: random(rng, [2, 4]),
      delta: random(rng, [2, 4]),
      A: random(rng, [4, 3], -2, -0.1),
      B: random(rng, bc),
      C: random(rng, bc),
      D: random(rng, [4]),
      z: random(rng, [2, 4]),
      deltaBias: random(rng, [4]),
    };
    it(`step, groups ${g ?? "none"}`, () =>
      expectForward({ op: selectiveScanStep, floats, attrs: { deltaSoftplus: true } }, FORWARD));
  }
});

describe("crossEntropy", () => {
  const logits = random(rng, [2, 3, 5], -8, 8);
  both("some ignored", {
    op: crossEntropy,
    floats: { logits },
    ints: { targets: int32([2, 3], [0, -100, 4, 2, 2, -100]) },
  });
  both("all ignored", {
    op: crossEntropy,
    floats: { logits },
    ints: { targets: int32([2, 3], [-1, -1, -1, -1, -1, -1]) },
    attrs: { ignoreIndex: -1 },
  });
  both("logits that overflow exp", {
    op: crossEntropy,
    floats: { logits: random(rng, [2, 4], 80, 300) },
    ints: { targets: int32([2], [1, 3]) },
  });
  both("one class", {
    op: crossEntropy,
    floats: { logits: random(rng, [3, 1]) },
    ints: { targets: int32([3], [0, 0, 0]) },
  });
});

describe("in place and reductions", () => {
  const hyper = { shape: [8], data: Float64Array.from([1e-2, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 0], Math.fround) };
  const weights = (): NdArrays => ({
    param: random(rng, [3, 4]),
    m: random(rng, [3, 4]),
    v: random(rng, [3, 4], 0, 1),
    grad: random(rng, [3, 4]),
    hyper,
  });
  it("adamW", () => expectForward({ op: adamW, floats: weights() }, FORWARD));
  it("adamW with gradScale", () =>
    expectForward({ op: adamW, floats: { ...weights(), gradScale: random(rng, []) } }, FORWARD));
  it("copy", () =>
    expectForward({ op: copy, floats: { destination: random(rng, [2, 3]), source: random(rng, [2, 3]) } }, FORWARD));
  it("sumSquares", () => expectForward({ op: sumSquares, floats: { x: random(rng, [7, 11]) } }, FORWARD));
});
