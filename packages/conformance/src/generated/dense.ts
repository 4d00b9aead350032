import { sampleSettings } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { values } from "../cases/opCase.ts";
import type { Dice } from "./dice.ts";
import { dot, type Recipe } from "./recipe.ts";

const NORM = "a mean over the row, a root and three products; against the largest output";
const ANY_ORDER = "a dot product in any order of summation";

const normRecipe =
  (name: "rmsNorm" | "layerNorm"): Recipe =>
  (dice) => {
    const group = dice.size(33);
    const d = name === "rmsNorm" ? group * dice.choice([1, 1, 2, 3]) : dice.size(257);
    const shape = [...dice.shape(24, 2), d];
    const x = name === "rmsNorm" || d > 1 ? dice.normal(shape) : dice.normal(shape, 1);
    return {
      inputs: {
        x,
        weight: dice.normal([d]),
        ...(name === "rmsNorm" ? { z: dice.normal(shape) } : { bias: dice.normal([d]) }),
      },
      attrs: {
        // A row of one or two elements may come to a variance of nothing, whose root has no slope.
        eps: dice.choice([1e-2, 1e-1]),
        ...(name === "rmsNorm" ? { groupSize: dice.choice([0, group]), normBeforeGate: dice.flip() } : {}),
      },
      scale: "peak",
      bound: { forward: 24, backward: 128, cancels: 16, differences: 1e-6, reason: NORM },
    };
  };

/** Cosines and sines [m, r] of the angles t / 10000^(2i / r). */
function angles(m: number, r: number): NdArray {
  const half = r / 2;
  return ndarray(
    [m, r],
    Float64Array.from({ length: m * r }, (_, i) => {
      const angle = Math.floor(i / r) / 10000 ** ((i % half) / half);
      return Math.fround(i % r < half ? Math.cos(angle) : Math.sin(angle));
    }),
  );
}

const shown = (dice: Dice, b: number, m: number): NdArray => dice.integers([b, m], 3);

const SAMPLING = [
  {},
  { temperature: 0 },
  { temperature: 2, topK: 7 },
  { topP: 0.7, temperature: 2 },
  { minP: 0.2 },
  { topK: 20, topP: 0.8, minP: 0.05, repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.25 },
] as const;

