import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, memory, readFloats, setBackend, tensor } from "@statespace/core";
import { memorySource } from "@statespace/files";
import { ByteTokenizer, tokenizerFiles } from "@statespace/text";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  fromPretrained,
  load,
  LoadedModel,
  Model,
  parseModelConfig,
  savePretrained,
  type LoadedParts,
  type LoadModelOptions,
} from "../../src/index.ts";

const TEMPLATE =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
const tokenizer = new ByteTokenizer({ special: ["<end>"] });
const DEFAULTS = { do_sample: true, temperature: 0.7, top_k: 20, max_new_tokens: 9, eos_token_id: [256, 3] };

let folder: string;
let before: number;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = await mkdtemp(join(tmpdir(), "statespace-load-"));
  const config = { model_type: "mamba", vocab_size: 288, hidden_size: 32, num_hidden_layers: 2, state_size: 4 };
  const model = new Model(parseModelConfig(config), 3);
  await savePretrained(model, folder, {
    files: {
      ...tokenizerFiles(tokenizer),
      "generation_config.json": JSON.stringify(DEFAULTS),
      "chat_template.jinja": TEMPLATE,
    },
  });
  model.dispose();
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await setBackend(cpuBackend());
  before = memory().tensors;
});
const expectNoLeak = (): void => expect(memory().tensors).toBe(before);

async function collect(stream: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
}

/** The folder with other files, or without some. */
async function withFiles(files: Readonly<Record<string, string | undefined>>): Promise<string> {
  const other = await mkdtemp(join(tmpdir(), "statespace-load-"));
  await cp(folder, other, { recursive: true });
  for (const [name, text] of Object.entries(files))
    await (text === undefined ? rm(join(other, name)) : writeFile(join(other, name), text));
  return other;
}

