import { sampleSettings, sampleToken, type SampleSettings } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import type { Draw, OpCase } from "./opCase.ts";

interface Situation {
  readonly b?: number;
  readonly v: number;
  readonly settings?: SampleSettings;
  /** Some tokens were there before. */
  readonly counted?: boolean;
  /** Logits of one row instead of drawn ones. */
  readonly row?: (draw: Draw) => readonly number[];
  /** Spread of the logits. */
  readonly std?: number;
}

const exact = {
  forward: 0,
  backward: 0,
  reason: "weights are whole numbers, so sums are exact and every choice is the same everywhere",
};

function sampleCase(name: string, { b = 4, v, settings = {}, counted = false, row, std = 3 }: Situation): OpCase {
  const spread = (values: readonly number[], width: number): NdArray =>
    ndarray(
      [b, width],
      Float64Array.from({ length: b * width }, (_, i) => values[i % width]!),
    );
  return {
    op: sampleToken,
    name,
    make: (draw) => ({
      logits: row ? spread(row(draw), v) : draw.normal([b, v], std),
      settings: spread([...sampleSettings(settings)], 8),
      random: draw.integers([b, 4], 2 ** 24), // within what a read of float32 values tells exactly
      id: draw.integers([b], v),
      ...(counted ? { counts: countsOf(draw, b, v) } : {}),
    }),
    bound: exact,
    scale: "peak",
  };
}

/** A third of the tokens was generated up to three times; some stood in the prompt. */
function countsOf(draw: Draw, b: number, v: number): NdArray {
  const { data } = draw.integers([b, v], 12);
  return ndarray(
    [b, v],
    data.map((x) => (x < 4 ? x : x === 4 ? 2 ** 30 : x === 5 ? 2 ** 30 + 2 : 0)),
  );
}

const ties = (draw: Draw, v: number): number[] => [...draw.integers([v], 5).data];

export const sampleTokenCases: readonly OpCase[] = [
  sampleCase("one token", { v: 1 }),
  sampleCase("greedy", { v: 1000, settings: { temperature: 0 } }),
  sampleCase("greedy, the lowest id of equals", {
    v: 700,
    settings: { temperature: 0 },
    row: (draw) => ties(draw, 700),
  }),
  sampleCase("plain", { v: 257 }),
  sampleCase("hot", { v: 1000, settings: { temperature: 3 } }),
  sampleCase("cold", { v: 1000, settings: { temperature: 0.05 } }),
  sampleCase("flat", { b: 8, v: 1013, std: 0 }),
  sampleCase("top-k", { b: 8, v: 1000, settings: { topK: 7, temperature: 2 } }),
  sampleCase("top-k of equals", { b: 8, v: 300, settings: { topK: 3 }, row: (draw) => ties(draw, 300) }),
  sampleCase("top-k of all", { v: 31, settings: { topK: 31 } }),
  sampleCase("top-k beyond all", { v: 31, settings: { topK: 500 } }),
  sampleCase("top-k 1", { v: 500, settings: { topK: 1 } }),
  sampleCase("top-p", { b: 8, v: 1000, settings: { topP: 0.7, temperature: 2 } }),
  sampleCase("top-p of equals", { b: 8, v: 640, settings: { topP: 0.01 }, std: 0 }),
  sampleCase("top-p of groups of equals", { b: 8, v: 300, settings: { topP: 0.9 }, row: (draw) => ties(draw, 300) }),
  sampleCase("top-p next to nothing", { v: 500, settings: { topP: 1e-12 } }),
  sampleCase("min-p", { b: 8, v: 1000, settings: { minP: 0.2, temperature: 2 } }),
  sampleCase("min-p 1", { v: 500, settings: { minP: 1 } }),
  sampleCase("all of them", { b: 8, v: 2000, settings: { temperature: 1.5, topK: 50, topP: 0.8, minP: 0.05 } }),
  sampleCase("penalties", {
    b: 8,
    v: 600,
    counted: true,
    settings: { repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.25, topK: 40 },
  }),
  sampleCase("greedy with penalties", {
    v: 600,
    counted: true,
    settings: { temperature: 0, repetitionPenalty: 1.5, frequencyPenalty: 1 },
  }),
  sampleCase("banned tokens", {
    v: 100,
    settings: { topP: 0.95 },
    row: (draw) => [...draw.normal([100]).data].map((x, i) => (i % 2 === 0 ? Number.NEGATIVE_INFINITY : x)),
  }),
  sampleCase("signed zeros", {
    v: 64,
    settings: { topK: 5 },
    row: () => Array.from({ length: 64 }, (_, i) => (i % 2 ? 0 : -0)),
  }),
  sampleCase("NaN", { v: 300, row: (draw) => [...draw.normal([300]).data].with(299, Number.NaN) }),
  sampleCase("infinite", { v: 300, row: (draw) => [...draw.normal([300]).data].with(7, Number.POSITIVE_INFINITY) }),
  sampleCase("nothing left", { v: 70, row: () => Array.from({ length: 70 }, () => Number.NEGATIVE_INFINITY) }),
  sampleCase("a large vocabulary", { b: 1, v: 50280, settings: { topP: 0.9, temperature: 0.8 } }),
  {
    ...sampleCase("log probability", { v: 400, settings: { topK: 20 } }),
    attrs: { logprob: true },
    bound: {
      forward: 16,
      backward: 0,
      reason: "the choice is exact; the log probability ends in an exponential, a sum and a logarithm of some ulp each",
    },
  },
];
