import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { registerBackend, Rng, setBackend } from "@statespace/core";
import { ByteTokenizer } from "@statespace/text";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, prefill, Session, type GeneratedToken, type TokenOptions } from "../../src/index.ts";

const V = 23;

function make(vocabSize = V, seed = 7): Model {
  return new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize },
      layers: [
        { kind: "mamba", dState: 4 },
        { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
      ],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    seed,
  );
}

async function tokensOf(session: Session, options: TokenOptions): Promise<GeneratedToken[]> {
  const all: GeneratedToken[] = [];
  for await (const token of session.tokens({ eosTokenIds: [], ...options })) all.push(token);
  return all;
}
const idsOf = async (session: Session, options: TokenOptions): Promise<number[]> =>
  (await tokensOf(session, options)).map(({ id }) => id);

/** What each of some options says of the same text. */
async function each(options: readonly TokenOptions[], prompt: readonly number[] = [1, 2, 3]): Promise<number[][]> {
  const model = make();
  const session = new Session(model);
  await session.read(prompt);
  const point = session.keep();
  const all: number[][] = [];
  for (const own of options) {
    session.rewind(point);
    all.push(await idsOf(session, own));
  }
  for (const thing of [session, model]) thing.dispose();
  return all;
}

describe.each(["cpu", "wasm"])("the host's say in the choice of tokens, on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 1 }));
    await setBackend(backend);
  });

  it("looking on changes nothing", async () => {
    const sampled = { maxNewTokens: 12, temperature: 1.4, topK: 9, topP: 0.9, repetitionPenalty: 1.2, seed: 5 };
    const model = make();
    const session = new Session(model);
    await session.read([1, 2, 3]);
    const point = session.keep();
    const plain = await tokensOf(session, { ...sampled, logprobs: true });
    session.rewind(point);
    const told = await tokensOf(session, { ...sampled, logprobs: true, topLogprobs: 4 });
    expect(told.map(({ id }) => id)).toEqual(plain.map(({ id }) => id));
    plain.forEach(({ logprob }, i) => expect(told[i]!.logprob).toBeCloseTo(logprob!, 5));
    // By the whole text's own scores.
    const { logits, state } = await prefill(model, [[1, 2, 3, ...plain.slice(0, 5).map(({ id }) => id)]]);
    const norm = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
    const want = [...logits.keys()].toSorted((x, y) => logits[y]! - logits[x]!).slice(0, 4);
    expect(told[5]!.topLogprobs!.map(({ id }) => id)).toEqual(want);
    for (const { id, logprob } of told[5]!.topLogprobs!) expect(logprob).toBeCloseTo(logits[id]! - norm, 4);
    for (const thing of [session, state, model]) thing.dispose();
  });

  it("logitBias moves and forbids tokens", async () => {
    const [free, forced, forbidden] = (await each([
      { maxNewTokens: 6, temperature: 0 },
      { maxNewTokens: 6, temperature: 0, logitBias: { 17: 100 } },
      { maxNewTokens: 200, temperature: 5, logitBias: { 3: Number.NEGATIVE_INFINITY, 4: -1e9 } },
    ])) as [number[], number[], number[]];
    expect(forced).toEqual(Array.from({ length: 6 }, () => 17));
    expect(free).not.toEqual(forced);
    expect(new Set(forbidden).size).toBeGreaterThan(12);
    expect(forbidden).not.toContain(3);
    expect(forbidden).not.toContain(4);
  });

  it("noRepeatNgramSize lets no run come twice, prompt included, and is greedy otherwise", async () => {
    const prompt = [1, 2, 3, 1, 2];
    for (const size of [1, 2, 3]) {
      const maxNewTokens = size === 1 ? 15 : 60;
      const [ids] = (await each([{ maxNewTokens, temperature: 0, noRepeatNgramSize: size }], prompt)) as [number[]];
      const text = [...prompt, ...ids];
      const runs = text.slice(size - 1).map((_, i) => text.slice(i, i + size).join());
      const own = runs.slice(prompt.length - size + 1);
      expect(new Set(own).size).toBe(own.length);
      for (const run of runs.slice(0, prompt.length - size + 1)) expect(own).not.toContain(run);
    }
  });

  it("badWordsIds: a word's last token is forbidden after the others, and only there", async () => {
    const [ids] = (await each([{ maxNewTokens: 400, temperature: 5, badWordsIds: [[4], [5, 6], [7, 8, 9]] }])) as [
      number[],
    ];
    const text = ids.join(" ");
    expect(` ${text} `).not.toMatch(/ 4 | 5 6 | 7 8 9 /);
    for (const id of [5, 6, 7, 8, 9]) expect(ids).toContain(id);
  });

  it("minNewTokens and minLength hold back the end", async () => {
    const eosTokenIds = Array.from({ length: 20 }, (_, i) => i);
    const lengths = (
      await each([
        { temperature: 2, eosTokenIds },
        { temperature: 2, eosTokenIds, minNewTokens: 7 },
        { temperature: 2, eosTokenIds, minLength: 9 },
      ])
    ).map(({ length }) => length);
    expect(lengths[0]).toBeLessThan(4);
    expect(lengths[1]).toBeGreaterThanOrEqual(8);
    expect(lengths[2]).toBeGreaterThanOrEqual(7);
    expect(lengths[2]).toBeLessThan(12);
  });

  it("typicalP draws from what the definition keeps, each by its share", async () => {
    const model = make();
    const session = new Session(model);
    await session.read([1, 2, 3]);
    const { logits, state } = await prefill(model, [[1, 2, 3]]);
    const settings = { temperature: 1.5, topK: 18, typicalP: 0.5 };
    // The definition, by the book.
    const scores = [...logits].map((x) => x / settings.temperature);
    const kth = scores.toSorted((x, y) => y - x)[settings.topK - 1]!;
    const weights = scores.map((x) => (x >= kth ? Math.exp(x) : 0));
    const mass = weights.reduce((x, y) => x + y);
    const p = weights.map((x) => x / mass);
    const entropy = p.reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0);
    const order = [...p.keys()]
      .filter((id) => p[id]! > 0)
      .toSorted((x, y) => Math.abs(-Math.log(p[x]!) - entropy) - Math.abs(-Math.log(p[y]!) - entropy));
    const kept: number[] = [];
    for (let sum = 0; sum < settings.typicalP; sum += p[kept.at(-1)!]!) kept.push(order[kept.length]!);
    const total = kept.reduce((sum, id) => sum + p[id]!, 0);
    const draws = 600;
    const seen = new Map<number, number>();
    const many = session.fork({ rows: draws, seed: 4 });
    for (const { id } of await tokensOf(many, { ...settings, maxNewTokens: 1 })) seen.set(id, (seen.get(id) ?? 0) + 1);
    expect([...seen.keys()].toSorted((x, y) => x - y)).toEqual(kept.toSorted((x, y) => x - y));
    for (const id of kept) {
      const share = p[id]! / total;
      const error = Math.sqrt((share * (1 - share)) / draws);
      expect(Math.abs(seen.get(id)! / draws - share)).toBeLessThan(5 * error);
    }
    for (const thing of [many, session, state, model]) thing.dispose();
  });

  it("texts of one reading: each is what its generator makes of the prompt", async () => {
    const model = make();
    const session = new Session(model);
    await session.read([1, 2, 3]);
    const options = { maxNewTokens: 8, temperature: 2 };
    const many = session.fork({ rows: 5, seed: 9 });
    const rows: number[][] = Array.from({ length: 5 }, () => []);
    for (const { sequence, id } of await tokensOf(many, options)) rows[sequence]!.push(id);
    expect(new Set(rows.map((ids) => ids.join())).size).toBe(5);
    expect(many.texts.map((ids) => ids.length)).toEqual([11, 11, 11, 11, 11]);
    for (const [row, ids] of rows.entries()) {
      const alone = new Session(model, { seed: 9, firstRow: row });
      await alone.read([1, 2, 3]);
      expect(await idsOf(alone, options)).toEqual(ids);
      alone.dispose();
    }
    expect(session.ids).toEqual([1, 2, 3]);
    expect(() => many.fork({ rows: 2 })).toThrow("fork: rows must be 5");
    for (const thing of [many, session, model]) thing.dispose();
  });

  it("says when no token is left, and goes back from there", async () => {
    const model = make();
    const session = new Session(model);
    await session.read([1]);
    const point = session.keep();
    const none = Object.fromEntries(Array.from({ length: V }, (_, id) => [id, Number.NEGATIVE_INFINITY]));
    await expect(idsOf(session, { logitBias: none })).rejects.toThrow("no token is left that text 0 may go on with");
    session.rewind(point);
    expect((await idsOf(session, { maxNewTokens: 3 })).length).toBe(3);
    for (const thing of [session, model]) thing.dispose();
  });

  it("a guide of one's own ends the text", async () => {
    const model = make();
    const session = new Session(model);
    await session.read([1]);
    const wanted = [4, 9, 2];
    const guide = () => {
      let at = 0;
      return {
        guide: (bias: Float32Array) => void (bias[wanted[at]!]! += 1000),
        accept: () => ++at === wanted.length,
      };
    };
    expect(await idsOf(session, { guide })).toEqual(wanted);
    expect(session.finish).toBe("eos");
    for (const thing of [session, model]) thing.dispose();
  });
});

