import { AbortedError, ArgumentError, FormatError, readFloats } from "@statespace/core";
import { loadTokenizer } from "@statespace/text";
import { fromPretrained } from "@statespace/models";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import type { ModelChoice } from "../../../workers/modelChoice.ts";
import { openChoice } from "../../../workers/modelSource.ts";
import { breathe, pause, type CallContext } from "../../../workers/rpc.ts";
import type { Drawing } from "./chances.ts";
import { chancesAt, lookAt, readsOf, type Chances, type Look } from "./looking.ts";
import { Writing, type Snapshot } from "./writing.ts";

export interface ModelFacts {
  readonly type: string;
  readonly weights: number;
  readonly layers: number;
  readonly dModel: number;
  readonly vocabSize: number;
  /** Bytes of the state of one sequence before its first token. */
  readonly stateBytes: number;
}

/** The state of one layer as a picture. */
export interface LayerPicture {
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array;
}

export interface WriteProgress {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number;
  readonly promptTokens: number;
  /** Rewinding reaches back to here. */
  readonly earliest: number;
  readonly backend: BackendName;
  readonly tokensPerSecond: number;
  readonly stateBytes: number;
  /** Only every few tokens. */
  readonly picture?: readonly LayerPicture[];
}

export interface WriteInput {
  /** Undefined goes on where the text ends. */
  readonly prompt?: string;
  readonly tokens: number;
  readonly drawing: Drawing;
  readonly seed: number;
  /** Tokens a second at most, so that one can follow; 0 for as fast as it goes. */
  readonly pace: number;
}

/** Shown at most this often; reading the state back takes time from writing. */
const PICTURE_EVERY_MS = 150;

let writing: Writing | undefined;
let backend: BackendName = "wasm";
let wanted: BackendName | undefined;
let rate = 0;

async function pictures({ state }: Writing): Promise<LayerPicture[]> {
  const layers = state?.layers ?? [];
  return Promise.all(
    layers.map(async (layer) => {
      const tensor = layer["ssm"] ?? Object.values(layer)[0]!;
      const values = await readFloats(tensor);
      const n = tensor.shape.at(-1)!;
      const d = values.length / n;
      // channels run to the right: [d, n] becomes n rows of d
      return {
        rows: n,
        cols: d,
        values: Float32Array.from({ length: n * d }, (_, i) => values[(i % d) * n + Math.floor(i / d)]!),
      };
    }),
  );
}

async function progress(picture: boolean): Promise<WriteProgress> {
  const { ids, promptLength, earliest, tokenizer, state } = writing!;
  const prompt = tokenizer.decode(ids.slice(0, promptLength));
  return {
    prompt,
    text: ids.length > promptLength ? tokenizer.decode(ids).slice(prompt.length) : "",
    tokens: ids.length,
    promptTokens: promptLength,
    earliest,
    backend,
    tokensPerSecond: rate,
    stateBytes: state?.bytes ?? 0,
    ...(picture ? { picture: await pictures(writing!) } : {}),
  };
}

/** The tokens, until the visitor stops them: that is no failure. */
async function* untilAborted(tokens: AsyncIterable<number>): AsyncGenerator<number, void, undefined> {
  try {
    yield* tokens;
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error;
  }
}

async function moveIfAsked(): Promise<void> {
  if (wanted === undefined || wanted === backend) return;
  const target = wanted;
  wanted = undefined;
  await writing!.moveTo(target);
  backend = target;
}

let last: Promise<unknown> = Promise.resolve();

/** What touches the state runs by itself, one after another: a state that moves to another backend cannot be saved. */
function alone<T>(act: () => Promise<T>): Promise<T> {
  const next = last.then(act);
  last = next.catch(() => undefined);
  return next;
}