/** How cases of products, norms, attention, losses and the like are drawn. */
export const denseRecipes: Readonly<Record<string, Recipe>> = {
  matMul: (dice) => {
    const [m, k, n] = [dice.sizeOrNone(65), dice.sizeOrNone(129), dice.sizeOrNone(65)];
    const [transposeA, transposeB] = [dice.flip(), dice.flip()];
    const batch = dice.size(5);
    return {
      inputs: {
        a: dice.values([dice.choice([1, batch]), ...(transposeA ? [k, m] : [m, k])]),
        b: dice.values([dice.choice([1, batch]), ...(transposeB ? [n, k] : [k, n])]),
      },
      attrs: { transposeA, transposeB },
      bound: { forward: dot(k), backward: dot(Math.max(m, n) * batch), cancels: 16, linear: true, reason: ANY_ORDER },
    };
  },
  linear: (dice) => {
    const [lead, k, n] = [dice.shape(40, 3), dice.sizeOrNone(129), dice.sizeOrNone(129)];
    return {
      inputs: { weight: dice.values([n, k]), x: dice.values([...lead, k]), bias: dice.values([n]) },
      bound: {
        forward: dot(k),
        backward: dot(
          Math.max(
            k,
            n,
            lead.reduce((a, b) => a * b, 1),
          ),
        ),
        cancels: 16,
        linear: true,
        reason: ANY_ORDER,
      },
    };
  },
  expertLinear: (dice) => {
    const [e, n, k, s] = [dice.size(9), dice.sizeOrNone(33), dice.sizeOrNone(65), dice.sizeOrNone(4)];
    const lead = dice.shape(20, 2);
    return {
      inputs: { weight: dice.values([e, n, k]), x: dice.values([...lead, k]), ids: dice.integers([...lead, s], e) },
      bound: { forward: dot(k), backward: dot(Math.max(n * s, 20)), cancels: 16, linear: true, reason: ANY_ORDER },
    };
  },
  embedding: (dice) => {
    const v = dice.size(129);
    return {
      inputs: { weight: dice.values([v, dice.sizeOrNone(65)]), ids: dice.integers(dice.shape(40, 2), v) },
      bound: {
        forward: 0,
        backward: 40,
        reason: "rows are copied; a gradient row sums as many terms as its id occurs",
      },
    };
  },
  rmsNorm: normRecipe("rmsNorm"),
  layerNorm: normRecipe("layerNorm"),
  crossEntropy: (dice) => {
    const [lead, v] = [dice.shape(24, 2), dice.size(257)];
    const targets = dice.integers(lead, v);
    if (dice.flip() && targets.data.length > 0) targets.data[0] = -100;
    return {
      inputs: { logits: dice.normal([...lead, v], dice.choice([1, 1, 10])), targets },
      scale: "peak",
      bound: {
        forward: 72,
        absolute: v * 2 ** -102,
        backward: 128,
        differences: 1e-6,
        reason:
          "a sum of exponentials, which may be 0 where they are below 2^-126, and a logarithm; the logits' own rounding enters absolutely",
      },
    };
  },
  squaredNorm: (dice) => {
    const count = 1 + dice.whole(20);
    return {
      inputs: Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i), dice.values(dice.shape(300))])),
      bound: { forward: dot(300 * count), backward: 0, reason: "a sum of squares in any order" },
    };
  },
  sumSquares: (dice) => {
    const shape = dice.shape(3000);
    return {
      inputs: { x: dice.values(shape) },
      bound: { forward: dot(3000), backward: 0, reason: "a sum of squares in any order" },
    };
  },
  copy: (dice) => {
    const shape = dice.shape(1500);
    return {
      inputs: { destination: dice.values(shape), source: dice.values(shape) },
      bound: { forward: 0, backward: 0, reason: "copied" },
    };
  },
  adamW: (dice) => {
    const [shape, step] = [dice.shape(1500), 1 + dice.whole(1000)];
    return {
      inputs: {
        param: dice.normal(shape),
        m: dice.normal(shape, 0.1),
        v: dice.uniform(shape, 1e-4, 0.1),
        grad: dice.normal(shape),
        hyper: values([8], [1e-3, 0.9, 0.999, 1e-8, 0.01, 1 - 0.9 ** step, 1 - 0.999 ** step, 0]),
        gradScale: values([], [0.5]),
      },
      scale: "peak",
      bound: { forward: 16, backward: 0, reason: "a dozen roundings of the largest entry" },
    };
  },
  causalAttention: (dice) => {
    const [b, l, hkv, p] = [dice.sizeOrNone(3), dice.sizeOrNone(33), dice.size(3), dice.size(65)];
    const [m, h] = [l + dice.choice([0, 0, dice.size(17)]), hkv * dice.choice([1, 1, 2, 3])];
    return {
      inputs: {
        q: dice.normal([b, l, h, p]),
        k: dice.normal([b, m, hkv, p]),
        v: dice.values([b, m, hkv, p]),
        seqIdx: dice.boundaries([b, l], 0.2),
        visible: shown(dice, b, m),
        sink: dice.normal([h], 2),
      },
      attrs: { scale: dice.choice([0, 0.3]) },
      scale: "peak",
      bound: {
        forward: 64,
        backward: 256,
        cancels: 32,
        differences: 1e-6,
        reason:
          "a score is a sum over p whose rounding shows relatively in its weight, exponentials err by some ulp, and outputs and gradients sum over the tokens",
      },
    };
  },
  causalAttentionStep: (dice) => {
    const [b, m, hkv, p] = [dice.sizeOrNone(3), dice.size(65), dice.size(3), dice.size(65)];
    const h = hkv * dice.choice([1, 1, 2, 3]);
    const r = 2 * Math.floor(dice.whole(p + 1) / 2);
    return {
      inputs: {
        q: dice.normal([b, h, p]),
        k: dice.normal([b, hkv, p]),
        v: dice.values([b, hkv, p]),
        keys: dice.normal([b, m, hkv, p]),
        values: dice.values([b, m, hkv, p]),
        position: dice.integers([b], m),
        ...(r > 0 ? { rotary: angles(m, r) } : {}),
        visible: shown(dice, b, m),
        sink: dice.normal([h], 2),
      },
      attrs: { scale: dice.choice([0, 0.3]), interleaved: dice.flip() },
      scale: "peak",
      bound: { forward: 64, backward: 0, reason: "as causalAttention" },
    };
  },
  sampleToken: (dice) => {
    const [b, v] = [dice.sizeOrNone(5), dice.choice([1, 2, 31, 257, 1013])];
    const settings = sampleSettings(dice.choice(SAMPLING));
    return {
      inputs: {
        logits: dice.normal([b, v], dice.choice([0, 1, 3])),
        settings: ndarray(
          [b, 8],
          Float64Array.from({ length: 8 * b }, (_, i) => settings[i % 8]!),
        ),
        random: dice.integers([b, 4], 2 ** 24),
        id: dice.integers([b], v),
        counts: ndarray(
          [b, v],
          dice.integers([b, v], 12).data.map((x) => (x < 4 ? x : x === 4 ? 2 ** 30 : x === 5 ? 2 ** 30 + 2 : 0)),
        ),
      },
      scale: "peak",
      bound: { forward: 0, backward: 0, reason: "weights are whole numbers, so every choice is the same everywhere" },
    };
  },
};
