import { batch, createRoot, createSignal, type Accessor } from "solid-js";
import type { BackendName } from "../../workers/backendNames.ts";
import { owed } from "../../shell/owed.ts";
import { keepValue, keptValue } from "../../shell/store.ts";
import { racer } from "../../workers/engine.ts";
import type { Remote } from "../../workers/remote.ts";
import type { AtLength, InductionApi, Progress } from "./compute/inductionApi.ts";
import { KINDS, type Kind } from "./compute/learner.ts";
import type { Pair } from "./compute/task.ts";

/** One learner, and what is known of it. */
export interface Pupil {
  readonly kind: Kind;
  readonly history: Accessor<readonly Progress[]>;
  readonly learning: Accessor<boolean>;
  readonly error: Accessor<unknown>;
  readonly lengths: Accessor<readonly AtLength[]>;
  /** Grows with what it has learned, for what shows its answers. */
  readonly version: Accessor<number>;
  learn(seed: number, backend: BackendName): Promise<void>;
  stop(): void;
  /** Brings back what was learned on an earlier visit, where nothing has been on this one. */
  recall(seed: number, backend: BackendName): Promise<void>;
  answer(pairs: readonly Pair[], asked: number, seed: number): Promise<Float64Array | undefined>;
  askAtLengths(pairs: readonly Pair[]): Promise<void>;
}

/** What was learned, as it is kept over a reload. */
interface KeptPupil {
  readonly weights: readonly Float32Array[];
  readonly history: readonly Progress[];
}

/** Milliseconds between two times a pupil that learns is kept. */
const KEEP_EVERY = 4000;

/** They stay while other pages are read. */
export const pupils: readonly Pupil[] = createRoot(() => KINDS.map(makePupil));

function makePupil(kind: Kind): Pupil {
  const [history, setHistory] = createSignal<readonly Progress[]>([]);
  const [learning, setLearning] = createSignal(false);
  const [error, setError] = createSignal<unknown>();
  const [lengths, setLengths] = createSignal<readonly AtLength[]>([]);
  const [version, setVersion] = createSignal(0);
  let remote: Remote<InductionApi> | undefined;
  let run: AbortController | undefined;
  let asking: AbortController | undefined;
  let running: Promise<void> | undefined;

  let keptAt = 0;
  let recalled = false;

  async function keep(worker: Remote<InductionApi>): Promise<void> {
    keptAt = performance.now();
    try {
      const value: KeptPupil = { weights: await worker.call("weights", undefined), history: history() };
      if (remote === worker && value.history.length > 0) await keepValue(`induction-${kind}`, value);
    } catch {
      // the worker was closed meanwhile, or is in trouble, which its next call tells
    }
  }

  const guard = async (own: AbortController, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (failure) {
      if (!own.signal.aborted && (failure as Error).name !== "AbortedError") setError(failure);
    }
  };

  async function learnFrom(seed: number, backend: BackendName): Promise<void> {
    run?.abort();
    asking?.abort();
    remote?.close();
    keptAt = performance.now();
    const own = (run = new AbortController());
    const worker = (remote = racer("induction", KINDS.indexOf(kind)));
    batch(() => {
      setHistory([]);
      setLengths([]);
      setError(undefined);
      setLearning(true);
    });
    await guard(own, () =>
      worker.call(
        "learn",
        { kind, seed, backend },
        {
          signal: own.signal,
          onEvent: (progress) => {
            if (run !== own) return;
            setHistory([...history(), progress]);
            if (history().length % 5 === 1) setVersion(version() + 1);
            if (performance.now() - keptAt > KEEP_EVERY) void keep(worker);
          },
        },
      ),
    );
    if (remote === worker && error() === undefined) await keep(worker);
    if (run !== own) return;
    batch(() => {
      setLearning(false);
      setVersion(version() + 1);
    });
  }

  return {
    kind,
    history,
    learning,
    error,
    lengths,
    version,
    learn: (seed, backend) => (running = learnFrom(seed, backend)),
    stop() {
      run?.abort();
      if (running !== undefined) void owed(running); // the step under way, and keeping what was learned
      setLearning(false);
    },
    async recall(seed, backend) {
      if (recalled || remote !== undefined) return;
      recalled = true;
      const known = await keptValue<KeptPupil>(`induction-${kind}`);
      if (known === undefined || remote !== undefined) return;
      const worker = (remote = racer("induction", KINDS.indexOf(kind)));
      try {
        await worker.call("restore", { kind, seed, backend, weights: known.weights });
        if (remote !== worker) return;
        batch(() => {
          setHistory(known.history);
          setVersion(version() + 1);
        });
      } catch {
        // what cannot be brought back is learned again
        worker.close();
        if (remote === worker) remote = undefined;
      }
    },
    async answer(pairs, asked, seed) {
      if (remote === undefined || history().length === 0) return undefined;
      return remote.call("answer", { pairs, asked, seed });
    },
    async askAtLengths(pairs) {
      if (remote === undefined || history().length === 0) return;
      asking?.abort();
      const own = (asking = new AbortController());
      setLengths([]);
      await guard(own, () =>
        remote!.call("lengths", pairs, {
          signal: own.signal,
          onEvent: (point) => own.signal.aborted || setLengths([...lengths(), point]),
        }),
      );
    },
  };
}
