import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import {
  ArgumentError,
  BackendError,
  FormatError,
  memory,
  readFloats,
  registerBackend,
  Rng,
  setBackend,
  ShapeError,
  tensor,
  type Tensor,
} from "@statespace/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ByteTokenizer } from "@statespace/text";
import {
  Decoder,
  fromPretrained,
  generate,
  generateText,
  Model,
  ModelState,
  nextTokenTargets,
  NO_TARGET,
  parseModelConfig,
  prefill,
  PREFILL_CHUNK,
  savePretrained,
} from "../../src/index.ts";

const VOCABULARY = 40;
const config = (overrides: Record<string, unknown> = {}): ReturnType<typeof parseModelConfig> =>
  parseModelConfig({
    model_type: "mamba",
    vocab_size: VOCABULARY,
    hidden_size: 16,
    num_hidden_layers: 2,
    state_size: 4,
    time_step_rank: 2,
    eos_token_id: null,
    ...overrides,
  });

const variants: [string, Record<string, unknown>][] = [
  ["mamba", {}],
  [
    "biases, untied head, other sizes",
    { use_bias: true, tie_word_embeddings: false, expand: 3, intermediate_size: 48, state_size: 5, conv_kernel: 3 },
  ],
  ["no convolution bias", { use_conv_bias: false }],
  ["falcon_mamba", { model_type: "falcon_mamba" }],
  ["mamba2", { model_type: "mamba2", num_heads: 4, head_dim: 8, n_groups: 2, chunk_size: 4, expand: 2 }],
];

/** Two orders of the same float32 sums, through two layers: a few hundred roundings of the largest logit. */
const ROUNDINGS = 512 * 2 ** -24;

function ids(rng: Rng, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => rng.integer(VOCABULARY));
}

async function values(t: Tensor): Promise<Float32Array> {
  const out = await readFloats(t);
  t.dispose();
  return out;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  const peak = Math.max(...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(ROUNDINGS * peak);
}

beforeAll(() => setBackend(cpuBackend()));

let before = 0;
beforeEach(() => void (before = memory().tensors));
const expectNoLeak = (): void => expect(memory().tensors).toBe(before);

describe.each(variants)("%s", (_, overrides) => {
  it("decodes step by step, captured, what the whole sequence gives", async () => {
    const model = new Model(config(overrides), 7);
    const row = ids(new Rng(1), 12);
    const input = tensor(row, [1, 12]);
    const whole = await values(model.forward(input).output);
    const decoder = new Decoder(model, model.initialState(1), 1);
    for (let t = 0; t < row.length; t++)
      expectClose(await decoder.next([row[t]!]), whole.subarray(t * VOCABULARY, (t + 1) * VOCABULARY));
    expect(decoder.state.position).toBe(12);
    expect(decoder.launches).toBeGreaterThan(10);
    for (const x of [decoder, model, input]) x.dispose();
    expectNoLeak();
  });

  it("carries its state over any split", async () => {
    const model = new Model(config(overrides), 3);
    const row = ids(new Rng(2), 10);
    const input = tensor(row, [2, 5]);
    const whole = await values(model.forward(input, { lastOnly: true }).output);
    for (const cut of [1, 2, 4]) {
      const part = (from: number, until: number): Tensor =>
        tensor(Int32Array.from([0, 1].flatMap((b) => [...row.subarray(b * 5 + from, b * 5 + until)])), [
          2,
          until - from,
        ]);
      const [first, second] = [part(0, cut), part(cut, 5)];
      const { state, output: logits } = model.forward(first, { returnState: true });
      const rest = model.forward(second, { initialState: state, lastOnly: true });
      expectClose(await values(rest.output), whole);
      for (const x of [first, second, state!, logits]) x.dispose();
    }
    for (const x of [model, input]) x.dispose();
    expectNoLeak();
  });

  it("reads prompts of unequal length as if each were alone, also over chunks", async () => {
    const model = new Model(config(overrides), 5);
    const rng = new Rng(3);
    const prompts = [3, PREFILL_CHUNK + 2, 1, PREFILL_CHUNK, 2].map((n) => ids(rng, n));
    const { logits, state } = await prefill(model, prompts);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await prefill(model, [prompt]);
      expectClose(logits.subarray(i * VOCABULARY, (i + 1) * VOCABULARY), alone.logits);
      alone.state.dispose();
    }
    state.dispose();
    model.dispose();
    expectNoLeak();
  });

  it("saves what it loads", async () => {
    const model = new Model(config(overrides), 9);
    const input = tensor(ids(new Rng(4), 6), [1, 6]);
    const before = await values(model.forward(input).output);
    await savePretrained(model, folder);
    const again = await fromPretrained(folder);
    expect(await values(again.forward(input).output)).toEqual(before);
    expect(readdirSync(folder).filter((name) => !["config.json", "model.safetensors"].includes(name))).toEqual([]);
    for (const x of [model, again, input]) x.dispose();
    expectNoLeak();
  });
});