describe("names and ranges", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("words are banned as text, with a space before them or without", async () => {
    const model = make(256);
    const tokenizer = new ByteTokenizer();
    const session = new Session(model, { tokenizer });
    await session.read("a");
    let text = "";
    for await (const piece of session.stream({
      maxNewTokens: 300,
      temperature: 3,
      badWords: ["e", "ab"],
      eosTokenIds: [],
    }))
      text += piece;
    expect(text).not.toMatch(/e|ab/);
    await expect(async () => {
      for await (const _ of session.stream({ badWords: [""] }));
    }).rejects.toThrow("badWords: must hold non-empty strings");
    for (const thing of [session, model]) thing.dispose();
  });

  it("refuses what is out of range, and tells what may be meant", async () => {
    const model = make();
    const session = new Session(model);
    await session.read([1]);
    const refused: [object, string][] = [
      [{ typicalP: 0 }, "typicalP must be a number in (0, 1]"],
      [{ noRepeatNgramSize: -1 }, "noRepeatNgramSize must be a whole number"],
      [{ logitBias: { 99: 1 } }, "logitBias must have numbers below Infinity for token ids in [0, 23), got 99: 1"],
      [{ logitBias: { 3: Number.NaN } }, "logitBias must have"],
      [{ badWordsIds: [[]] }, "badWordsIds must be lists"],
      [{ badWordsIds: [[1, 99]] }, "badWordsIds must be lists"],
      [{ minNewTokens: 0.5 }, "minNewTokens must be"],
      [{ topLogprobs: -1 }, "topLogprobs must be"],
      [{ guide: {} }, "guide must be a function"],
      [{ typical_p: 0.5 }, "typicalP may be meant"],
      [{ no_repeat_ngram_size: 2 }, "noRepeatNgramSize may be meant"],
      [{ logit_bias: {} }, "logitBias may be meant"],
      [{ bad_words_ids: [] }, "badWordsIds may be meant"],
      [{ min_length: 2 }, "minLength may be meant"],
      [{ sequenceBias: {} }, "logitBias may be meant"],
    ];
    for (const [options, message] of refused) await expect(idsOf(session, options)).rejects.toThrow(message);
    for (const thing of [session, model]) thing.dispose();
  });

  it("random options: the guided text obeys all of them at once", async () => {
    const model = make();
    for (let seed = 0; seed < 12; seed++) {
      const rng = new Rng(seed);
      const session = new Session(model, { seed });
      const prompt = Array.from({ length: 1 + rng.integer(6) }, () => rng.integer(V));
      await session.read(prompt);
      const banned = rng.integer(V);
      const size = 2 + rng.integer(2);
      const ids = await idsOf(session, {
        maxNewTokens: 30,
        temperature: rng.uniform() < 0.5 ? 0 : 1.5,
        noRepeatNgramSize: size,
        logitBias: { [banned]: Number.NEGATIVE_INFINITY },
        badWordsIds: [[5, 6]],
        typicalP: rng.uniform() < 0.5 ? 1 : 0.9,
        minNewTokens: 10,
        eosTokenIds: [2],
      });
      const text = [...prompt, ...ids];
      const runs = text.slice(size - 1).map((_, i) => text.slice(i, i + size).join());
      const own = runs.slice(Math.max(0, prompt.length - size + 1));
      expect(new Set(own).size).toBe(own.length);
      expect(ids).not.toContain(banned);
      expect(` ${ids.join(" ")} `).not.toContain(" 5 6 ");
      expect(ids.slice(0, 10)).not.toContain(2);
      session.dispose();
    }
    model.dispose();
  });
});