describe("load", () => {
  it("has the model, its tokenizer, and the defaults that generation_config.json says", async () => {
    const lm = await load(folder, { weights: "q8" });
    expect(lm.model.formats.size).toBeGreaterThan(0);
    expect(lm.tokenizer!.encode("ab")).toEqual(tokenizer.encode("ab"));
    expect(lm.defaults).toEqual({ greedy: false, temperature: 0.7, topK: 20, maxNewTokens: 9, eosTokenIds: [256, 3] });
    const session = lm.session();
    await session.read("abc");
    let count = 0;
    for await (const { id, done } of session.tokens({ eosTokenIds: [] })) {
      count++;
      expect(done).toBe(count === 9);
      expect(id).toBeLessThan(288);
    }
    expect(count).toBe(9);
    session.dispose();
    lm.dispose();
    expectNoLeak();
  });

  it("streams and completes what a session says, and frees it also when it is left or aborted", async () => {
    const lm = await load(folder);
    const session = lm.session({ seed: 5 });
    await session.read("Once");
    const expected = await collect(session.stream());
    session.dispose();
    expect(await collect(lm.stream("Once", { seed: 5 }))).toBe(expected);
    expect(await lm.complete("Once", { seed: 5 })).toBe(expected);
    expect(await lm.complete(tokenizer.encode("Once"), { seed: 5 })).toBe(expected);
    const all = memory().tensors;
    for await (const _ of lm.stream("Once", { seed: 5 })) break;
    await expect(lm.complete("Once", { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortedError" });
    await expect(lm.complete("Once", { maxLength: 3 } as object)).rejects.toThrow("maxNewTokens may be meant");
    expect(memory().tensors).toBe(all);
    lm.dispose();
    expectNoLeak();
  });

  it.each([
    [{ weight: "q4" }, "has no option weight; weights may be meant"],
    [{ dtype: "q4" }, "has no option dtype; weights may be meant"],
    [{ device: "wasm" }, "has no option device; backend may be meant"],
    [{ weights: "int8" }, 'load: weights must be one of f32, f16, bf16, q8, q4, got "int8"; did you mean "q8"?'],
  ])("refuses %j before anything is read", async (options, message) => {
    const untouched = {
      name: "untouched",
      size: () => Promise.reject(new Error("read")),
      read: () => Promise.reject(new Error("read")),
      stream: () => Promise.reject(new Error("read")),
    };
    await expect(load(untouched, options as LoadModelOptions)).rejects.toThrow(message);
    expectNoLeak();
  });

  it("lets a timer stop it, also where all files are in memory", async () => {
    const files = Object.fromEntries(
      await Promise.all(
        ["config.json", "model.safetensors", "tokenizer.json"].map(
          async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const,
        ),
      ),
    );
    let pieces = 0;
    const stop = new AbortController();
    const loading = load(memorySource(files), {
      signal: stop.signal,
      progress: () => {
        if (++pieces === 1) setTimeout(() => stop.abort(), 0);
        const until = performance.now() + 20;
        while (performance.now() < until);
      },
    });
    await expect(loading).rejects.toMatchObject({ name: "AbortedError" });
    expect(pieces).toBeLessThan(10);
    expectNoLeak();
  });
});

describe("chat", () => {
  it("is a session with the model's own template, keeps what was said, and goes on from what was saved", async () => {
    const lm = await load(folder);
    const chat = lm.chat({ system: "Be kind.", seed: 2 });
    const answer = await collect(chat.say("Hello"));
    expect(chat.messages).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: answer },
    ]);
    expect(tokenizer.decode(chat.session.ids.slice(0, 40), { special: true })).toBe(
      "<system>Be kind.\n<user>Hello\n<assistant>",
    );
    const saved = await chat.save();
    const later = lm.chat({ system: "Be kind." }).restore(saved);
    expect(await collect(later.say("And?"))).toBe(await collect(chat.say("And?")));
    expect(later.messages).toEqual(chat.messages);
    const plain = await lm.session().read("no chat");
    const bytes = await plain.save();
    expect(() => later.restore(bytes)).toThrow("the saved session is no chat");
    for (const each of [chat, later, plain]) each.dispose();
    lm.dispose();
    expectNoLeak();
  });

  it("takes a tokenizer, or that of another folder, for one that is not there or is another", async () => {
    const bare = await withFiles({ "tokenizer.json": undefined });
    const own = await load(folder);
    const expected = await own.complete("It", { seed: 1 });
    for (const given of [tokenizer, folder, { "tokenizer.json": tokenizer.toJson() }]) {
      const lm = await load(bare, { tokenizer: given });
      expect(await lm.complete("It", { seed: 1 })).toBe(expected);
      lm.dispose();
    }
    await expect(load(folder, { tokenizer: bare })).rejects.toThrow(
      `load: tokenizer: ${bare} has no tokenizer.json, tokenizer.model, or vocab.json with merges.txt`,
    );
    await expect(load(folder, { tokeniser: bare } as object)).rejects.toThrow(
      "load: has no option tokeniser; tokenizer may be meant",
    );
    own.dispose();
    await rm(bare, { recursive: true });
    expectNoLeak();
  });

  it("says what is missing: a template, a tokenizer, or what is wrong with the template", async () => {
    const folders = await Promise.all([
      withFiles({ "chat_template.jinja": undefined }),
      withFiles({ "tokenizer.json": undefined }),
      withFiles({ "chat_template.jinja": "{% for %}" }),
    ]);
    const [bare, mute, broken] = await Promise.all(folders.map((from) => load(from)));
    expect(() => bare!.chat()).toThrow("the model has no chat template");
    expect(bare!.template).toBeUndefined();
    expect(() => mute!.chat()).toThrow("the model has no tokenizer.json");
    await expect(mute!.complete("text")).rejects.toThrow("stream: the model has no tokenizer.json");
    expect(() => broken!.chat()).toThrow("not valid Jinja");
    expect(await broken!.complete("It", { seed: 1 })).toBe(await bare!.complete("It", { seed: 1 }));
    for (const lm of [bare, mute, broken]) lm!.dispose();
    for (const each of folders) await rm(each, { recursive: true });
    expectNoLeak();
  });
});

describe("inspect", () => {
  it("tells hidden states, what mixers chose, states, embeddings and perplexity as the model has them", async () => {
    const lm = await load(folder);
    const text = "Hidden states";
    const ids = tokenizer.encode(text);
    const l = ids.length;
    const look = await lm.inspect(text, { layers: true, mixers: true, states: true, perplexity: true });
    expect(look.ids).toEqual([...ids]);
    expect(look.tokens.join("")).toBe(text);
    expect(look.hidden.map(({ shape }) => shape)).toEqual(Array.from({ length: 3 }, () => [l, 32]));
    // The last hidden states make the logits, and those the perplexity.
    const input = tensor(ids, [1, l]);
    const logits = await readFloats(lm.model.forward(input).output);
    const v = lm.model.vocabSize;
    let surprise = 0;
    for (let t = 1; t < l; t++) {
      const row = logits.subarray((t - 1) * v, t * v);
      const top = Math.max(...row);
      surprise += top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0)) - row[ids[t]!]!;
    }
    expect(look.perplexity).toBeCloseTo(Math.exp(surprise / (l - 1)), 3);
    const last = look.hidden.at(-1)!.values.subarray((l - 1) * 32);
    const scale = 1 / Math.sqrt(last.reduce((sum, x) => sum + x * x, 0) / 32 + 1e-5);
    look.embedding.last.forEach((x, i) => expect(x).toBeCloseTo(last[i]! * scale, 4));
    expect(look.embedding.mean).toHaveLength(32);
    // A state is that of a session which read the text.
    const session = await lm.session().read(ids);
    for (const [name, t] of session.state.tensors())
      expect(look.states[name]!.values, name).toEqual(await readFloats(t));
    expect(look.mixers.map((told) => Object.keys(told).sort())).toEqual(
      Array.from({ length: 2 }, () => ["B", "C", "delta"]),
    );
    expect(look.mixers[0]!["delta"]).toMatchObject({ shape: [l, 64] });
    expect(look.mixers[0]!["delta"]!.values.every((x) => x > 0)).toBe(true);
    session.dispose();
    const some = await lm.inspect(ids, { layers: [2, 0] });
    expect(some.hidden).toEqual([look.hidden[2], look.hidden[0]]);
    expect([some.mixers, some.states, some.perplexity]).toEqual([[], {}, undefined]);
    input.dispose();
    lm.dispose();
  });

  it("refuses what it does not know, and frees all then", async () => {
    const lm = await load(folder);
    const all = memory().tensors;
    await expect(lm.inspect("a", { layer: true } as object)).rejects.toThrow("layers may be meant");
    await expect(lm.inspect("abc", { layers: [3] })).rejects.toThrow(
      "layers must be in 0..2 (0 is the encoder), got 3",
    );
    await expect(lm.inspect([1, 288])).rejects.toThrow("id must be a whole number in [0, 288), got 288 at 1");
    await expect(lm.inspect([])).rejects.toThrow("input is empty");
    await expect(lm.inspect([1], { perplexity: true })).rejects.toThrow("of two tokens or more");
    expect(memory().tensors).toBe(all);
    lm.dispose();
    expectNoLeak();
  });
});