const folder = mkdtempSync(join(tmpdir(), "statespace-model-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the state is a value", () => {
  it("clones, rolls back, forks, and survives bytes", async () => {
    const model = new Model(config(), 1);
    const decoder = new Decoder(model, model.initialState(1), 1);
    await decoder.next([3]);
    const saved = decoder.state.clone();
    const bytes = await decoder.state.toBytes();
    const onward = await decoder.next([5]);
    const twice = await decoder.next([6]);
    decoder.state.copyFrom(saved);
    expect(await decoder.next([5])).toEqual(onward);
    const restored = ModelState.fromBytes(bytes);
    expect(restored.position).toBe(1);
    const fork = new Decoder(model, restored, 1);
    expect(await fork.next([5])).toEqual(onward);
    expect(await fork.next([6])).toEqual(twice);
    for (const x of [fork, decoder, saved, model]) x.dispose();
    expectNoLeak();
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["noise", Uint8Array.from({ length: 64 }, (_, i) => (i * 37) % 256)],
  ])("refuses %s", (_, bytes) => {
    expect(() => ModelState.fromBytes(bytes)).toThrow(FormatError);
    expectNoLeak();
  });

  it("refuses a state of another shape", () => {
    const small = new Model(config(), 1);
    const large = new Model(config({ state_size: 8 }), 1);
    const [a, b] = [small.initialState(1), large.initialState(1)];
    expect(() => a.copyFrom(b)).toThrow(ShapeError);
    expect(() => a.copyFrom(b)).toThrow("copyFrom: layers.0.ssm must be [1, 32, 4], got [1, 32, 8]");
    for (const x of [a, b, small, large]) x.dispose();
    expectNoLeak();
  });
});

describe("generate", () => {
  const collect = async (model: Model, prompts: readonly ArrayLike<number>[], options = {}): Promise<number[][]> => {
    const out: number[][] = prompts.map(() => []);
    for await (const { sequence, id } of generate(model, prompts, { maxNewTokens: 6, ...options }))
      out[sequence]!.push(id);
    return out;
  };

  it("gives each prompt of a batch what it gets alone, and the same for the same seed", async () => {
    const model = new Model(config(), 2);
    const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]];
    for (const settings of [{ greedy: true }, { temperature: 1.5, topK: 10, seed: 5 }]) {
      const batch = await collect(model, prompts, settings);
      expect(await collect(model, prompts, settings)).toEqual(batch);
      for (const [i, prompt] of prompts.entries()) {
        const alone = await collect(model, [prompt], { ...settings, firstRow: i });
        expect(alone[0]).toEqual(batch[i]);
      }
    }
    expect(await collect(model, prompts, { temperature: 1.5, seed: 6 })).not.toEqual(
      await collect(model, prompts, { temperature: 1.5, seed: 7 }),
    );
    model.dispose();
    expectNoLeak();
  });

  it("goes on from a state as from the tokens that made it, and leaves it as it was", async () => {
    const model = new Model(config(), 2);
    const [whole] = await collect(model, [[1, 2, 3, 4, 5]], { greedy: true });
    const { state } = await prefill(model, [[1, 2, 3]]);
    const copy = await state.toBytes();
    const [onward] = await collect(model, [[4, 5]], { greedy: true, initialState: state });
    expect(onward).toEqual(whole);
    expect(await state.toBytes()).toEqual(copy);
    for (const x of [state, model]) x.dispose();
    expectNoLeak();
  });

  it("stops at an end token, at a stop text, and when told to", async () => {
    const model = new Model(config(), 2);
    const [free] = await collect(model, [[1]], { greedy: true });
    const [ended] = await collect(model, [[1]], { greedy: true, eosTokenIds: [free![2]!] });
    expect(ended).toEqual(free!.slice(0, free!.indexOf(free![2]!) + 1));
    const abort = new AbortController();
    const seen: number[] = [];
    await expect(async () => {
      for await (const { id } of generate(model, [[1]], { maxNewTokens: 50, signal: abort.signal })) {
        seen.push(id);
        if (seen.length === 3) abort.abort();
      }
    }).rejects.toThrow(expect.objectContaining({ name: "AbortedError" }));
    expect(seen.length).toBe(3);
    for await (const _ of generate(model, [[1]], { maxNewTokens: 50 })) break; // leaving the loop frees everything
    model.dispose();
    expectNoLeak();
  });

  it("streams text whose pieces add up to the decoding of all tokens", async () => {
    const model = new Model(config({ vocab_size: 256 }), 4);
    const tokenizer = new ByteTokenizer();
    const pieces: string[] = [];
    const made: number[] = [];
    for await (const { text, id } of generateText(model, tokenizer, "héllo", { maxNewTokens: 30, temperature: 2 })) {
      pieces.push(text);
      made.push(id);
    }
    expect(pieces.join("")).toBe(tokenizer.decode(made));
    model.dispose();
    expectNoLeak();
  });

  it.each([
    ["temperature", { temperature: Number.NaN }],
    ["temperature", { temperature: -1 }],
    ["topK", { topK: -2 }],
    ["topP", { topP: 0 }],
    ["minP", { minP: 2 }],
    ["repetitionPenalty", { repetitionPenalty: -1 }],
    ["maxNewTokens", { maxNewTokens: 1.5 }],
  ])("refuses a bad %s before any work", async (name, settings) => {
    const model = new Model(config(), 2);
    await expect(collect(model, [[1]], settings)).rejects.toThrow(ArgumentError);
    await expect(collect(model, [[1]], settings)).rejects.toThrow(name);
    model.dispose();
    expectNoLeak();
  });

  it.each([[[-1]], [[VOCABULARY]], [[1.5]], [[Number.NaN]], [[]]])("refuses the prompt %j", async (prompt) => {
    const model = new Model(config(), 2);
    await expect(collect(model, [prompt])).rejects.toThrow(ArgumentError);
    model.dispose();
    expectNoLeak();
  });
});

