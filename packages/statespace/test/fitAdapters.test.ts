import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ByteTokenizer, ChatTemplate } from "@statespace/text";
import {
  bundledCheckpoint,
  cpuBackend,
  fit,
  load,
  memoryStore,
  Model,
  setBackend,
  type Dialogue,
  type FitOptions,
  type LoadedModel,
} from "statespace";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { markAnswers } from "../src/fit/dialogues.ts";

const place = mkdtempSync(join(tmpdir(), "fit-adapters-"));
const base = join(place, "base");
beforeAll(async () => {
  await setBackend(cpuBackend());
  cpSync(fileURLToPath(bundledCheckpoint()), base, { recursive: true });
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const TEXTS = ["The sea was calm.", "The sea was wild.", "The ship went down.", "The crew went ashore."];
const SHORT: FitOptions = { steps: 3, batchSize: 2, seqLen: 16, heldOut: 0, learningRate: 1e-2, seed: 1 };

async function perplexity(lm: LoadedModel): Promise<number> {
  return (await lm.inspect("The ship was calm", { perplexity: true })).perplexity ?? Number.NaN;
}

describe("fit with an adapter", () => {
  it.each(["f32", "q8"] as const)(
    "leaves the %s weights, is saved alone, and loads onto the model that it names",
    async (weights) => {
      const lm = await load(base, { weights });
      const before = await lm.model.weights();
      const plain = await perplexity(lm);
      const { adapter } = await fit(lm, TEXTS, { ...SHORT, adapter: { rank: 2 } });
      for (const [name, { values }] of await lm.model.weights()) expect(values, name).toEqual(before.get(name)!.values);
      const tuned = await perplexity(lm);
      expect(tuned).not.toBe(plain);
      const folder = join(place, `tuned-${weights}`);
      await lm.save(folder);
      const files = readdirSync(folder).sort();
      expect(files).toContain("adapter_model.safetensors");
      expect(files).not.toContain("model.safetensors");
      expect(JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"))).toMatchObject({
        r: 2,
        base_model_name_or_path: base,
      });
      lm.useAdapter();
      expect(await perplexity(lm)).toBe(plain);
      expect(lm.useAdapter("default").adapters.get("default")).toBe(adapter);
      lm.dispose();
      const again = await load(folder, { weights });
      expect(await perplexity(again)).toBe(tuned);
      again.dispose();
      const both = await load(base, { weights, adapter: { first: folder, second: folder } });
      expect(both.adapters.get("first")!.isOn).toBe(true);
      expect(await perplexity(both.useAdapter("second"))).toBe(tuned);
      both.dispose();
    },
  );

  it("goes on with an adapter that is there, and resumes from its checkpoints", async () => {
    const whole = await load(base);
    const first = await fit(whole, TEXTS, { ...SHORT, steps: 4, adapter: { rank: 2 } });
    const checkpoints = memoryStore();
    const lm = await load(base);
    await fit(lm, TEXTS, { ...SHORT, steps: 2, adapter: { rank: 2 }, checkpoints });
    const other = await load(base);
    const second = await fit(other, TEXTS, { ...SHORT, steps: 4, adapter: { rank: 2 }, checkpoints, resume: true });
    expect(second.steps).toBe(first.steps);
    const more = await fit(other, TEXTS, { ...SHORT, adapter: second.adapter! });
    expect(more.adapter).toBe(second.adapter);
    for (const each of [whole, lm, other]) each.dispose();
  });

  it.each<[string, (lm: LoadedModel) => Promise<unknown>, RegExp]>([
    ["packed weights without one", (lm) => fit(lm, TEXTS, SHORT), /packed as q8 cannot be trained; train an adapter/],
    [
      "freezing beside one",
      (lm) => fit(lm, TEXTS, { ...SHORT, adapter: {}, freeze: ["head"] }),
      /freeze goes with the weights/,
    ],
    [
      "the weights while one is on",
      async (lm) => {
        await lm.addAdapter();
        lm.model.formats.clear();
        return fit(lm, TEXTS, SHORT);
      },
      /an adapter is on; train it/,
    ],
    [
      "two of one name",
      async (lm) => {
        await lm.addAdapter();
        return lm.addAdapter();
      },
      /one of the name default already/,
    ],
    ["an adapter that is not there", async (lm) => lm.useAdapter("none"), /there is no adapter none; there are none/],
  ])("refuses %s", async (_, run, message) => {
    const lm = await load(base, { weights: "q8" });
    await expect(run(lm)).rejects.toThrow(message);
    lm.dispose();
  });
});

it("freezes weights by their names", async () => {
  const lm = await load(base);
  const before = await lm.model.weights();
  await fit(lm, TEXTS, { ...SHORT, freeze: ["embeddings", "mixer.conv1d", "layers.0"] });
  const changed = [...(await lm.model.weights())].filter(([name, { values }]) =>
    values.some((value, i) => value !== before.get(name)!.values[i]),
  );
  const names = changed.map(([name]) => name);
  expect(names).toContain("layers.1.mixer.in_proj.weight");
  expect(names.filter((name) => /encoder|conv1d|layers\.0\./.test(name))).toEqual([]);
  await expect(fit(lm, TEXTS, { ...SHORT, freeze: ["attention"] })).rejects.toThrow(
    /no weight has a name that attention fits/,
  );
  await expect(fit(lm, TEXTS, { ...SHORT, freeze: ".*" })).rejects.toThrow(/no weight is left/);
  lm.dispose();
});

describe("conversations", () => {
  const tokenizer = new ByteTokenizer({ special: ["<|endoftext|>"] });
  const model = (): Model =>
    new Model({
      dModel: 16,
      encoder: { kind: "embedding", vocabSize: 257 },
      layers: ["mamba"],
      head: { kind: "language", tie: true },
    });
  const template = (): Promise<ChatTemplate> =>
    ChatTemplate.parse(
      "{% for m in messages %}[{{ m.role }}]{{ m.content }};{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
    );

  it("teach the answers alone, packed without cutting", async () => {
    const data: Dialogue[] = Array.from({ length: 6 }, (_, i) => ({
      messages: [
        { role: "user", content: `${i}?` },
        { role: "assistant", content: "yes" },
        { role: "user", content: "sure" },
        { role: "assistant", content: "no" },
      ],
    }));
    const learner = { model: model(), tokenizer, template: await template() };
    const result = await fit(learner, data, { steps: 60, batchSize: 2, learningRate: 0.03, heldOut: 0.2 });
    expect(result.heldOut!.targets).toBe(7); // "yes;" and "no;"
    expect(result.heldOut!.loss).toBeLessThan(0.5);
  });

  it("are written by the template, and marked where answers are", async () => {
    const dialogue = {
      messages: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
        { role: "user", content: "c" },
      ],
    };
    const { ids, counts } = markAnswers(dialogue, "data[0]", tokenizer, await template());
    expect(tokenizer.decode(ids)).toBe("[user]a;[assistant]b;[user]c;");
    expect(tokenizer.decode(ids.filter((_, i) => counts[i] === 1))).toBe("b;");
  });

  it("may be prompts and completions", async () => {
    const data = Array.from({ length: 10 }, (_, i) => ({ prompt: `${i} -> `, completion: "ok" }));
    const result = await fit({ model: model(), tokenizer }, data, { steps: 40, learningRate: 0.03 });
    expect(result.heldOut!.targets).toBe(3); // o, k and the end
    expect(result.heldOut!.loss).toBeLessThan(0.5);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "without a template",
      () => fit({ model: model(), tokenizer }, [{ messages: [{ role: "user", content: "a" }] }]),
      /need the model's chat template/,
    ],
    [
      "without an answer",
      async () =>
        fit({ model: model(), tokenizer, template: await template() }, [
          { messages: [{ role: "user", content: "a" }] },
        ]),
      /data\[0\] has no message of the assistant/,
    ],
    [
      "of an empty completion and no end token",
      () => fit({ model: model(), tokenizer: new ByteTokenizer() }, [{ prompt: "a", completion: "" }]),
      /data\[0\] has no answer to learn/,
    ],
  ])("are refused %s", async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });
});