export const api = {
  async load(
    { choice, on }: { choice: ModelChoice; on: BackendName },
    { signal, emit }: CallContext<{ loaded: number; total: number | undefined; file: string }>,
  ): Promise<ModelFacts> {
    const to = await startBackend(on);
    const source = await openChoice(choice);
    const model = await fromPretrained(source, { signal, onProgress: emit, backend: to });
    const tokenizer = await loadTokenizer(source, { signal });
    if (tokenizer === undefined) {
      model.dispose();
      throw new FormatError("tokenizer.json is missing, and without it this page cannot write");
    }
    writing?.dispose();
    writing = new Writing(model, tokenizer);
    backend = on;
    const state = model.initialState();
    const { bytes } = state;
    state.dispose();
    const { config, size, vocabSize } = model;
    const { dModel, layers, family = "statespace" } = config;
    return { type: family, weights: size, layers: layers.length, dModel, vocabSize, stateBytes: bytes };
  },

  async write(
    { prompt, tokens, drawing, seed, pace }: WriteInput,
    { signal, emit }: CallContext<WriteProgress>,
  ): Promise<WriteProgress> {
    if (writing === undefined) throw new ArgumentError("no model is loaded");
    if (prompt !== undefined) await writing.begin(prompt, seed, signal);
    const eos = writing.model.resolved.eosTokenIds;
    let pictured = 0;
    let made = 0;
    // Each turn writes on one backend.
    for (let ended = false; made < tokens && !ended && !signal.aborted;) {
      await moveIfAsked();
      let start = performance.now();
      ended = true;
      for await (const id of untilAborted(writing.tokens(tokens - made, drawing, signal))) {
        const seconds = (performance.now() - start) / 1000;
        rate = made === 0 || rate === 0 ? 1 / seconds : 1 / (0.9 / rate + 0.1 * seconds); // a running mean of the time a token takes
        const due = pace > 0 || performance.now() - pictured > PICTURE_EVERY_MS;
        if (due) pictured = performance.now();
        if (due || made < 2) emit(await progress(due));
        made++;
        await (pace > 0 ? pause(1000 / pace - (performance.now() - start)) : breathe());
        ended = eos.includes(id) || wanted === undefined || wanted === backend;
        if (!ended) break;
        start = performance.now();
      }
    }
    return progress(true);
  },

  /** Asks for another backend: at once when nothing is written, else between two tokens. */
  async moveTo(name: BackendName): Promise<void> {
    wanted = name;
    if (writing !== undefined && !running) await alone(moveIfAsked);
  },

  save(): Promise<Snapshot> {
    return alone(() => writing!.save());
  },

  restore({ snapshot, seed }: { snapshot: Snapshot; seed: number }): Promise<WriteProgress> {
    return alone(() => {
      writing!.restore(snapshot.bytes, seed);
      return progress(true);
    });
  },

  /** Goes on from a state file. */
  open(file: File): Promise<{ snapshot: Snapshot; progress: WriteProgress }> {
    return alone(async () => {
      writing!.restore(new Uint8Array(await file.arrayBuffer()), undefined);
      return { snapshot: await writing!.save(), progress: await progress(true) };
    });
  },

  /** What the model makes of a text of its own, beside the one it writes. */
  look(text: string): Promise<Look> {
    return alone(() => lookAt(writing!.model, writing!.tokenizer, text));
  },

  /** How likely each of the ten is to be drawn after a token of the text. */
  chances({ text, at, drawing }: { text: string; at: number; drawing: Drawing }): Promise<Chances> {
    return alone(() => chancesAt(writing!.model, writing!.tokenizer, text, at, drawing));
  },

  reads({ text, layer }: { text: string; layer: number }): Promise<Float32Array> {
    return alone(() => readsOf(writing!.model, writing!.tokenizer, text, layer));
  },

  rewind(length: number): Promise<WriteProgress> {
    return alone(async () => {
      await writing!.rewind(length);
      return progress(true);
    });
  },
};

let running = false;
const { write } = api;
api.write = (input, context): Promise<WriteProgress> =>
  alone(async () => {
    running = true;
    try {
      return await write(input, context);
    } finally {
      running = false;
    }
  });

export type WriterApi = typeof api;
