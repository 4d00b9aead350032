import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { ArgumentError, FormatError, memory, NonFiniteError, registerBackend, Rng, setBackend } from "@statespace/core";
import { ByteTokenizer } from "@statespace/text";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { generate, Model, prefill, Session, type TokenOptions } from "../../src/index.ts";

const V = 23;

const SETTINGS = {
  mamba: { kind: "mamba", dState: 4 },
  mamba2: { kind: "mamba2", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
  mamba3: { kind: "mamba3", nHeads: 4, headDim: 4, dState: 4, chunkSize: 4 },
  attention: { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
  gatedDelta: { kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 },
  window: { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4, window: 5, sinks: true },
  gated: { kind: "attention", nHeads: 2, rotaryDim: 2, qkNorm: "head", qkNormOffset: 1, outputGate: true },
} as const;
type Kind = keyof typeof SETTINGS;

function make(layers: readonly Kind[], vocabSize = V): Model {
  const model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize },
      layers: layers.map((kind) => SETTINGS[kind]),
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    7,
  );
  if (layers === MODELS["hybrid, halves"]) model.cacheType = "f16";
  return model;
}

const MODELS: Readonly<Record<string, readonly Kind[]>> = {
  mamba: ["mamba", "mamba"],
  mamba2: ["mamba2"],
  mamba3: ["mamba3"],
  hybrid: ["mamba2", "attention", "mamba"],
  "delta rule": ["gatedDelta", "gated"],
  "hybrid, halves": ["mamba2", "attention", "window"],
};

async function said(session: Session, options: TokenOptions): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of session.tokens({ eosTokenIds: [], ...options })) ids.push(id);
  return ids;
}

/** Everything a session is, as bytes: equal for sessions that go on alike. */
const bytesOf = async (session: Session): Promise<string> => Buffer.from(await session.save()).toString("base64");

/** A step of a random program: what both of two sessions that should be alike do. */
type Action = (session: Session) => Promise<void>;

function randomAction(rng: Rng): Action {
  if (rng.uniform() < 0.4) {
    const ids = Array.from({ length: 1 + rng.integer(6) }, () => rng.integer(V));
    return async (session) => void (await session.read(ids));
  }
  const options = {
    maxNewTokens: 1 + rng.integer(5),
    temperature: rng.uniform(0, 2),
    ...(rng.uniform() < 0.3 ? { repetitionPenalty: 1.5, frequencyPenalty: 0.2 } : {}),
    ...(rng.uniform() < 0.3 ? { topK: 5 } : {}),
    ...(rng.uniform() < 0.3 ? { logprobs: true } : {}),
  };
  const leave = rng.uniform() < 0.3 ? 1 + rng.integer(options.maxNewTokens) : Number.POSITIVE_INFINITY;
  return async (session) => {
    let made = 0;
    for await (const _ of session.tokens({ eosTokenIds: [], ...options })) if (++made === leave) break;
  };
}

