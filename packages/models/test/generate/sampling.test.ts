import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, readFloats, readInts, Rng, setBackend, tensor } from "@statespace/core";
import { sampleSettings, sampleStreams, sampleToken } from "@statespace/core/ops";
import { beforeAll, describe, expect, test } from "vitest";
import { checkSampling, type SamplingSettings } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

/** `draws` tokens chosen from the same logits, each by a stream of its own; `previous` stood in the prompt. */
async function chosen(
  logits: Float32Array,
  settings: SamplingSettings,
  draws: number,
  previous: readonly number[] = [],
  seed = 43, // with 42, a token of p = 1e-6 comes up once in 20,000, which chi squared does not bear
): Promise<Int32Array> {
  const v = logits.length;
  const repeated = (row: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: draws * row.length }, (_, i) => row[i % row.length]!);
  const own = sampleSettings(settings.greedy ? { ...settings, temperature: 0 } : settings);
  const counts = Float32Array.from({ length: v }, (_, id) => (previous.includes(id) ? 2 ** 30 : 0));
  const inputs = {
    logits: tensor(repeated(logits), [draws, v]),
    settings: tensor(repeated(own), [draws, 8]),
    random: tensor(sampleStreams(seed, draws), [draws, 4]),
    id: tensor(new Int32Array(draws)),
    counts: tensor(Int32Array.from(repeated(counts)), [draws, v]),
  };
  sampleToken(inputs);
  const ids = await readInts(inputs.id);
  for (const t of Object.values(inputs)) t.dispose();
  return ids;
}

const one = async (...args: [Float32Array, SamplingSettings, (readonly number[])?]): Promise<number> =>
  (await chosen(args[0], args[1], 1, args[2]))[0]!;

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
  test("the draws follow the distribution of the definitions", async () => {
    const expected = expectedDistribution(logits, settings, previous);
    const draws = 20_000;
    const counts = new Array<number>(logits.length).fill(0);
    for (const id of await chosen(logits, settings, draws, previous)) counts[id]!++;
    let chiSquare = 0;
    let freedom = -1;
    for (const [id, p] of expected.entries()) {
      if (p === 0) expect(counts[id], `token ${id} is excluded`).toBe(0);
      else {
        chiSquare += (counts[id]! - draws * p) ** 2 / (draws * p);
        freedom++;
      }
    }
    // Mean `freedom`, variance 2 * freedom: five standard deviations. The seed is fixed, so this either always holds or never; a wrong distribution gives hundreds.
    expect(chiSquare).toBeLessThanOrEqual(freedom + 5 * Math.sqrt(2 * freedom));
  });
});

test("random logits and settings: kept tokens only, and the likely ones among them", async () => {
  for (let round = 0; round < 300; round++) {
    const values = Float32Array.from({ length: 40 }, () => Math.round(rng.normal(0, 3) * 2) / 2); // coarse, so that ties are common
    const settings = {
      temperature: rng.uniform(0.2, 2),
      topK: Math.floor(rng.uniform(0, 20)),
      topP: rng.uniform(0.05, 1),
      minP: rng.uniform(0, 0.3),
    };
    const expected = expectedDistribution(values, settings);
    const kept = new Set(await chosen(values, settings, 500, [], round));
    for (const id of kept) expect(expected[id], JSON.stringify(settings)).toBeGreaterThan(0);
    // Missed by all of 500 draws with probability e^-20.
    for (const [id, p] of expected.entries())
      if (p > 1 / 25) expect(kept.has(id), `token ${id} of p = ${p}`).toBe(true);
  }
});

test("greedy: the first of equal maxima; temperature 0 is greedy; the penalty still counts", async () => {
  const ties = Float32Array.of(1, 7, 3, 7, -Infinity);
  expect(await one(ties, { greedy: true })).toBe(1);
  expect(await one(ties, { temperature: 0 })).toBe(1);
  expect(await one(ties, { temperature: 1e-40 })).toBe(1);
  expect(await one(ties, { greedy: true, repetitionPenalty: 2 }, [1])).toBe(3);
});

