import { batch, createRoot, createSignal, type Accessor } from "solid-js";
import { owed } from "../../shell/owed.ts";
import { keepValue, keptValue } from "../../shell/store.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import { racer } from "../../workers/engine.ts";
import type { Remote } from "../../workers/remote.ts";
import type { Inspection } from "./compute/inspect.ts";
import type { RaceApi, TrainProgress } from "./compute/raceApi.ts";
import type { RaceSettings } from "./compute/trainer.ts";

/** A model of its own, and what is known of it. */
export interface Contender {
  readonly history: Accessor<readonly TrainProgress[]>;
  readonly accuracy: Accessor<number | undefined>;
  /** Seconds until 95 % were right for the first time. */
  readonly reached: Accessor<number | undefined>;
  readonly training: Accessor<boolean>;
  readonly weights: Accessor<number | undefined>;
  readonly view: Accessor<Inspection | undefined>;
  readonly error: Accessor<unknown>;
  start(settings: RaceSettings, backend: BackendName): void;
  stop(): void;
  /** Shows a sequence to the model as it is now. */
  look(ids: Int32Array): void;
  /** Makes the model of these settings that was trained last, on this visit or an earlier one, the current one; where there is none, none is. */
  recall(settings: RaceSettings, backend: BackendName): void;
}

/** A trained model as it is kept over a reload. */
interface KeptModel {
  readonly task: string;
  readonly weights: readonly Float32Array[];
  readonly history: readonly TrainProgress[];
  readonly accuracy: number | undefined;
  readonly reached: number | undefined;
}

/** What a model can be used for: the seed of its first weights is no matter. */
const taskOf = (settings: RaceSettings): string => JSON.stringify({ ...settings, seed: 0 });

export const GOAL = 0.95;
/** Training goes on past the goal, so that the picture of the selection gets clear. */
const ENOUGH = 0.99;
const MAX_SECONDS = 240;
const LOOK_EVERY = 500;
/** Milliseconds between two times a model in training is kept. */
const KEEP_EVERY = 4000;

/** The two models; they stay while other pages are read. */
export const contenders: Readonly<Record<"mamba" | "challenger", Contender>> = createRoot(() => ({
  mamba: makeContender("mamba", 0),
  challenger: makeContender("challenger", 1),
}));

function makeContender(id: string, place: number): Contender {
  const [history, setHistory] = createSignal<readonly TrainProgress[]>([]);
  const [accuracy, setAccuracy] = createSignal<number>();
  const [reached, setReached] = createSignal<number>();
  const [training, setTraining] = createSignal(false);
  const [weights, setWeights] = createSignal<number>();
  const [view, setView] = createSignal<Inspection>();
  const [error, setError] = createSignal<unknown>();
  let remote: Remote<RaceApi> | undefined;
  let run: AbortController | undefined;
  /** Settles when a run has taken its last step and its model is kept. */
  let running: Promise<void> | undefined;
  let ids: Int32Array | undefined;
  let looking = false;
  let lookedAt = 0;
  let keptAt = 0;
  /** Settings and backend of the model in the engine. */
  let current: { readonly task: string; readonly backend: BackendName } | undefined;

  async function refresh(): Promise<void> {
    if (looking || remote === undefined || weights() === undefined || ids === undefined) return;
    looking = true;
    const shown = ids;
    lookedAt = performance.now();
    try {
      setView(await owed(remote.call("inspect", shown)));
    } catch (failure) {
      if ((failure as Error).name !== "AbortedError") setError(failure);
    }
    looking = false;
    if (ids !== shown) void refresh();
  }

  function note(progress: TrainProgress): void {
    batch(() => {
      setHistory([...history(), progress]);
      if (progress.accuracy === undefined) return;
      setAccuracy(progress.accuracy);
      if (progress.accuracy >= GOAL && reached() === undefined) setReached(progress.seconds);
    });
    if (performance.now() - lookedAt > LOOK_EVERY) void refresh();
    if (performance.now() - keptAt > KEEP_EVERY) void keep();
  }

  async function keep(): Promise<void> {
    const [worker, of] = [remote, current];
    if (worker === undefined || of === undefined) return;
    keptAt = performance.now();
    try {
      const weights = await worker.call("weights", undefined);
      const value: KeptModel = { task: of.task, weights, history: history(), accuracy: accuracy(), reached: reached() };
      if (current === of) await keepValue(`race-${id}`, value);
    } catch {
      // the worker was closed meanwhile, or is in trouble, which its next call tells
    }
  }

  async function recall(settings: RaceSettings, backend: BackendName): Promise<void> {
    const wanted = { task: taskOf(settings), backend };
    if (current?.task === wanted.task && current.backend === backend) return;
    reset();
    current = wanted;
    const known = await keptValue<KeptModel>(`race-${id}`);
    if (current !== wanted || known?.task !== wanted.task || known.history.length === 0) return;
    const worker = racer("race", place);
    remote = worker;
    try {
      const made = await worker.call("create", { settings, backend, weights: known.weights });
      if (current !== wanted || remote !== worker) return;
      batch(() => {
        setHistory(known.history);
        setAccuracy(known.accuracy);
        setReached(known.reached);
        setWeights(made.weights);
      });
      await refresh();
    } catch {
      // a model that cannot be brought back is trained again
      if (remote === worker) reset();
    }
  }

  function reset(): void {
    run?.abort();
    remote?.close();
    remote = undefined;
    current = undefined;
    batch(() => {
      setHistory([]);
      setAccuracy(undefined);
      setReached(undefined);
      setWeights(undefined);
      setView(undefined);
      setError(undefined);
      setTraining(false);
    });
  }

  async function start(settings: RaceSettings, backend: BackendName): Promise<void> {
    reset();
    const own = new AbortController();
    run = own;
    setTraining(true);
    current = { task: taskOf(settings), backend };
    keptAt = performance.now();
    const worker = racer("race", place);
    remote = worker;
    try {
      const made = await worker.call("create", { settings, backend });
      setWeights(made.weights);
      await refresh();
      await worker.call(
        "train",
        { maxSeconds: MAX_SECONDS, enough: ENOUGH },
        { signal: own.signal, onEvent: (progress) => own.signal.aborted || note(progress) },
      );
    } catch (failure) {
      if (run === own && (failure as Error).name !== "AbortedError") setError(failure);
    }
    if (run !== own) return;
    setTraining(false);
    await refresh();
    await owed(keep());
  }

  return {
    history,
    accuracy,
    reached,
    training,
    weights,
    view,
    error,
    start: (settings, backend) => void (running = start(settings, backend)),
    stop: () => {
      run?.abort();
      if (running !== undefined) void owed(running);
      setTraining(false); // at once, though the worker may still have to finish its step
    },
    look: (next) => {
      ids = next;
      void refresh();
    },
    recall: (settings, backend) => void owed(recall(settings, backend)),
  };
}