describe.each(["cpu", "wasm"])("sessions on %s", (backend) => {
  beforeAll(async () => {
    registerBackend(cpuBackend());
    registerBackend({ ...cpuBackend(), name: "cpu-two" });
    registerBackend(wasmBackend({ threads: 1 }));
    await setBackend(backend);
  });

  it.each(Object.entries(MODELS))(
    "%s: programs of read, say, save, restore, fork, rewind and to",
    async (_, layers) => {
      const before = memory().tensors;
      for (let program = 0; program < (backend === "cpu" ? 4 : 2); program++) {
        const rng = new Rng(100 + program);
        const model = make(layers);
        const one = new Session(model, { seed: program });
        const other = new Session(model, { seed: program });
        const first = Array.from({ length: 1 + rng.integer(70) }, () => rng.integer(V));
        for (const session of [one, other]) await session.read(first);
        let twin = other;
        for (let step = 0; step < 8; step++) {
          const action = randomAction(rng);
          const kind = rng.integer(4);
          if (kind === 0) {
            // Restored = uninterrupted.
            const bytes = await twin.save();
            twin.dispose();
            twin = new Session(model).restore(bytes);
          } else if (kind === 1) {
            // Forked = separate: what the first of the two does afterwards is not seen.
            const fork = twin.fork();
            await randomAction(rng)(twin);
            twin.dispose();
            twin = fork;
          } else if (kind === 2) {
            // A detour and back is no detour.
            const point = twin.keep();
            await randomAction(rng)(twin);
            await randomAction(rng)(twin);
            twin.rewind(point);
            if (rng.uniform() < 0.5) twin.forget(point);
          } else if (backend === "cpu" && rng.uniform() < 0.5) {
            // Another backend and back; the model goes too, so the other session goes as bytes.
            const bytes = await one.save();
            one.dispose();
            await twin.to("cpu-two");
            await twin.to("cpu");
            one.restore(bytes);
          }
          await action(one);
          await action(twin);
          expect(twin.ids).toEqual(one.ids);
          expect(await bytesOf(twin)).toBe(await bytesOf(one));
          expect(one.state.position).toBe(one.ids.length);
        }
        for (const thing of [one, twin, model]) thing.dispose();
      }
      expect(memory().tensors).toBe(before);
    },
  );

  it.each(Object.entries(MODELS))("%s: the told state is that of everything read and said", async (_, layers) => {
    const model = make(layers);
    const session = new Session(model);
    await session.read([1, 2, 3]);
    await said(session, { maxNewTokens: 5, temperature: 0 });
    await said(session, { maxNewTokens: 1, temperature: 1 });
    const { ids } = session;
    expect(ids.length).toBe(9);
    const whole = await prefill(model, [ids]);
    const state = new Map(session.state.clone().tensors());
    for (const [name, t] of whole.state.tensors()) {
      const [got, want] = [state.get(name)!.dataSync(), t.dataSync()] as [Float32Array, Float32Array];
      const peak = Math.max(1e-3, ...want.map(Math.abs));
      // Step by step and whole: the same sums in another order.
      got.forEach((x, i) => expect(Math.abs(x - want[i]!) / peak, name).toBeLessThan(1e-5));
    }
    for (const t of state.values()) t.dispose();
    for (const thing of [whole.state, session, model]) thing.dispose();
  });

  it("a room that fills up amid a text does not show", async () => {
    const model = make(["attention", "mamba2"]);
    const session = new Session(model, { seed: 3 });
    await session.read([1, 2, 3]);
    const long = await said(session, { maxNewTokens: 150 });
    const pieces = new Session(model, { seed: 3 });
    await pieces.read([1, 2, 3]);
    const again: number[] = [];
    while (again.length < 150) again.push(...(await said(pieces, { maxNewTokens: Math.min(37, 150 - again.length) })));
    expect(again).toEqual(long);
    expect(await bytesOf(pieces)).toBe(await bytesOf(session));
    for (const thing of [session, pieces, model]) thing.dispose();
  });
});

