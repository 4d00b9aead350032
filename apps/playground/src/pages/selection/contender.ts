import { batch, createSignal, onCleanup, type Accessor } from "solid-js";
import type { BackendName } from "../../workers/backendNames.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/rpc.ts";
import type { Inspection } from "./compute/inspect.ts";
import type { RaceApi, TrainProgress } from "./compute/raceApi.ts";
import type { RaceSettings } from "./compute/trainer.ts";

/** A model in a worker of its own, and what is known of it. */
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
  reset(): void;
}

export const GOAL = 0.95;
/** Training goes on past the goal, so that the picture of the selection gets clear. */
const ENOUGH = 0.99;
const MAX_SECONDS = 240;
const LOOK_EVERY = 500;

export function useContender(): Contender {
  const [history, setHistory] = createSignal<readonly TrainProgress[]>([]);
  const [accuracy, setAccuracy] = createSignal<number>();
  const [reached, setReached] = createSignal<number>();
  const [training, setTraining] = createSignal(false);
  const [weights, setWeights] = createSignal<number>();
  const [view, setView] = createSignal<Inspection>();
  const [error, setError] = createSignal<unknown>();
  let remote: Remote<RaceApi> | undefined;
  let run: AbortController | undefined;
  let ids: Int32Array | undefined;
  let looking = false;
  let lookedAt = 0;

  async function refresh(): Promise<void> {
    if (looking || remote === undefined || weights() === undefined || ids === undefined) return;
    looking = true;
    const shown = ids;
    lookedAt = performance.now();
    try {
      setView(await remote.call("inspect", shown));
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
  }

  function reset(): void {
    run?.abort();
    remote?.close();
    remote = undefined;
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
    const worker = engine("race");
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
  }

  onCleanup(reset);
  return {
    history,
    accuracy,
    reached,
    training,
    weights,
    view,
    error,
    start: (settings, backend) => void start(settings, backend),
    stop: () => {
      run?.abort();
      setTraining(false); // at once, though the worker may still have to finish its step
    },
    look: (next) => {
      ids = next;
      void refresh();
    },
    reset,
  };
}
