import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, setBackend, tensor } from "@statespace/core";
import {
  fromPretrained,
  inspect,
  load,
  loadAdapter,
  memoryStore,
  type CheckpointStore,
  type Model,
} from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";
import type { Job, Settings } from "../../src/pages/model/compute/job.ts";
import { Learning } from "../../src/pages/model/compute/learning.ts";
import { CHINESE } from "../../src/pages/model/texts/chinese.ts";
import { tellStories } from "../../src/pages/model/texts/draw.ts";

beforeAll(() => setBackend(wasmBackend({ threads: 1 })));

const text = tellStories(CHINESE, 6000, 1);
const SETTINGS: Settings = { width: 32, layers: 1, rank: 4, length: 32, steps: 30, seed: 1 };
const job = (more: Partial<Job> = {}): Job => ({
  which: "trained",
  text,
  title: "stories",
  settings: SETTINGS,
  ...more,
});
const never = new AbortController().signal;

async function learn(
  of: Job,
  store: CheckpointStore = memoryStore(),
  stopAt = Infinity,
): Promise<[Learning, number[]]> {
  const learning = await Learning.begin(of, { signal: never });
  const stop = new AbortController();
  const losses: number[] = [];
  try {
    for await (const event of learning.run(store, true, stop.signal)) {
      if (event.kind === "step") losses.push(event.loss);
      if (event.kind === "step" && event.step >= stopAt) stop.abort();
    }
  } catch (error) {
    expect((error as Error).name).toBe("AbortedError");
  }
  return [learning, losses];
}

async function logitsOf(model: Model, ids: Int32Array): Promise<Float32Array> {
  const x = tensor(ids, [1, ids.length]);
  const { output } = model.forward(x);
  const values = await readFloats(output);
  for (const each of [x, output]) each.dispose();
  return values;
}

/** What the pictures show is the mean step that each layer takes, and it is another one than before learning. */
async function glancesAreTheSteps(learning: Learning): Promise<void> {
  const fresh = await Learning.begin(learning.job, { signal: never });
  const { tokens, layers, moments } = await learning.glance(60, await fresh.glance(0, undefined));
  fresh.dispose();
  expect(tokens.join("")).toBe([...text].slice(0, tokens.length).join(""));
  expect(layers).toEqual([0]);
  expect(moments.map(({ step }) => step)).toEqual([0, 60]);
  const ids = learning.tokenizer.encode(tokens.join(""));
  const x = tensor(ids, [1, ids.length]);
  const inside = inspect(learning.model, x);
  const delta = await readFloats(inside.mixers[0]!["delta"]!);
  inside.dispose();
  x.dispose();
  const d = delta.length / ids.length;
  moments[1]!.delta.forEach((mean, t) => {
    const own = delta.subarray(t * d, (t + 1) * d);
    expect(mean).toBeCloseTo(own.reduce((sum, value) => sum + value, 0) / d, 6);
  });
  const change = moments[1]!.delta.map((mean, t) => Math.abs(mean / moments[0]!.delta[t]! - 1));
  expect(Math.max(...change)).toBeGreaterThan(0.05);
}

const asFiles = (files: Readonly<Record<string, Uint8Array>>): File[] =>
  Object.entries(files).map(([name, bytes]) => new File([bytes as Uint8Array<ArrayBuffer>], name));

describe("a model that learns from a text", () => {
  it("is less and less surprised, writes, and is a folder that loads again with the same answers", async () => {
    const [learning, losses] = await learn(job({ settings: { ...SETTINGS, steps: 60 } }));
    expect(losses).toHaveLength(60);
    expect(losses[0]! / Math.log(learning.model.vocabSize)).toBeGreaterThan(0.9); // it began by guessing
    expect(losses.at(-1)!).toBeLessThan(0.75 * losses[0]!);
    const ids = learning.tokenizer.encode("小明有一只");
    const expected = await logitsOf(learning.model, ids);
    const sample = await learning.sample(never);
    expect(sample.length).toBeGreaterThan(20);
    expect(await learning.sample(never)).toBe(sample);
    await glancesAreTheSteps(learning);

    const { files, adapter, facts } = await learning.toFiles(60);
    expect(adapter).toBeUndefined();
    expect(Object.keys(files).toSorted()).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    // Hugging Face's reader takes no whole number where it wants another
    expect(new TextDecoder().decode(files["config.json"])).toContain('"time_step_scale": 1.0');
    expect(facts).toMatchObject({ weights: learning.model.size, layers: 1, dModel: 32, steps: 60, title: "stories" });
    const here = await fromPretrained(asFiles(files));
    expect(await logitsOf(here, ids)).toEqual(expected);

    // in Node, unpacked
    const folder = mkdtempSync(join(tmpdir(), "own-model-"));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const lm = await load(folder);
    expect(Array.from(lm.tokenizer!.encode("小明有一只"))).toEqual(Array.from(ids));
    expect(await logitsOf(lm.model, ids)).toEqual(expected);
    const told = await lm.complete("\n", { maxNewTokens: 80, temperature: 0.7, seed: 1 });
    expect(told.trim()).toBe(sample);
    for (const each of [learning, here, lm]) each.dispose();
    rmSync(folder, { recursive: true });
  });

  it("goes on after a stop as if it had not been stopped", async () => {
    const [whole, losses] = await learn(job());
    const store = memoryStore();
    const [stopped, first] = await learn(job(), store, 11);
    expect(first.length).toBeGreaterThanOrEqual(11);
    expect(first.length).toBeLessThan(20);
    const [again, rest] = await learn(job(), store);
    expect([...first, ...rest]).toEqual(losses);
    const ids = whole.tokenizer.encode("小红说");
    expect(await logitsOf(again.model, ids)).toEqual(await logitsOf(whole.model, ids));
    for (const each of [whole, stopped, again]) each.dispose();
  });

  it("with an adapter leaves the base as it is: the adapter's folder on it, and the whole folder, answer alike", async () => {
    const [first] = await learn(job());
    const { files } = await first.toFiles(30);
    first.dispose();
    const poem = "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n小明说：我也喜欢。\n".repeat(20);
    const [tuned, losses] = await learn(
      job({ which: "tuned", text: poem, base: { kind: "files", files: asFiles(files) } }),
    );
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    const ids = tuned.tokenizer.encode("小明说");
    const expected = await logitsOf(tuned.model, ids);
    const kept = await tuned.toFiles(30);
    expect(Object.keys(kept.adapter!)).toContain("adapter_config.json");
    expect(kept.facts.adapterWeights).toBeLessThan(kept.facts.weights);
    const base = await fromPretrained(asFiles(files));
    const before = await logitsOf(base, ids);
    await loadAdapter(base, asFiles(kept.adapter!));
    expect(await logitsOf(base, ids)).toEqual(expected);
    expect(before).not.toEqual(expected);
    const merged = await fromPretrained(asFiles(kept.files));
    const scale = Math.max(...expected.map(Math.abs));
    (await logitsOf(merged, ids)).forEach((value, i) =>
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * scale),
    );
    for (const each of [tuned, base, merged]) each.dispose();
  });

  it("says what is missing in a model that cannot read text", async () => {
    const [first] = await learn(job({ settings: { ...SETTINGS, steps: 1 } }));
    const { "tokenizer.json": _, ...files } = (await first.toFiles(1)).files;
    first.dispose();
    const base = { kind: "files", files: asFiles(files) } as const;
    await expect(Learning.begin(job({ which: "tuned", base }), { signal: never })).rejects.toThrow(/tokenizer\.json/);
  });
});
