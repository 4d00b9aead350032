import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, registerBackend, Rng, setBackend, tensor } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, prefill, Session, type TokenOptions } from "../../src/index.ts";
import { ngramProposer } from "../../src/generate/speculative/ngramProposer.ts";
import { speculate } from "../../src/generate/speculative/speculate.ts";
import { TokenLoop } from "../../src/generate/tokenLoop.ts";

const V = 23;
const LAYERS = {
  mamba: [{ kind: "mamba", dState: 4 }],
  hybrid: [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
  ],
  "delta rule": [{ kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 }],
  recurrent: [{ kind: "gru" }, { kind: "lstm" }],
  windows: [
    { kind: "rgLru", nHeads: 2 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4, window: 5, softCap: 9 },
  ],
  experts: [
    {
      kind: "mamba2",
      nHeads: 4,
      headDim: 4,
      dState: 4,
      chunkSize: 4,
      mlp: { hidden: 8, experts: 4, expertsPerToken: 2 },
    },
    { kind: "attention", nHeads: 2, rotaryDim: 4, mlp: { hidden: 8, experts: 3, router: "sigmoid", routerBias: true } },
  ],
  convolution: [{ kind: "shortConv" }, { kind: "attention", nHeads: 2, nHeadsKv: 1, qkNorm: "head" }],
} as const;
const KINDS = Object.keys(LAYERS) as (keyof typeof LAYERS)[];

const make = (name: keyof typeof LAYERS, seed = 7): Model =>
  new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: V },
      layers: [...LAYERS[name]],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    seed,
  );

async function say(session: Session, options: TokenOptions, leave = Number.POSITIVE_INFINITY): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of session.tokens({ eosTokenIds: [], ...options })) if (ids.push(id) === leave) break;
  return ids;
}

/** Largest difference of two sessions' scores, in units of the largest. */
async function distance(one: Session, other: Session): Promise<number> {
  const [x, y] = [await one.scores(), await other.scores()];
  return Math.max(...x.map((value, i) => Math.abs(value - y[i]!))) / Math.max(...x.map(Math.abs));
}