describe("loading", () => {
  const golden = new URL("../../../conformance/golden/hf/mamba-tiny/", import.meta.url).pathname;

  it("moves to another backend with the same greedy tokens", async () => {
    registerBackend({ ...cpuBackend(), name: "cpu-two" });
    const model = await fromPretrained(golden);
    const run = async (): Promise<number[]> => {
      const out: number[] = [];
      for await (const { id } of generate(model, [[5, 6, 7]], { greedy: true, maxNewTokens: 8, eosTokenIds: [] }))
        out.push(id);
      return out;
    };
    const here = await run();
    await model.to("cpu-two");
    expect(await run()).toEqual(here);
    await expect(model.to("nowhere")).rejects.toThrow(BackendError);
    expect(await run()).toEqual(here);
    await model.to("cpu");
    model.dispose();
    expectNoLeak();
  });

  it.each(["f16", "bf16", "q8"] as const)(
    "keeps weights as %s, close to float32, and refuses to train through them",
    async (format) => {
      const model = await fromPretrained(golden);
      const packed = await fromPretrained(golden, { weights: format });
      const input = tensor(Int32Array.of(1, 2, 3, 4), [1, 4]);
      const [full, small] = [await values(model.forward(input).output), await values(packed.forward(input).output)];
      const peak = Math.max(...full.map(Math.abs));
      // Half an ulp of the format a weight (2^-12, 2^-9; 1/254 of a block's largest), averaged over sums of 32 to 64 of them, through two layers.
      const bound = { f16: 2 ** -9, bf16: 2 ** -6, q8: 2 ** -5 }[format];
      small.forEach((x, i) => expect(Math.abs(x - full[i]!)).toBeLessThan(bound * peak));
      expect(packed.parameter("layers.0.mixer.in_proj.weight").trainable).toBe(false);
      for (const x of [model, packed, input]) x.dispose();
      expectNoLeak();
    },
  );

  it("leaves nothing behind when it is aborted or the file is wrong", async () => {
    await expect(fromPretrained(golden, { signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: "AbortedError" }),
    );
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    await expect(
      fromPretrained({ "config.json": bytes(JSON.stringify({ model_type: "gpt2" })), "model.safetensors": bytes("") }),
    ).rejects.toThrow(FormatError);
    expectNoLeak();
  });
});

describe("training", () => {
  it("shifts targets by one within each row", () => {
    expect([...nextTokenTargets(Int32Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([2, 3, NO_TARGET, 5, 6, NO_TARGET]);
  });
});