describe("predict", () => {
  const sequence = (head: object, encoder: object): LoadedModel =>
    new LoadedModel({
      model: new Model(
        { dModel: 8, encoder, layers: ["mamba"], head, norm: "rms" } as ConstructorParameters<typeof Model>[0],
        1,
      ),
    } satisfies LoadedParts);

  it("gives each sequence its class, in order, whatever the lengths", async () => {
    const lm = sequence({ kind: "classification", classes: 3 }, { kind: "linear", channels: 2 });
    const inputs = [5, 3, 5, 1].map((l, s) => Array.from({ length: l }, (_, t) => [Math.sin(s + t), Math.cos(s * t)]));
    const answers = await lm.predict(inputs);
    for (const [i, { values, shape, label, probabilities }] of answers.entries()) {
      const [alone] = await lm.predict([inputs[i]!]);
      expect(shape).toEqual([3]);
      values.forEach((x, k) => expect(x).toBeCloseTo(alone!.values[k]!, 5));
      expect(label).toBe([...values].indexOf(Math.max(...values)));
      expect(probabilities!.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    }
    expect(await lm.predict([])).toEqual([]);
    lm.dispose();
    expectNoLeak();
  });

  it("regresses and forecasts, and says what does not fit", async () => {
    const forecast = sequence({ kind: "forecasting", horizon: 4, channels: 1 }, { kind: "linear", channels: 1 });
    const [next] = await forecast.predict([[0.1, 0.2, 0.3]]);
    expect(next).toMatchObject({ shape: [4, 1] });
    expect(next!.label).toBeUndefined();
    await expect(forecast.predict([[1], [[1, 2]]])).rejects.toThrow(
      "sequences[1]: must have 1 numbers a step, got 2 at 0",
    );
    await expect(forecast.predict([[1, Number.NaN]])).rejects.toThrow("must be finite, got NaN at 1");
    await expect(forecast.complete([1])).rejects.toThrow("the model does not write, its head is for forecasting");
    expect(() => forecast.session()).toThrow(ArgumentError);
    expect(() => forecast.chat()).toThrow("see predict");
    const lm = await load(folder);
    await expect(lm.predict([[1]])).rejects.toThrow("a language model writes; see stream");
    for (const each of [forecast, lm]) each.dispose();
    expectNoLeak();
  });
});

describe("save", () => {
  it("writes a folder that loads as what was loaded, tokenizer, template and defaults too", async () => {
    const lm = await load(folder);
    const other = await mkdtemp(join(tmpdir(), "statespace-load-"));
    await lm.save(other, { dtype: "F16" });
    for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja"])
      expect(await readFile(join(other, name), "utf8"), name).toBe(await readFile(join(folder, name), "utf8"));
    const again = await load(other);
    expect(again.defaults).toEqual(lm.defaults);
    expect(again.template!.render([{ role: "user", content: "x" }])).toBe("<user>x\n");
    const model = await fromPretrained(folder, { weights: "f16" });
    expect(await again.model.parameter("layers.0.mixer.in_proj.weight").read()).toEqual(
      await model.parameter("layers.0.mixer.in_proj.weight").read(),
    );
    for (const each of [lm, again, model]) each.dispose();
    await rm(other, { recursive: true });
    expectNoLeak();
  });
});
