import { ArgumentError, FormatError, readFloats } from "@statespace/core";
import { openSource, type OpenSourceOptions, type SourceLike } from "@statespace/files";
import { loadTokenizer } from "@statespace/text";
import { fromPretrained } from "@statespace/models";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, pause, type CallContext } from "../../../workers/rpc.ts";
import { Session, type Snapshot } from "./session.ts";
import { readStateFile, writeStateFile } from "./stateFile.ts";

export type ModelChoice =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "files"; readonly files: readonly File[] };

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
  readonly temperature: number;
  readonly seed: number;
  /** Tokens a second at most, so that one can follow; 0 for as fast as it goes. */
  readonly pace: number;
}

/** Shown at most this often; reading the state back takes time from writing. */
const PICTURE_EVERY_MS = 150;
const CACHE = "statespace-checkpoints";

let session: Session | undefined;
let backend: BackendName = "wasm";
let wanted: BackendName | undefined;
let rate = 0;

async function cacheOptions(): Promise<OpenSourceOptions> {
  // insecure contexts and some private windows have no cache: the checkpoint is then fetched each time
  const cache = await self.caches?.open(CACHE).catch(() => undefined);
  return cache === undefined ? {} : { cache, onPutError: () => undefined };
}

const locate = (choice: ModelChoice): SourceLike => (choice.kind === "files" ? choice.files : choice.url);

async function pictures({ state }: Session): Promise<LayerPicture[]> {
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
  const { ids, promptLength, earliest, tokenizer, state } = session!;
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
    ...(picture ? { picture: await pictures(session!) } : {}),
  };
}

async function moveIfAsked(): Promise<void> {
  if (wanted === undefined || wanted === backend) return;
  const target = wanted;
  wanted = undefined;
  await session!.moveTo(target);
  backend = target;
}

export const api = {
  async load(
    { choice, on }: { choice: ModelChoice; on: BackendName },
    { signal, emit }: CallContext<{ loaded: number; total: number | undefined; file: string }>,
  ): Promise<ModelFacts> {
    await startBackend(on);
    const source = openSource(locate(choice), choice.kind === "files" ? {} : await cacheOptions());
    const model = await fromPretrained(source, { signal, onProgress: emit });
    const tokenizer = await loadTokenizer(source, { signal });
    if (tokenizer === undefined) {
      model.dispose();
      throw new FormatError("tokenizer.json is missing, and without it this page cannot write");
    }
    session?.dispose();
    session = new Session(model, tokenizer);
    backend = on;
    const state = model.initialState();
    const { bytes } = state;
    state.dispose();
    const { config, size, vocabSize } = model;
    const { dModel, layers, family = "statespace" } = config;
    return { type: family, weights: size, layers: layers.length, dModel, vocabSize, stateBytes: bytes };
  },

  async write(
    { prompt, tokens, temperature, seed, pace }: WriteInput,
    { signal, emit }: CallContext<WriteProgress>,
  ): Promise<WriteProgress> {
    if (session === undefined) throw new ArgumentError("no model is loaded");
    if (prompt !== undefined) await session.begin(prompt, seed, signal);
    let pictured = 0;
    const eos = session.model.resolved.eosTokenIds;
    for (let made = 0; made < tokens && !signal.aborted; made++) {
      await moveIfAsked();
      const start = performance.now();
      const id = await session.step({ temperature, greedy: temperature === 0 });
      const seconds = (performance.now() - start) / 1000;
      rate = made === 0 || rate === 0 ? 1 / seconds : 1 / (0.9 / rate + 0.1 * seconds); // a running mean of the time a token takes
      const due = pace > 0 || performance.now() - pictured > PICTURE_EVERY_MS;
      if (due) pictured = performance.now();
      if (due || made < 2) emit(await progress(due));
      if (eos.includes(id)) break;
      await (pace > 0 ? pause(1000 / pace - (performance.now() - start)) : breathe());
    }
    return progress(true);
  },

  /** Asks for another backend: at once when nothing is written, else between two tokens. */
  async moveTo(name: BackendName): Promise<void> {
    wanted = name;
    if (session !== undefined && !writing) await moveIfAsked();
  },

  save(): Promise<Snapshot> {
    return session!.save();
  },

  async restore({ snapshot, seed }: { snapshot: Snapshot; seed: number }): Promise<WriteProgress> {
    session!.restore(snapshot, seed);
    return progress(true);
  },

  toFile(snapshot: Snapshot): Uint8Array {
    return writeStateFile(snapshot);
  },

  /** Goes on from a state file. */
  async open(file: File): Promise<{ snapshot: Snapshot; progress: WriteProgress }> {
    const snapshot = readStateFile(new Uint8Array(await file.arrayBuffer()), file.name);
    session!.restore(snapshot, 0);
    return { snapshot, progress: await progress(true) };
  },

  async rewind(length: number): Promise<WriteProgress> {
    await session!.rewind(length);
    return progress(true);
  },
};

let writing = false;
const { write } = api;
api.write = async (input, context): Promise<WriteProgress> => {
  writing = true;
  try {
    return await write(input, context);
  } finally {
    writing = false;
  }
};

export type WriterApi = typeof api;
