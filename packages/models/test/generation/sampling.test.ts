import { ArgumentError, NonFiniteError, Rng } from "@statespace/core";
import { describe, expect, test } from "vitest";
import { argmax, chooseToken, type SamplingSettings, tokenLogprob } from "../../src/generation/sampling.ts";

/** The distribution that the settings leave, by the definitions: full sort, one step after the other. */
function expectedDistribution(
  logits: Float32Array,
  settings: SamplingSettings,
  previous: readonly number[] = [],
): number[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = settings;
  let scores = [...logits].map(
    (logit, id) =>
      (previous.includes(id) ? (logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty) : logit) /
      temperature,
  );
  const softmax = (): number[] => {
    const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / sum);
  };
  if (topK > 0) {
    const threshold = [...scores].sort((a, b) => b - a)[Math.min(topK, scores.length) - 1];
    scores = scores.map((score) => (score < threshold ? -Infinity : score));
  }
  if (topP < 1) {
    const p = softmax();
    const order = p.map((_, id) => id).sort((a, b) => p[b] - p[a] || a - b);
    let before = 0;
    for (const [rank, id] of order.entries()) {
      if (rank > 0 && before >= topP) scores[id] = -Infinity;
      before += p[id];
    }
  }
  if (minP > 0) {
    const p = softmax();
    scores = scores.map((score, id) => (p[id] < minP * Math.max(...p) ? -Infinity : score));
  }
  return softmax();
}

const rng = new Rng(42);
const uniform = (): number => rng.uniform();
const logits = Float32Array.from({ length: 12 }, (_, i) => 3 * Math.sin(i * 2.1) - (i % 3));

describe.each<[name: string, settings: SamplingSettings, previous?: number[]]>([
  ["the model's own distribution", {}],
  ["temperature 0.5", { temperature: 0.5 }],
  ["temperature 3", { temperature: 3 }],
  ["topK 4", { topK: 4 }],
  ["topK past the vocabulary", { topK: 100 }],
  ["topP 0.8", { topP: 0.8 }],
  ["topP that leaves one", { topP: 1e-9 }],
  ["minP 0.2", { minP: 0.2 }],
  ["minP 1", { minP: 1 }],
  ["repetition penalty", { repetitionPenalty: 1.7 }, [1, 1, 5, 2]],
  ["repetition reward", { repetitionPenalty: 0.5 }, [0, 3]],
  ["all together", { temperature: 1.5, topK: 8, topP: 0.9, minP: 0.1, repetitionPenalty: 1.3 }, [3, 4, 4]],
])("%s", (_name, settings, previous = []) => {
  test("the draws follow the distribution of the definitions", () => {
    const expected = expectedDistribution(logits, settings, previous);
    const draws = 20_000;
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < draws; i++) counts[chooseToken(logits, settings, uniform, previous)]++;
    let chiSquare = 0;
    let freedom = -1;
    for (const [id, p] of expected.entries()) {
      if (p === 0) expect(counts[id], `token ${id} is excluded`).toBe(0);
      else {
        chiSquare += (counts[id] - draws * p) ** 2 / (draws * p);
        freedom++;
      }
    }
    // Mean `freedom`, variance 2 * freedom: five standard deviations. The seed is fixed, so this either always holds or never; a wrong distribution gives hundreds.
    expect(chiSquare).toBeLessThanOrEqual(freedom + 5 * Math.sqrt(2 * freedom));
  });

  test("every uniform number gives an allowed token, the ends of the interval included", () => {
    const expected = expectedDistribution(logits, settings, previous);
    for (const u of [0, Number.MIN_VALUE, 0.5, 1 - 2 ** -53])
      expect(expected[chooseToken(logits, settings, () => u, previous)]).toBeGreaterThan(0);
  });
});

test("random logits and settings: the inverse of the cumulative distribution, and kept tokens only", () => {
  for (let round = 0; round < 300; round++) {
    const values = Float32Array.from({ length: 40 }, () => Math.round(rng.normal(0, 3) * 2) / 2); // coarse, so that ties are common
    const settings = {
      temperature: rng.uniform(0.2, 2),
      topK: Math.floor(rng.uniform(0, 20)),
      topP: rng.uniform(0.05, 1),
      minP: rng.uniform(0, 0.3),
    };
    const expected = expectedDistribution(values, settings);
    const kept = new Set<number>();
    // A grid finer than the least kept token would be too long; these many draws find the likely ones and must find no other.
    for (let i = 0; i < 200; i++) kept.add(chooseToken(values, settings, () => (i + 0.5) / 200));
    for (const id of kept) expect(expected[id], JSON.stringify(settings)).toBeGreaterThan(0);
    for (const [id, p] of expected.entries())
      if (p > 1 / 100) expect(kept.has(id), `token ${id} of p = ${p}`).toBe(true);
  }
});