describe.each(["cpu", "wasm"])("guesses on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 1 }));
    await setBackend(backend);
  });

  it.each(KINDS)("%s: the same tokens as without them, however many hold, and wherever they are left", async (name) => {
    const before = memory().tensors;
    const model = make(name);
    const draft = make("mamba", 7);
    const twin = make(name);
    for (let seed = 0; seed < 6; seed++) {
      const rng = new Rng(seed);
      const prompt = Array.from({ length: 2 + rng.integer(12) }, (_, i) => (seed % 2 === 0 ? i % 3 : rng.integer(V)));
      const options: TokenOptions = {
        maxNewTokens: 20 + rng.integer(70),
        temperature: seed < 2 ? 0 : rng.uniform(0.2, 1.2),
        ...(seed > 3 ? { repetitionPenalty: 1.1, frequencyPenalty: 0.05 } : {}),
      };
      const guess: TokenOptions =
        seed % 3 === 2
          ? { assistantModel: seed === 2 ? draft : twin, numAssistantTokens: 1 + rng.integer(6) }
          : { promptLookupNumTokens: 1 + rng.integer(9), maxMatchingNgramSize: 1 + rng.integer(3) };
      const leave = seed % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + rng.integer(options.maxNewTokens!);
      const [plain, guessed] = [new Session(model, { seed }), new Session(model, { seed })];
      for (const session of [plain, guessed]) await session.read(prompt);
      const want = await say(plain, options, leave);
      expect(await say(guessed, { ...options, ...guess }, leave)).toEqual(want);
      expect(guessed.ids).toEqual(plain.ids);
      expect(guessed.state.position).toBe(plain.state.position);
      // Read at once and step by step: the same sums in another order.
      expect(await distance(plain, guessed)).toBeLessThan(1e-4);
      // Draws go on where they were.
      expect(await say(guessed, { ...options, maxNewTokens: 5 })).toEqual(
        await say(plain, { ...options, maxNewTokens: 5 }),
      );
      for (const session of [plain, guessed]) session.dispose();
    }
    for (const thing of [model, draft, twin]) thing.dispose();
    expect(memory().tensors).toBe(before);
  });

  it.each(KINDS)(
    "%s: guesses that do not hold leave no trace, to the last bit, however many there were",
    async (name) => {
      const model = make(name);
      const prompt = [3, 1, 4, 1, 5, 9, 2, 6];
      const plain = new Session(model);
      await plain.read(prompt);
      const truth = await say(plain, { maxNewTokens: 40, temperature: 0 });
      const text = [...prompt, ...truth];
      /** Guesses so many tokens rightly and more wrongly, each time. */
      const written = async (right: number, wrong: number): Promise<{ ids: number[]; state: Uint8Array }> => {
        const { state, logits } = await prefill(model, [prompt]);
        const loop = new TokenLoop(model, 1, state, tensor(logits, [1, V], { backend: model.backend }));
        const proposer = {
          propose: (ids: readonly number[]) =>
            text.slice(ids.length, ids.length + right + wrong).map((id, i) => (i < right ? id : (id + 1) % V)),
          dispose: () => undefined,
        };
        const round = { settings: { temperature: 0 }, streams: new Int32Array(4), counts: undefined };
        const ids: number[] = [];
        for await (const id of speculate(loop, round, { proposer, most: 9, ids: prompt }))
          if (ids.push(id) === 24) break;
        const bytes = await loop.state.toBytes();
        loop.dispose();
        return { ids, state: bytes };
      };
      for (const right of [0, 2]) {
        const [one, many] = [await written(right, 1), await written(right, 6)];
        expect(one.ids).toEqual(truth.slice(0, 24));
        expect(many).toEqual(one);
      }
      for (const thing of [plain, model]) thing.dispose();
    },
  );

  it("a model's own guesses all hold: so many tokens take fewer readings", async () => {
    const [model, twin] = [make("mamba"), make("mamba")];
    let reads = 0;
    const forward = model.forward.bind(model);
    model.forward = (...args) => (reads++, forward(...args));
    const session = new Session(model);
    await session.read([1, 2, 3]);
    reads = 0;
    await say(session, { maxNewTokens: 60, temperature: 0, assistantModel: twin, numAssistantTokens: 5 });
    expect(reads).toBeLessThanOrEqual(11);
    for (const thing of [session, model, twin]) thing.dispose();
  });
});

describe("what is guessed", () => {
  it("what stood behind the longest run before", () => {
    const lookup = ngramProposer(3);
    expect(lookup.propose([1, 2, 3, 4, 9, 2, 3], 2)).toEqual([4, 9]);
    expect(lookup.propose([1, 2, 3, 4, 9, 2, 3, 5], 2)).toEqual([]);
    expect(lookup.propose([1, 2, 3, 4, 9, 2, 3, 5, 2, 3], 4)).toEqual([5, 2, 3, 5]);
    expect(ngramProposer(2).propose([7], 3)).toEqual([]);
    expect(ngramProposer(1).propose([7, 7], 3)).toEqual([7, 7, 7]);
  });

  it("refuses what does not go together", async () => {
    await setBackend(cpuBackend());
    const model = make("mamba");
    const session = new Session(model);
    await session.read([1]);
    const refused: [object, string][] = [
      [{ promptLookupNumTokens: 3, assistantModel: model }, "exclude each other"],
      [{ promptLookupNumTokens: 3, logprobs: true }, "exclude each other"],
      [{ promptLookupNumTokens: 3, noRepeatNgramSize: 2 }, "guesses and guides exclude each other"],
      [{ promptLookupNumTokens: -1 }, "promptLookupNumTokens must be"],
      [{ maxMatchingNgramSize: 0 }, "maxMatchingNgramSize must be"],
      [{ draftModel: model }, "assistantModel may be meant"],
    ];
    for (const [options, message] of refused) {
      session.clear();
      await session.read([1]);
      await expect(say(session, options)).rejects.toThrow(message);
    }
    session.clear();
    await session.read([1]);
    const wide = new Model({ ...make("mamba").config, encoder: { kind: "embedding", vocabSize: 9 } }, 1);
    await expect(say(session, { assistantModel: wide })).rejects.toThrow(
      "must have the model's vocabulary of 23 tokens, got one of 9",
    );
    for (const thing of [session, wide, model]) thing.dispose();
  });
});
