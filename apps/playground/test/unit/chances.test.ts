import { cpuBackend } from "@statespace/backend-cpu";
import { readInts, Rng, setBackend, tensor } from "@statespace/core";
import { sampleSettings, sampleStreams, sampleToken } from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import { chancesOf, type Drawing } from "../../src/pages/mamba/compute/chances.ts";

beforeAll(() => setBackend(cpuBackend()));

const V = 24;
const DRAWS = 4000;
const scores = Float32Array.from(new Rng(7).normals(V), (value) => 2 * value);

/** How often the library's sampler takes each token, of many rows of the same scores. */
async function drawn(settings: Drawing): Promise<Float64Array> {
  const row = sampleSettings(settings);
  const inputs = {
    logits: tensor(
      Float32Array.from({ length: DRAWS * V }, (_, i) => scores[i % V]!),
      [DRAWS, V],
    ),
    settings: tensor(
      Float32Array.from({ length: DRAWS * 8 }, (_, i) => row[i % 8]!),
      [DRAWS, 8],
    ),
    random: tensor(sampleStreams(3, DRAWS), [DRAWS, 4]),
    id: tensor(new Int32Array(DRAWS), [DRAWS]),
  };
  sampleToken(inputs);
  const counts = new Float64Array(V);
  for (const id of await readInts(inputs.id)) counts[id]! += 1 / DRAWS;
  for (const each of Object.values(inputs)) each.dispose();
  return counts;
}

describe("the chances that bars show are those by which the library draws", () => {
  it.each([
    { temperature: 1, topK: 0, topP: 1 },
    { temperature: 0.5, topK: 0, topP: 1 },
    { temperature: 1.5, topK: 5, topP: 1 },
    { temperature: 1, topK: 0, topP: 0.6 },
    { temperature: 0.8, topK: 8, topP: 0.7 },
    { temperature: 0, topK: 0, topP: 1 },
  ])("%o", async (settings) => {
    const chances = chancesOf(scores, settings);
    expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12);
    const counts = await drawn(settings);
    counts.forEach((share, id) => {
      if (chances[id] === 0) expect(share).toBe(0);
      // five standard deviations of a share
      expect(Math.abs(share - chances[id]!)).toBeLessThan(
        5 * Math.sqrt((chances[id]! * (1 - chances[id]!)) / DRAWS) + 1e-9,
      );
    });
  });

  it("top-k keeps those equal to the last, and top-p always the likeliest", () => {
    const shares = Array.from(chancesOf([2, 1, 1, 0], { temperature: 1, topK: 2, topP: 1 }));
    expect(shares[3]).toBe(0);
    expect(shares[1]).toBe(shares[2]);
    expect(shares[0]! / shares[1]!).toBeCloseTo(Math.E, 12);
    expect(Array.from(chancesOf([2, 1, 1, 0], { temperature: 1, topK: 0, topP: 0.05 }))).toEqual([1, 0, 0, 0]);
  });
});