test("greedy: the first of equal maxima; temperature 0 is greedy; the penalty still counts", () => {
  const ties = Float32Array.of(1, 7, 3, 7, -Infinity);
  expect(argmax(ties)).toBe(1);
  expect(chooseToken(ties, { greedy: true }, () => 0.999)).toBe(1);
  expect(chooseToken(ties, { temperature: 0 }, () => 0.999)).toBe(1);
  expect(chooseToken(ties, { temperature: 1e-40 }, () => 0.999)).toBe(1);
  expect(chooseToken(ties, { greedy: true, repetitionPenalty: 2 }, () => 0, [1])).toBe(3);
  expect([...ties]).toEqual([1, 7, 3, 7, -Infinity]);
});

test("a token that appeared many times is penalised once, whatever its sign", () => {
  // -1 twice doubled would be -4, below -3; 4 twice halved would be 1.
  expect(chooseToken(Float32Array.of(-1, -3), { greedy: true, repetitionPenalty: 2 }, uniform, [0, 0])).toBe(0);
  expect(chooseToken(Float32Array.of(1.5, 4), { greedy: true, repetitionPenalty: 2 }, uniform, [1, 1])).toBe(1);
});

test("topK keeps tokens equal to the k-th, and topP counts their mass after topK", () => {
  const ties = Float32Array.of(0, 2, 1, 1, 1, 0);
  const seen = (settings: SamplingSettings): number[] =>
    [...new Set(Array.from({ length: 1000 }, (_, i) => chooseToken(ties, settings, () => i / 1000)))].sort();
  expect(seen({ topK: 2 })).toEqual([1, 2, 3, 4]);
  // After topK 1 the one token left has all the mass.
  expect(seen({ topK: 1, topP: 0.99 })).toEqual([1]);
  expect(seen({ topK: 6, topP: 0.5 })).toEqual([1, 2]);
});

test("extreme logits: a mask of -infinity, huge values, tiny temperatures", () => {
  const masked = Float32Array.of(-Infinity, -Infinity, 0, -Infinity);
  for (const settings of [{}, { topK: 3 }, { topP: 0.5 }, { minP: 0.5 }, { temperature: 1e-20 }])
    expect(chooseToken(masked, settings, () => 0.99)).toBe(2);
  expect(chooseToken(Float32Array.of(3e38, -3e38, 3.4e38), { temperature: 1e-3 }, () => 0.99)).toBe(2);
});

test.each([NaN, Infinity])("a logit of %d is an error that names the token", (bad) => {
  expect(() => chooseToken(Float32Array.of(0, bad, 1), {}, uniform)).toThrow(NonFiniteError);
  expect(() => chooseToken(Float32Array.of(0, bad, 1), { greedy: true }, uniform)).toThrow(/token 1/);
});

test("no logit above -infinity, or none at all, is an error", () => {
  expect(() => chooseToken(Float32Array.of(-Infinity, -Infinity), {}, uniform)).toThrow(NonFiniteError);
  expect(() => argmax(new Float32Array(0))).toThrow(NonFiniteError);
});

test.each<[setting: string, values: unknown[]]>([
  ["temperature", [-1, NaN, Infinity, "1", null]],
  ["topK", [-1, 1.5, NaN, Infinity, "5"]],
  ["topP", [0, -0.1, 1.1, NaN, "1"]],
  ["minP", [-0.1, 1.1, NaN, null]],
  ["repetitionPenalty", [0, -1, NaN, Infinity, "1"]],
  ["greedy", [1, "yes"]],
])("%s out of its range is an ArgumentError that names it", (setting, values) => {
  for (const value of values) {
    expect(() => chooseToken(logits, { [setting]: value }, uniform)).toThrow(ArgumentError);
    expect(() => chooseToken(logits, { [setting]: value }, uniform)).toThrow(`sampling: ${setting} must be`);
  }
});

test("previous ids past the vocabulary are refused", () => {
  for (const id of [-1, 12, 0.5])
    expect(() => chooseToken(logits, { repetitionPenalty: 2 }, uniform, [id])).toThrow(ArgumentError);
});

test("log-probabilities add up to one", () => {
  const sum = [...logits.keys()].reduce((total, id) => total + Math.exp(tokenLogprob(logits, id)), 0);
  expect(Math.abs(sum - 1)).toBeLessThan(1e-14); // twelve float64 roundings
  expect(tokenLogprob(Float32Array.of(1000, 1000), 0)).toBeCloseTo(-Math.LN2, 14);
  for (const id of [-1, 12, 0.5]) expect(() => tokenLogprob(logits, id)).toThrow(ArgumentError);
});

test("a seed decides the sequence", () => {
  const run = (seed: number): number[] => {
    const source = new Rng(seed);
    return Array.from({ length: 50 }, () => chooseToken(logits, { topP: 0.9 }, () => source.uniform()));
  };
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});