test("a penalty moves a logit away from 0 or towards it by its sign", async () => {
  expect(await one(Float32Array.of(-1, -3), { greedy: true, repetitionPenalty: 2 }, [0])).toBe(0);
  expect(await one(Float32Array.of(-1, -1.5), { greedy: true, repetitionPenalty: 2 }, [0])).toBe(1);
  expect(await one(Float32Array.of(1.5, 4), { greedy: true, repetitionPenalty: 2 }, [1])).toBe(1);
  expect(await one(Float32Array.of(2.5, 4), { greedy: true, repetitionPenalty: 2 }, [1])).toBe(0);
});

test("topK keeps tokens equal to the k-th, and topP counts their mass after topK", async () => {
  const ties = Float32Array.of(0, 2, 1, 1, 1, 0);
  const seen = async (settings: SamplingSettings): Promise<number[]> =>
    [...new Set(await chosen(ties, settings, 1000))].sort();
  expect(await seen({ topK: 2 })).toEqual([1, 2, 3, 4]);
  // After topK 1 the one token left has all the mass.
  expect(await seen({ topK: 1, topP: 0.99 })).toEqual([1]);
  expect(await seen({ topK: 6, topP: 0.5 })).toEqual([1, 2]);
});

test("extreme logits: a mask of -infinity, huge values, tiny temperatures", async () => {
  const masked = Float32Array.of(-Infinity, -Infinity, 0, -Infinity);
  for (const settings of [{}, { topK: 3 }, { topP: 0.5 }, { minP: 0.5 }, { temperature: 1e-20 }])
    expect(await one(masked, settings)).toBe(2);
  expect(await one(Float32Array.of(3e38, -3e38, 3.4e38), { temperature: 1e-3 })).toBe(2);
});

test.each<[setting: string, values: unknown[]]>([
  ["temperature", [-1, NaN, Infinity, "1", null]],
  ["topK", [-1, 1.5, NaN, Infinity, "5"]],
  ["topP", [0, -0.1, 1.1, NaN, "1"]],
  ["minP", [-0.1, 1.1, NaN, null]],
  ["repetitionPenalty", [0, -1, NaN, Infinity, "1"]],
  ["presencePenalty", [NaN, Infinity, "1"]],
  ["frequencyPenalty", [NaN, -Infinity, null]],
  ["greedy", [1, "yes"]],
])("%s out of its range is an ArgumentError that names it", (setting, values) => {
  for (const value of values) {
    expect(() => checkSampling({ [setting]: value })).toThrow(ArgumentError);
    expect(() => checkSampling({ [setting]: value })).toThrow(`sampling: ${setting} must be`);
  }
});

test("log-probabilities add up to one", async () => {
  // Every token once: a mask leaves it alone to be chosen, and its probability is of the logits as they are.
  const v = logits.length;
  const settings = sampleSettings({ temperature: 0, presencePenalty: -1000 });
  const inputs = {
    logits: tensor(
      Float32Array.from({ length: v * v }, (_, i) => logits[i % v]!),
      [v, v],
    ),
    settings: tensor(
      Float32Array.from({ length: 8 * v }, (_, i) => settings[i % 8]!),
      [v, 8],
    ),
    random: tensor(sampleStreams(0, v), [v, 4]),
    id: tensor(new Int32Array(v)),
    counts: tensor(
      Int32Array.from({ length: v * v }, (_, i) => (i % (v + 1) === 0 ? 1 : 0)),
      [v, v],
    ),
  };
  const { logprob } = sampleToken(inputs, { logprob: true });
  expect([...(await readInts(inputs.id))]).toEqual([...logits.keys()]);
  const sum = [...(await readFloats(logprob!))].reduce((total, x) => total + Math.exp(x), 0);
  expect(Math.abs(sum - 1)).toBeLessThan(1e-6); // some float32 roundings
  for (const t of [...Object.values(inputs), logprob!]) t.dispose();
});

test("a seed decides the sequence", async () => {
  const run = (seed: number): Promise<Int32Array> => chosen(logits, { topP: 0.9 }, 50, [], seed);
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
});
