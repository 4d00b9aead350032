import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { memory, readFloats, registerBackend, Rng, setBackend } from "@statespace/core";
import { ByteTokenizer } from "@statespace/text";
import { beforeAll, describe, expect, it } from "vitest";
import {
  BusyError,
  Model,
  Scheduler,
  Session,
  StateStore,
  type Generation,
  type GenerationPiece,
  type StreamOptions,
} from "../../src/index.ts";
import { PromptReader } from "../../src/generate/promptReader.ts";

const V = 256;
const LAYERS = {
  mamba: [{ kind: "mamba", dState: 4 }],
  hybrid: [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
  ],
  halves: [
    { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
    { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4, window: 5, sinks: true },
  ],
  "delta rule": [{ kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 }],
} as const;
const KINDS = Object.keys(LAYERS) as (keyof typeof LAYERS)[];

function make(name: keyof typeof LAYERS): Model {
  const model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: V },
      layers: [...LAYERS[name]],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    7,
  );
  if (name === "halves") model.cacheType = "f16";
  return model;
}

async function piecesOf(generation: Generation): Promise<GenerationPiece[]> {
  const all: GenerationPiece[] = [];
  for await (const piece of generation) all.push(piece);
  return all;
}

interface Wish {
  readonly prompt: readonly number[];
  readonly options: StreamOptions;
}

function wish(rng: Rng, seed: number): Wish {
  return {
    prompt: Array.from({ length: 1 + rng.integer(30) }, () => rng.integer(V)),
    options: {
      seed,
      maxNewTokens: 1 + rng.integer(12),
      temperature: rng.uniform() < 0.3 ? 0 : 1.5,
      eosTokenIds: [],
      topLogprobs: 2,
      ...(rng.uniform() < 0.3 ? { topK: 20, topP: 0.9 } : {}),
      ...(rng.uniform() < 0.3 ? { repetitionPenalty: 1.4, frequencyPenalty: 0.3 } : {}),
      ...(rng.uniform() < 0.3 ? { noRepeatNgramSize: 2 } : {}),
    },
  };
}

