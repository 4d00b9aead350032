import { selectiveScan } from "@statespace/core";
import { selectiveScanStep } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import { values, type Draw, type OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly n: number;
  readonly g?: number;
}

interface Parts {
  readonly gate?: boolean;
  readonly skip?: boolean;
  readonly bias?: boolean;
  readonly state?: boolean;
  readonly packed?: boolean;
  readonly deltaScale?: number;
}

function scanInputs(draw: Draw, { b, l, d, n, g }: Size, parts: Parts): Record<string, NdArray> {
  const { gate = true, skip = true, bias = true, state = false, packed = false, deltaScale = 0.5 } = parts;
  const selective = g === undefined ? [b, l, n] : [b, l, g, n];
  return {
    u: draw.normal([b, l, d]),
    delta: draw.normal([b, l, d], deltaScale),
    A: draw.uniform([d, n], -2, -0.05),
    B: draw.normal(selective),
    C: draw.normal(selective),
    ...(skip ? { D: draw.normal([d]) } : {}),
    ...(gate ? { z: draw.normal([b, l, d]) } : {}),
    ...(bias ? { deltaBias: draw.normal([d], 0.1, -1) } : {}),
    ...(state ? { initialState: draw.normal([b, d, n]) } : {}),
    ...(packed ? { seqIdx: draw.boundaries([b, l], 0.15) } : {}),
  };
}

const bound = {
  forward: 64,
  backward: 256,
  reason:
    "each step of the recurrence adds two roundings and an exponential, of which WGSL allows 3 + 2|x| ulp; old ones decay with the state; gradients run through it twice",
};

function scanCase(name: string, size: Size, parts: Parts = {}, attrs: Record<string, unknown> = {}): OpCase {
  return {
    op: selectiveScan,
    name,
    attrs: { deltaSoftplus: true, returnLastState: true, ...attrs },
    make: (draw) => scanInputs(draw, size, parts),
    bound,
    signed: ["delta", "A", "deltaBias"],
  };
}

/** Edges of a chunked scan: around a chunk of 16, 64 and 256 tokens, primes, and single tokens. */
const lengths = [1, 2, 15, 16, 17, 31, 63, 64, 65, 101, 127, 255, 256, 257].map((l) =>
  scanCase(`l=${l}`, { b: 1, l, d: 3, n: 4 }, { state: l % 2 === 1 }),
);

/** Softplus arguments where a naive f32 log(1 + exp(x)) is wrong, overflows or changes branch. */
const SOFTPLUS_EDGES = [-40, -17, -15, -1, 0, 20, 21, 88.5, 89];

export const selectiveScanCases: readonly OpCase[] = [
  scanCase("tiny", { b: 1, l: 1, d: 1, n: 1 }, { gate: false, skip: false, bias: false }),
  scanCase("plain", { b: 2, l: 7, d: 3, n: 4 }, { gate: false, skip: false, bias: false }),
  scanCase("full", { b: 2, l: 40, d: 19, n: 16 }, { state: true }),
  scanCase("n=1", { b: 2, l: 20, d: 8, n: 1 }),
  scanCase("odd sizes", { b: 3, l: 67, d: 5, n: 7 }),
  scanCase("d=128 n=16", { b: 1, l: 33, d: 128, n: 16 }),
  scanCase("n=64", { b: 1, l: 12, d: 4, n: 64 }, { state: true }),
  scanCase("groups", { b: 2, l: 31, d: 12, n: 8, g: 3 }, { state: true }),
  scanCase("packed", { b: 2, l: 70, d: 6, n: 8 }, { packed: true, state: true }),
  scanCase("packed groups", { b: 1, l: 40, d: 8, n: 4, g: 2 }, { packed: true }),
  scanCase("large delta", { b: 1, l: 30, d: 4, n: 16 }, { deltaScale: 10 }),
  scanCase("no last state", { b: 2, l: 9, d: 4, n: 3 }, {}, { returnLastState: false }),
  {
    ...scanCase("delta as it is", { b: 1, l: 20, d: 4, n: 4 }, { bias: false }, { deltaSoftplus: false }),
    make: (draw) => ({
      ...scanInputs(draw, { b: 1, l: 20, d: 4, n: 4 }, { bias: false }),
      delta: draw.uniform([1, 20, 4], 0.001, 0.2),
    }),
  },
  {
    ...scanCase(
      "softplus edges",
      { b: 1, l: SOFTPLUS_EDGES.length, d: 1, n: 1 },
      { bias: false, gate: false, skip: false },
    ),
    make: (draw) => ({
      ...scanInputs(draw, { b: 1, l: SOFTPLUS_EDGES.length, d: 1, n: 1 }, { bias: false, gate: false, skip: false }),
      delta: values([1, SOFTPLUS_EDGES.length, 1], SOFTPLUS_EDGES),
      // With A this steep the state forgets at once, so that each y shows its own delta, however small.
      A: values([1, 1], [-1e18]),
    }),
  },
  ...lengths,
];

export const selectiveScanStepCases: readonly OpCase[] = (
  [
    ["one", { b: 1, l: 1, d: 1, n: 1 }],
    ["batch", { b: 4, l: 1, d: 24, n: 16 }],
    ["odd", { b: 1, l: 1, d: 7, n: 5 }],
    ["groups", { b: 2, l: 1, d: 12, n: 8, g: 3 }],
    ["wide", { b: 1, l: 1, d: 130, n: 16 }],
  ] as const
).map(([name, size]): OpCase => ({
  op: selectiveScanStep,
  name,
  attrs: { deltaSoftplus: true },
  make: (draw) => {
    const { initialState, ...rest } = scanInputs(draw, size, { state: true });
    const step = Object.fromEntries(
      Object.entries(rest).map(([key, x]) => [
        key,
        ["u", "delta", "B", "C", "z"].includes(key) ? { shape: x.shape.filter((_, i) => i !== 1), data: x.data } : x,
      ]),
    );
    return { state: initialState!, ...step };
  },
  bound,
  signed: ["delta", "A", "deltaBias"],
}));
