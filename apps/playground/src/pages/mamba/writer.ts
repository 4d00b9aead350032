import { createRoot, createSignal, type Accessor } from "solid-js";
import { owed } from "../../shell/owed.ts";
import { keepValue, keptValue } from "../../shell/store.ts";
import { largest } from "../../components/HeatMap.tsx";
import type { BackendName } from "../../workers/backendNames.ts";
import type { ModelChoice } from "../../workers/modelChoice.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/remote.ts";
import type { Drawing } from "./compute/chances.ts";
import type { Chances, Look } from "./compute/looking.ts";
import type { Snapshot } from "./compute/writing.ts";
import type { LayerPicture, ModelFacts, WriteInput, WriteProgress, WriterApi } from "./compute/writerApi.ts";

export interface Loading {
  readonly file: string;
  readonly loaded: number;
  readonly total: number | undefined;
}

/** The page's end of the writing worker. */
export interface Writer {
  readonly facts: Accessor<ModelFacts | undefined>;
  readonly loading: Accessor<Loading | undefined>;
  readonly progress: Accessor<WriteProgress | undefined>;
  readonly picture: Accessor<readonly LayerPicture[]>;
  /** The largest number seen in any layer's state since the model was loaded: one scale for all pictures, so that they can be compared. */
  readonly scale: Accessor<number>;
  readonly writing: Accessor<boolean>;
  readonly error: Accessor<unknown>;
  load(choice: ModelChoice, backend: BackendName): Promise<void>;
  cancelLoading(): void;
  write(input: WriteInput): Promise<void>;
  stop(): void;
  moveTo(backend: BackendName): Promise<void>;
  save(): Promise<Snapshot | undefined>;
  restore(snapshot: Snapshot): Promise<void>;
  fork(snapshot: Snapshot, input: WriteInput): Promise<void>;
  rewind(tokens: number): Promise<void>;
  /** What the model makes of a text, token by token. */
  look(text: string): Promise<Look>;
  /** How likely each of the ten is to be drawn after a token of a text. */
  chances(text: string, at: number, drawing: Drawing): Promise<Chances>;
  /** How much of each token every later one reads in a layer, [l, l]. */
  reads(text: string, layer: number): Promise<Float32Array>;
  /** Goes on from such a file. @throws what is wrong with it. */
  open(file: File): Promise<Snapshot>;
  /** After an error: the last thing that was asked, once more. */
  recover(): void;
  /** After a reload: loads the model of the last visit and goes on where its text ended. */
  resume(backend: BackendName): Promise<void>;
}

/** What is kept over a reload. */
interface KeptWriter {
  readonly choice: ModelChoice;
  readonly snapshot?: Snapshot;
}
const KEPT = "writer";

/** One for the app: the model stays while other pages are read. */
export const writer: Writer = createRoot(makeWriter);

function makeWriter(): Writer {
  const [facts, setFacts] = createSignal<ModelFacts>();
  const [loading, setLoading] = createSignal<Loading>();
  const [progress, setProgress] = createSignal<WriteProgress>();
  const [picture, setPicture] = createSignal<readonly LayerPicture[]>([]);
  const [scale, setScale] = createSignal(0);
  const [writing, setWriting] = createSignal(false);
  const [error, setError] = createSignal<unknown>();
  let remote: Remote<WriterApi> | undefined;
  let run: AbortController | undefined;
  let again: () => void = () => undefined;
  let loaded: ModelChoice | undefined;

  const worker = (): Remote<WriterApi> => (remote ??= engine("writer"));
  const show = (next: WriteProgress): void => {
    setProgress(next);
    if (next.picture) {
      setPicture(next.picture);
      setScale(Math.max(scale(), ...next.picture.map(({ values }) => largest(values))));
    }
  };
  /** Runs one call; an error is shown and can be tried again, a stop is not an error. */
  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    again = () => void attempt(action);
    setError(undefined);
    try {
      return await action();
    } catch (failure) {
      if ((failure as Error).name !== "AbortedError") setError(failure);
      return undefined;
    }
  }

  async function load(choice: ModelChoice, backend: BackendName): Promise<void> {
    run?.abort();
    const own = (run = new AbortController());
    setLoading({ file: "config.json", loaded: 0, total: undefined });
    setFacts(undefined);
    const found = await attempt(() =>
      worker().call("load", { choice, on: backend }, { signal: own.signal, onEvent: setLoading }),
    );
    setLoading(undefined);
    if (found === undefined) return;
    setFacts(found);
    setProgress(undefined);
    setPicture([]);
    setScale(0);
    loaded = choice;
    await keepValue(KEPT, { choice } satisfies KeptWriter);
  }

  /** Keeps the model and where its text ends. */
  async function keep(): Promise<void> {
    if (loaded === undefined || progress() === undefined) return;
    try {
      const snapshot = await worker().call("save", undefined);
      await keepValue(KEPT, { choice: loaded, snapshot } satisfies KeptWriter);
    } catch {
      // the worker is in trouble, which its next call tells
    }
  }

  async function resume(backend: BackendName): Promise<void> {
    if (facts() !== undefined || loading() !== undefined) return;
    const known = await keptValue<KeptWriter>(KEPT);
    if (known === undefined || facts() !== undefined || loading() !== undefined) return;
    await load(known.choice, backend);
    if (loaded !== known.choice) return void setError(undefined); // not to be had any more; nobody asked for it
    if (known.snapshot !== undefined && progress() === undefined && !writing()) await restore(known.snapshot);
  }

  async function write(input: WriteInput): Promise<void> {
    const own = (run = new AbortController());
    setWriting(true);
    const last = await attempt(() => worker().call("write", input, { signal: own.signal, onEvent: show }));
    if (last) show(last);
    setWriting(false);
    await owed(keep());
  }

  async function shown(action: () => Promise<WriteProgress>): Promise<void> {
    const next = await attempt(action);
    if (next) show(next);
    await owed(keep());
  }

  const restore = (snapshot: Snapshot, seed = 0): Promise<void> =>
    shown(() => worker().call("restore", { snapshot, seed }));
  return {
    facts,
    loading,
    progress,
    picture,
    scale,
    writing,
    error,
    load,
    cancelLoading: () => run?.abort(),
    write,
    stop: () => run?.abort(),
    moveTo: async (backend) => {
      if (facts() !== undefined) await attempt(() => worker().call("moveTo", backend));
    },
    save: () => attempt(() => worker().call("save", undefined)),
    restore,
    fork: async (snapshot, input) => {
      await restore(snapshot, input.seed);
      await write(input);
    },
    look: (text) => worker().call("look", text),
    chances: (text, at, drawing) => worker().call("chances", { text, at, drawing }),
    reads: (text, layer) => worker().call("reads", { text, layer }),
    rewind: (tokens) => shown(() => worker().call("rewind", tokens)),
    open: async (file) => {
      const opened = await worker().call("open", file);
      show(opened.progress);
      await owed(keep());
      return opened.snapshot;
    },
    recover: () => again(),
    resume,
  };
}