describe.each(["cpu", "wasm", "wasm-two"])("a scheduler on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend(wasmBackend({ threads: 1 }));
    registerBackend({ ...wasmBackend({ threads: 2, parallelWork: 64 }), name: "wasm-two" });
    await setBackend(backend);
  });

  it.each(KINDS)("%s: what a text gets does not depend on who else is there, to the last bit", async (name) => {
    const before = memory().tensors;
    const model = make(name);
    const rng = new Rng(3);
    const wishes = Array.from({ length: 14 }, (_, i) => wish(rng, i));
    const alone: GenerationPiece[][] = [];
    for (const { prompt, options } of wishes) {
      const scheduler = new Scheduler(model, { slots: 4, prefillChunk: 8 });
      alone.push(await piecesOf(scheduler.submit(prompt, options)));
      scheduler.dispose();
    }
    const scheduler = new Scheduler(model, { slots: 4, prefillChunk: 8 });
    const crowd = await Promise.all(
      wishes.map(async ({ prompt, options }, i) => {
        // They come one after the other, while others are going on.
        for (let turn = 0; turn < 3 * i; turn++) await new Promise((resolve) => setImmediate(resolve));
        return piecesOf(scheduler.submit(prompt, options));
      }),
    );
    expect(crowd).toEqual(alone);
    expect(scheduler.stats).toMatchObject({ running: 0, waiting: 0 });
    scheduler.dispose();
    await scheduler.close();
    model.dispose();
    expect(memory().tensors).toBe(before);
  });

  it.each(KINDS)("%s: a text is that of a session of its own", async (name) => {
    const model = make(name);
    const scheduler = new Scheduler(model, { slots: 3 });
    const options = { maxNewTokens: 80, temperature: 0.8, seed: 4, eosTokenIds: [] };
    const [text] = await Promise.all([
      piecesOf(scheduler.submit([1, 2, 3, 4, 5], options)),
      piecesOf(scheduler.submit([9], { ...options, maxNewTokens: 7 })),
    ]);
    const session = new Session(model, { seed: 4 });
    await session.read([1, 2, 3, 4, 5]);
    const ids: number[] = [];
    for await (const { id } of session.tokens(options)) ids.push(id);
    // A draw falls on a boundary between two tokens about never.
    expect(text.map(({ id }) => id)).toEqual(ids);
    for (const thing of [session, scheduler, model]) thing.dispose();
  });

  it("goes on where an earlier text was, bit for bit as if it had not ended", async () => {
    const model = make("hybrid");
    const store = new StateStore({ every: 8 });
    const options = { maxNewTokens: 9, temperature: 1.2, seed: 1, eosTokenIds: [], topLogprobs: 1 };
    const prompt = Array.from({ length: 21 }, (_, i) => (i * 37) % V);
    const scheduler = new Scheduler(model, { slots: 2, prefillChunk: 8, store });
    const first = scheduler.submit(prompt, { ...options, maxNewTokens: 18 });
    const whole = await piecesOf(first);
    expect(first.cachedTokens).toBe(0);
    const half = scheduler.submit(prompt, options);
    const begun = await piecesOf(half);
    expect(half.cachedTokens).toBe(21);
    expect(begun).toEqual(whole.slice(0, 9).map((piece, i) => ({ ...piece, done: i === 8 })));
    await scheduler.close();
    const again = new Scheduler(model, { slots: 2, prefillChunk: 8, store });
    const next = again.submit(half.ids, { ...options, temperature: 0 });
    const later = await piecesOf(next);
    expect(next.cachedTokens).toBe(30);
    // The same place reached anew, in a scheduler that knows of no store.
    const plain = new Scheduler(model, { slots: 2, prefillChunk: 8 });
    await piecesOf(plain.submit(prompt, options));
    const forced = plain.submit(prompt, {
      ...options,
      temperature: 0,
      maxNewTokens: 18,
      guide: () => {
        let at = 0;
        const said = half.ids.slice(21);
        return {
          guide: (bias) => void (at < said.length && (bias[said[at]!]! += 1000)),
          accept: () => void at++,
        };
      },
    });
    expect((await piecesOf(forced)).slice(9)).toEqual(later);
    for (const thing of [scheduler, again, plain, model]) thing.dispose();
  });

  it("reads a prompt of 1,000 tokens once for eight texts, and steps all of them at once", async () => {
    const model = make("hybrid");
    let [read, steps] = [0, 0];
    const [forward, step] = [model.forward.bind(model), model.step.bind(model)];
    const inParts = model.forwardInParts.bind(model);
    model.forward = (...args) => ((read += args[0].shape[1]!), forward(...args));
    model.forwardInParts = (...args) => ((read += args[0].shape[1]!), inParts(...args));
    model.step = (...args) => (steps++, step(...args));
    const prompt = Array.from({ length: 1000 }, (_, i) => (i * 31) % V);
    const scheduler = new Scheduler(model, { slots: 8, prefillChunk: 128 });
    const all = scheduler.submitAll(prompt, 8, { maxNewTokens: 12, temperature: 2, seed: 5, eosTokenIds: [] });
    const texts = await Promise.all(all.map(piecesOf));
    expect(new Set(texts.map((pieces) => pieces.map(({ id }) => id).join())).size).toBe(8);
    expect(read).toBe(1000);
    expect(scheduler.stats).toMatchObject({ promptTokens: 1000, newTokens: 96 });
    // What is captured runs again by itself: once to get ready, once to be recorded.
    expect(steps).toBe(2);
    for (const thing of [scheduler, model]) thing.dispose();
  });

  it("reads the prompt of several texts once", async () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model, { slots: 3 });
    const all = scheduler.submitAll([1, 2, 3], 8, { maxNewTokens: 6, temperature: 2, seed: 5, eosTokenIds: [] });
    const texts = await Promise.all(all.map(piecesOf));
    expect(new Set(texts.map((pieces) => pieces.map(({ id }) => id).join())).size).toBe(8);
    expect(scheduler.stats).toMatchObject({ promptTokens: 3, newTokens: 48 });
    const [single] = [
      await piecesOf(scheduler.submit([1, 2, 3], { maxNewTokens: 6, temperature: 2, seed: 5, eosTokenIds: [] })),
    ];
    expect(single).toEqual(texts[0]);
    for (const thing of [scheduler, model]) thing.dispose();
  });
});