describe("a session", () => {
  beforeAll(() => setBackend(cpuBackend()));
  afterEach(() => void vi.restoreAllMocks());

  it("says on two backends what it says on one, and moves with its points", async () => {
    registerBackend(wasmBackend({ threads: 1 }));
    const model = make(MODELS.hybrid!);
    const still = new Session(model, { seed: 2 });
    await still.read([1, 2, 3]);
    const all = await said(still, { maxNewTokens: 12 });
    still.dispose();
    const session = new Session(model, { seed: 2 });
    await session.read([1, 2, 3]);
    const point = session.keep();
    const moved = await said(session, { maxNewTokens: 4 });
    await session.to("wasm");
    moved.push(...(await said(session, { maxNewTokens: 4 })));
    await session.to("cpu");
    moved.push(...(await said(session, { maxNewTokens: 4 })));
    expect(moved).toEqual(all);
    session.rewind(point);
    expect(await said(session, { maxNewTokens: 12 })).toEqual(all);
    await expect(session.to("nowhere")).rejects.toThrow("nowhere");
    expect(session.ids.length).toBe(15);
    expect((await said(session, { maxNewTokens: 1 })).length).toBe(1);
    for (const thing of [session, model]) thing.dispose();
  });

  it("says why it ended, and goes on after every end", async () => {
    const model = make(["mamba"]);
    const session = new Session(model);
    await session.read([5]);
    const point = session.keep();
    const free = await said(session, { maxNewTokens: 6, temperature: 0 });
    expect(session.finish).toBe("length");
    session.rewind(point);
    const eos = free[2]!;
    const until = free.indexOf(eos) + 1;
    expect(await said(session, { maxNewTokens: 6, temperature: 0, eosTokenIds: [eos] })).toEqual(free.slice(0, until));
    expect(session.finish).toBe("eos");
    expect(await said(session, { maxNewTokens: 6 - until, temperature: 0 })).toEqual(free.slice(until));
    session.rewind(point);
    for await (const _ of session.tokens({ temperature: 0 })) break;
    expect(session.finish).toBe("left");
    expect(session.ids).toEqual([5, free[0]]);
    for (const thing of [session, model]) thing.dispose();
  });

  it("streams text: stop texts are no part of it, and pieces add up", async () => {
    const model = make(["mamba2"], 256);
    const tokenizer = new ByteTokenizer();
    const session = new Session(model, { tokenizer, seed: 4, defaults: { maxNewTokens: 40, temperature: 2 } });
    await session.read("héllo");
    const point = session.keep();
    const pieces: string[] = [];
    for await (const text of session.stream({ eosTokenIds: [] })) pieces.push(text);
    const whole = pieces.join("");
    expect(whole).toBe(tokenizer.decode(session.ids.slice(tokenizer.encode("héllo").length)));
    const stop = whole.slice(12, 14);
    session.rewind(point);
    let stopped = "";
    for await (const text of session.stream({ eosTokenIds: [], stop })) stopped += text;
    expect(stopped).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(session.finish).toBe("stop");
    for (const thing of [session, model]) thing.dispose();
  });

  it("acts on an abort within a token, and what was said before stays said", async () => {
    const model = make(MODELS.hybrid!);
    const session = new Session(model);
    await session.read([1, 2]);
    const abort = new AbortController();
    const seen: number[] = [];
    await expect(async () => {
      for await (const { id } of session.tokens({ maxNewTokens: 100, signal: abort.signal, eosTokenIds: [] })) {
        seen.push(id);
        if (seen.length === 3) abort.abort();
      }
    }).rejects.toMatchObject({ name: "AbortedError" });
    expect(session.ids).toEqual([1, 2, ...seen]);
    expect(session.state.position).toBe(5);
    expect((await said(session, { maxNewTokens: 2 })).length).toBe(2);
    await expect(session.read([1], { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortedError" });
    expect(session.state.position).toBe(7);
    for (const thing of [session, model]) thing.dispose();
  });

  /** Tasks of the event loop that got their turn while so many tokens were said, each of which took `ms` on the clock. */
  async function turnsIn(tokens: number, ms: number): Promise<number> {
    const model = make(["mamba"]);
    const session = new Session(model);
    await session.read([1]);
    // Reads of the clock come once or twice a token.
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (now += ms));
    let turns = 0;
    let open = true;
    const count = (): void => {
      if (!open) return;
      turns++;
      setImmediate(count);
    };
    setImmediate(count);
    await said(session, { maxNewTokens: tokens });
    open = false;
    for (const thing of [session, model]) thing.dispose();
    return turns;
  }

  it("lets events through after each token that takes a frame", async () => {
    expect(await turnsIn(20, 16)).toBeGreaterThanOrEqual(19);
  });

  it("lets events through once a frame where tokens are fast", async () => {
    // A fifth of a frame each: five tokens a turn at most, and no turn for each of them.
    const turns = await turnsIn(40, 3.2);
    expect(turns).toBeGreaterThanOrEqual(7);
    expect(turns).toBeLessThan(30);
  });

  it("gives rows streams of their own, and each row what it gets alone", async () => {
    const model = make(["mamba2", "attention"]);
    const prompts = [[1], [1], [1], [1]];
    const texts = new Set<string>();
    for (let seed = 0; seed < 8; seed++) {
      const rows: number[][] = prompts.map(() => []);
      for await (const { sequence, id } of generate(model, prompts, {
        seed,
        maxNewTokens: 12,
        temperature: 3,
        eosTokenIds: [],
      }))
        rows[sequence]!.push(id);
      for (const row of rows) texts.add(row.join());
      const alone: number[] = [];
      for await (const { id } of generate(model, [[1]], {
        seed,
        firstRow: 2,
        maxNewTokens: 12,
        temperature: 3,
        eosTokenIds: [],
      }))
        alone.push(id);
      expect(alone).toEqual(rows[2]);
    }
    expect(texts.size).toBe(32);
    model.dispose();
  });

  it("keeps rows of equal length, and tells when their common state has no meaning", async () => {
    const model = make(["mamba"]);
    const session = new Session(model, { rows: 2, seed: 1 });
    await session.read([[1, 2, 3], [4]]);
    for await (const _ of session.tokens({ maxNewTokens: 3, eosTokenIds: [] }));
    await session.read([
      [7, 8],
      [9, 10],
    ]);
    expect(session.texts.map((ids) => ids.length)).toEqual([8, 6]);
    const point = session.keep();
    const rows: number[][] = [[], []];
    for await (const { sequence, id } of session.tokens({ maxNewTokens: 4, eosTokenIds: [] })) rows[sequence]!.push(id);
    session.rewind(point);
    const eos = rows[0]!.find((id) => !rows[1]!.includes(id))!;
    for await (const _ of session.tokens({ maxNewTokens: 4, eosTokenIds: [eos] }));
    await expect(session.save()).rejects.toThrow("its texts ended after different numbers of tokens");
    session.rewind(point);
    expect((await session.save()).length).toBeGreaterThan(0);
    for (const thing of [session, model]) thing.dispose();
  });

  it("refuses ids out of the vocabulary, what is no option, and two things at once", async () => {
    const model = make(["mamba"]);
    const session = new Session(model);
    await expect(said(session, {})).rejects.toThrow("tokens: read something first");
    for (const ids of [[-1], [V], [0.5], []]) await expect(session.read(ids)).rejects.toThrow(ArgumentError);
    await expect(session.read("text")).rejects.toThrow("needs a tokenizer");
    await session.read([1]);
    const refused: [object, string][] = [
      [{ max_new_tokens: 5 }, "tokens: has no option max_new_tokens; maxNewTokens may be meant"],
      [{ maxLength: 5 }, "maxNewTokens may be meant"],
      [{ top_p: 0.5 }, "topP may be meant"],
      [{ temprature: 1 }, "temperature may be meant"],
      [{ num_beams: 4 }, "tokens: has no option num_beams; it has temperature, topK"],
      [{ topP: 0 }, "sampling: topP must be"],
      [{ seed: 0.5 }, "tokens: seed must be"],
      [{ eosTokenIds: [-1] }, "tokens: eosTokenIds must be"],
    ];
    for (const [options, message] of refused) await expect(said(session, options)).rejects.toThrow(message);
    expect(() => new Session(model, { rows: 0 })).toThrow("Session: rows must be");
    expect(() => new Session(model, { row: 2 } as object)).toThrow("Session: has no option row; rows may be meant");
    await expect(async () => {
      for await (const _ of session.tokens({})) await session.read([1]);
    }).rejects.toThrow("read: tokens is still going on");
    for (const thing of [session, model]) thing.dispose();
    await expect(session.read([1])).rejects.toThrow("it was disposed");
  });

  it("tells logits that are not numbers as such, and goes back from there", async () => {
    const model = make(["mamba"]);
    const session = new Session(model);
    await session.read([1]);
    const point = session.keep();
    const weights = await model.parameter("norm_f.weight").read();
    model.parameter("norm_f.weight").assign(weights.map(() => Number.NaN));
    await expect(said(session, { maxNewTokens: 4 })).rejects.toThrow(NonFiniteError);
    await expect(session.save()).rejects.toThrow("the session cannot go on, since it failed");
    model.parameter("norm_f.weight").assign(weights);
    session.rewind(point);
    expect((await said(session, { maxNewTokens: 2 })).length).toBe(2);
    for (const thing of [session, model]) thing.dispose();
  });

  it("refuses what is not its own file, and stays as it is", async () => {
    const model = make(["mamba"]);
    const other = make(["mamba2"]);
    const wide = make(["mamba"], 99);
    const session = new Session(model);
    await session.read([1, 2]);
    const before = await bytesOf(session);
    for (const stranger of [other, wide]) {
      const theirs = new Session(stranger);
      await theirs.read([1, 2]);
      const bytes = await theirs.save();
      expect(() => session.restore(bytes)).toThrow("it belongs to another model");
      theirs.dispose();
    }
    const own = await session.save();
    for (const bytes of [new Uint8Array(), own.slice(0, 40), await session.state.toBytes()])
      expect(() => session.restore(bytes)).toThrow(FormatError);
    expect(await bytesOf(session)).toBe(before);
    for (const thing of [session, model, other, wide]) thing.dispose();
  });
});
