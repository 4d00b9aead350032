import { AbortedError, Rng } from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import {
  Model,
  modelObjective,
  Scheduler,
  Session,
  StateStore,
  train,
  type ModelConfig,
  type TrainingBatch,
  type TrainingStream,
} from "@statespace/models";
import { growth, heldBy, type Held } from "./held.ts";

/** What a soak does, and by how much sizes may grow. */
export interface SoakOptions {
  readonly tokens: number;
  readonly steps: number;
  readonly aborts: number;
  readonly seed: number;
}

/** One part of a soak on one backend. */
export interface SoakResult {
  readonly backend: string;
  readonly part: "tokens" | "steps" | "aborts";
  readonly done: number;
  readonly before: Held;
  readonly after: Held;
  /** What grew or did not come back; empty where nothing did. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Sizes may be so much larger at the end than after the first half. */
const FLAT = 0.01;
const VOCAB = 128;
const CONFIG: ModelConfig = {
  dModel: 32,
  encoder: { kind: "embedding", vocabSize: VOCAB },
  layers: [
    { kind: "mamba", dState: 8 },
    { kind: "mamba2", nHeads: 4, headDim: 16, dState: 8, chunkSize: 16 },
  ],
  head: { kind: "language" },
  norm: "rms",
  initializerRange: 0.3,
};

/** Runs all parts on a backend that is registered, one after the other, and tells each. */
export async function* soak(name: string, options: SoakOptions): AsyncGenerator<SoakResult, void, undefined> {
  const backend = await startBackend(name);
  const model = new Model(CONFIG, options.seed, { backend });
  try {
    yield await saying(model, options);
    yield await training(model, options);
    yield await aborting(model, options);
  } finally {
    model.dispose();
  }
}

/** The first half fills pools and caches, and has the engine compile what runs often; from there on nothing may grow. */
async function measured(
  backend: AnyBackend,
  part: SoakResult["part"],
  total: number,
  work: (until: number) => Promise<void>,
): Promise<SoakResult> {
  const from = performance.now();
  await work(Math.ceil(total / 2));
  const before = await heldBy(backend);
  await work(total);
  const after = await heldBy(backend);
  const faults = growth(before, after, FLAT);
  return {
    backend: backend.name,
    part,
    done: total,
    before,
    after,
    faults,
    seconds: (performance.now() - from) / 1000,
  };
}

/** One text, token after token. */
async function saying(model: Model, { tokens, seed }: SoakOptions): Promise<SoakResult> {
  const session = await new Session(model, { seed }).read([1, 2, 3]);
  const start = session.ids.length;
  try {
    return await measured(model.backend, "tokens", tokens, async (until) => {
      const maxNewTokens = until - (session.ids.length - start);
      for await (const _ of session.tokens({ maxNewTokens, temperature: 1, eosTokenIds: [] }));
    });
  } finally {
    session.dispose();
  }
}

/** Batches without end, all alike in shape. */
function batches(seed: number): TrainingStream {
  let rng = new Rng(seed);
  const ids = (): Int32Array => Int32Array.from({ length: 64 }, () => rng.integer(VOCAB));
  return {
    nextBatch: (): TrainingBatch => ({ inputs: ids(), shape: [4, 16], targets: ids(), targetShape: [4, 16] }),
    state: () => rng.state(),
    restore: (state) => (rng = Rng.fromState(state as number[])),
  };
}

/** Steps of the optimiser, in one run whose events are read as they come. */
async function training(model: Model, { steps, seed }: SoakOptions): Promise<SoakResult> {
  // A few more than are counted: at the end those that are in flight would come back, too.
  const events = train(modelObjective(model), batches(seed), { steps: steps + 8, seed });
  let done = 0;
  try {
    return await measured(model.backend, "steps", steps, async (until) => {
      while (done < until) {
        const { value, done: over } = await events.next();
        if (over) return;
        if (value.kind === "step") done = value.step;
      }
    });
  } finally {
    await events.return();
  }
}

/** Work that is stopped at some moment: by its signal, or because its reader leaves. */
async function aborting(model: Model, { aborts, seed }: SoakOptions): Promise<SoakResult> {
  const rng = new Rng(seed);
  const store = new StateStore({ bytes: 1 << 20, every: 32 });
  let done = 0;
  return measured(model.backend, "aborts", aborts, async (until) => {
    for (; done < until; done++) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), rng.uniform() * 30);
      const work = [stopReading, stopSaying, leaveSaying, stopTraining, cancelTexts][done % 5]!;
      try {
        await work(model, { rng, store, signal: stop.signal });
      } catch (error) {
        if (!(error instanceof AbortedError)) throw error;
      } finally {
        clearTimeout(timer);
      }
    }
    await store.clear();
  });
}

/** What a piece of work is stopped with. */
interface Stop {
  readonly rng: Rng;
  readonly store: StateStore;
  readonly signal: AbortSignal;
}
type Stopped = (model: Model, stop: Stop) => Promise<void>;

const prompt = (rng: Rng, length: number): number[] => Array.from({ length }, () => rng.integer(VOCAB));

const stopReading: Stopped = async (model, { rng, store, signal }) => {
  const session = new Session(model, { store, prefillChunk: 16 });
  try {
    await session.read(prompt(rng, 2000), { signal });
  } finally {
    session.dispose();
  }
};

const stopSaying: Stopped = async (model, { rng, store, signal }) => {
  const session = await new Session(model, { store }).read(prompt(rng, 4));
  try {
    for await (const _ of session.tokens({ maxNewTokens: 2000, temperature: 1, eosTokenIds: [], signal }));
  } finally {
    session.dispose();
  }
};

const leaveSaying: Stopped = async (model, { rng }) => {
  const session = await new Session(model).read(prompt(rng, 4));
  const last = 1 + rng.integer(20);
  try {
    let said = 0;
    for await (const _ of session.tokens({ maxNewTokens: 2000, temperature: 1, eosTokenIds: [] }))
      if (++said === last) break;
  } finally {
    session.dispose();
  }
};

const stopTraining: Stopped = async (model, { signal }) => {
  for await (const _ of train(modelObjective(model), batches(1), { steps: 200, signal }));
};

const cancelTexts: Stopped = async (model, { rng, store, signal }) => {
  const scheduler = new Scheduler(model, { slots: 2, store, maxWaiting: 4 });
  try {
    const all = [8, 40, 90].map(async (length) => {
      for await (const _ of scheduler.submit(prompt(rng, length), { maxNewTokens: 500, eosTokenIds: [], signal }));
    });
    const ends = await Promise.allSettled(all);
    for (const end of ends) if (end.status === "rejected" && !(end.reason instanceof AbortedError)) throw end.reason;
    await scheduler.close();
  } finally {
    scheduler.dispose();
  }
};