describe("texts that end early", () => {
  beforeAll(() => setBackend(cpuBackend()));
  const long = { maxNewTokens: 400, temperature: 1, eosTokenIds: [] };

  it("an abort ends one of them within a token, and gives its slot to the next", async () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model, { slots: 1 });
    const abort = new AbortController();
    const first = scheduler.submit([1], { ...long, signal: abort.signal });
    const second = scheduler.submit([2], { ...long, maxNewTokens: 3 });
    let seen = 0;
    await expect(async () => {
      for await (const _ of first) if (++seen === 4) abort.abort();
    }).rejects.toMatchObject({ name: "AbortedError" });
    expect(seen).toBeLessThanOrEqual(5);
    expect((await piecesOf(second)).length).toBe(3);
    expect(scheduler.stats).toMatchObject({ running: 0, waiting: 0 });
    const third = scheduler.submit([2], { ...long, signal: AbortSignal.abort() });
    await expect(piecesOf(third)).rejects.toMatchObject({ name: "AbortedError" });
    for (const thing of [scheduler, model]) thing.dispose();
  });

  it.each(KINDS)(
    "%s: a prompt through some layers at a time is, to the last bit, one through all of them",
    async (name) => {
      const before = memory().tensors;
      const model = make(name);
      const prompt = Array.from({ length: 37 }, (_, i) => (i * 31) % V);
      const contents = async (tokens: number): Promise<unknown[]> => {
        const reader = new PromptReader(model, [prompt], { chunk: 16 });
        let rests = 0;
        while (reader.done < reader.total) for (const _ of reader.inParts(tokens)) rests++;
        const { state, logits } = reader.standing;
        const all = [await readFloats(logits), await state.toBytes()];
        reader.dispose();
        expect(rests).toBe(tokens === 1 ? 3 * (model.blocks.length - 1) : 0);
        return all;
      };
      expect(await contents(1)).toEqual(await contents(100));
      const left = new PromptReader(model, [prompt], { chunk: 16 });
      left.next();
      const half = left.inParts(1);
      half.next();
      half.return();
      left.dispose();
      model.dispose();
      expect(memory().tensors).toBe(before);
    },
  );

  it("a reader that leaves gives its slot back, also while its prompt is read", async () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model, { slots: 1, prefillChunk: 4 });
    for await (const _ of scheduler.submit([1], long)) break;
    // So long that it is still being read, however late the next task comes.
    const reading = scheduler.submit(
      Array.from({ length: 20_000 }, (_, i) => i % V),
      long,
    );
    const next = scheduler.submit([3], { ...long, maxNewTokens: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    reading.cancel();
    expect((await piecesOf(next)).length).toBe(2);
    expect(reading.finish).toBe("left");
    expect(reading.made).toBe(0);
    for (const thing of [scheduler, model]) thing.dispose();
  });

  it("a guide that fails, and logits that are no numbers, end their own text alone", async () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model, { slots: 3 });
    const broken = scheduler.submit([1], {
      ...long,
      guide: () => ({
        guide: () => {
          throw new Error("the guide broke");
        },
      }),
    });
    const none = scheduler.submit([1], {
      ...long,
      logitBias: Object.fromEntries(Array.from({ length: V }, (_, id) => [id, Number.NEGATIVE_INFINITY])),
    });
    const fine = scheduler.submit([1], { ...long, maxNewTokens: 5 });
    await expect(piecesOf(broken)).rejects.toThrow("the guide broke");
    await expect(piecesOf(none)).rejects.toThrow("no token is left");
    expect((await piecesOf(fine)).length).toBe(5);
    for (const thing of [scheduler, model]) thing.dispose();
  });

  it("stop texts, ends of text and text itself", async () => {
    const model = make("mamba");
    const tokenizer = new ByteTokenizer();
    const scheduler = new Scheduler(model, { slots: 2, tokenizer, defaults: { eosTokenIds: [], temperature: 0 } });
    const free = scheduler.submit("hello", { maxNewTokens: 30 });
    const whole = await free.text();
    expect(whole).toBe(tokenizer.decode(free.ids.slice(5)));
    expect(free.finish).toBe("length");
    const stop = whole.slice(4, 6);
    const stopped = scheduler.submit("hello", { maxNewTokens: 30, stop });
    expect(await stopped.text()).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(stopped.finish).toBe("stop");
    const eos = free.ids[7]!;
    const ended = scheduler.submit("hello", { maxNewTokens: 30, eosTokenIds: [eos] });
    await piecesOf(ended);
    expect(ended.finish).toBe("eos");
    expect(ended.ids.slice(5)).toEqual(free.ids.slice(5, free.ids.indexOf(eos, 5) + 1));
    for (const thing of [scheduler, model]) thing.dispose();
  });

  it("close lets running texts end and takes no more; dispose ends them", async () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model, { slots: 2, maxWaiting: 2 });
    const running = scheduler.submit([1], { ...long, maxNewTokens: 20 });
    scheduler.submit([2], { ...long, maxNewTokens: 2 });
    expect(() => scheduler.submit([2], long)).toThrow(BusyError);
    const closing = scheduler.close();
    expect(() => scheduler.submit([1], long)).toThrow("the scheduler is closed");
    expect((await piecesOf(running)).length).toBe(20);
    await closing;
    scheduler.dispose();
    const other = new Scheduler(model);
    const cut = other.submit([1], long);
    other.dispose();
    await expect(piecesOf(cut)).rejects.toThrow("the scheduler was disposed");
    model.dispose();
  });

  it("refuses what is no option or no prompt", () => {
    const model = make("mamba");
    const scheduler = new Scheduler(model);
    expect(() => new Scheduler(model, { batch: 3 } as object)).toThrow("Scheduler: has no option batch");
    expect(() => new Scheduler(model, { slots: 0 })).toThrow("Scheduler: slots must be");
    expect(() => scheduler.submit([], {})).toThrow("submit is empty");
    expect(() => scheduler.submit([V], {})).toThrow("id 256 at 0");
    expect(() => scheduler.submit("text", {})).toThrow("needs a tokenizer");
    expect(() => scheduler.submit([1], { max_tokens: 3 } as object)).toThrow("maxNewTokens may be meant");
    expect(() => scheduler.submitAll([1], 0)).toThrow("n must be");
    for (const thing of [scheduler, model]) thing.dispose();
  });
});
