import { cpuBackend } from "@statespace/backend-cpu";
import { readInts, setBackend, tensor } from "@statespace/core";
import { sampleSettings, sampleStreams, sampleToken, type SampleSettings } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { fixedWeight } from "../../src/ops/sampleToken/weight.ts";

const LOGITS = [1, -0.5, 2.5, 0, 1, -3, 2];

/** How often each token is drawn in 200 steps of 100 rows. */
async function drawn(settings: SampleSettings): Promise<number[]> {
  const b = 100;
  const logits = tensor(
    Float32Array.from({ length: b * 7 }, (_, i) => LOGITS[i % 7]!),
    [b, 7],
  );
  const row = sampleSettings(settings);
  const all = tensor(
    Float32Array.from({ length: b * 8 }, (_, i) => row[i % 8]!),
    [b, 8],
  );
  const random = tensor(sampleStreams(5, b), [b, 4]);
  const id = tensor(new Int32Array(b));
  const counts = LOGITS.map(() => 0);
  for (let step = 0; step < 200; step++) {
    sampleToken({ logits, settings: all, random, id });
    for (const token of await readInts(id)) counts[token]!++;
  }
  for (const t of [logits, all, random, id]) t.dispose();
  return counts;
}

/** Chi squared of counts against the probabilities exp(logit / temperature) of the kept tokens. */
function distance(counts: readonly number[], temperature: number, kept: readonly number[]): number {
  const weights = LOGITS.map((logit, id) => (kept.includes(id) ? Math.exp(logit / temperature) : 0));
  const total = weights.reduce((a, w) => a + w, 0);
  const draws = counts.reduce((a, n) => a + n, 0);
  return counts.reduce((sum, n, id) => {
    const expected = (draws * weights[id]!) / total;
    if (expected === 0) return n === 0 ? sum : Number.POSITIVE_INFINITY;
    return sum + (n - expected) ** 2 / expected;
  }, 0);
}

const ALL = [0, 1, 2, 3, 4, 5, 6];

describe("sampleToken", () => {
  beforeAll(() => setBackend(cpuBackend()));

  // 99.9 % of chi squared with 6 degrees of freedom lie below 22.5; the draws are seeded.
  it.each([
    ["the softmax", {}, 1, ALL],
    ["a temperature", { temperature: 2 }, 2, ALL],
    ["top-k with a tie at its end", { topK: 3 }, 1, [0, 2, 4, 6]],
    // 0.463 + 0.281 reach 0.7; of the equals 0 and 4 the lower id comes first.
    ["top-p", { topP: 0.7 }, 1, [2, 6]],
    ["top-p into a tie", { topP: 0.8 }, 1, [0, 2, 6]],
    ["min-p", { minP: 0.2 }, 1, [0, 2, 4, 6]],
    ["top-k, then top-p of what it left", { topK: 2, topP: 0.62 }, 1, [2]],
  ] as const)("draws from %s", async (_, settings, temperature, kept) => {
    expect(distance(await drawn(settings), temperature, kept)).toBeLessThan(22.5);
  });

  it("weighs within 2^-28 of 2^-octaves", () => {
    for (let octaves = 0; octaves < 20; octaves += 0.00917) {
      const exact = 2 ** (31 - octaves);
      // Octaves are cut to 2^-24, the result to a whole number.
      expect(Math.abs(fixedWeight(octaves) - exact)).toBeLessThanOrEqual(exact * (2 ** -24 + 2 ** -28) + 1);
    }
    expect(fixedWeight(30)).toBe(1);
    expect(fixedWeight(32)).toBe(0);
  });
});
