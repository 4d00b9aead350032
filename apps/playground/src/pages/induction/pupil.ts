import { batch, createRoot, createSignal, type Accessor } from "solid-js";
import type { BackendName } from "../../workers/backendNames.ts";
import { engine } from "../../workers/engine.ts";
import type { Remote } from "../../workers/rpc.ts";
import type { AtLength, InductionApi, Progress } from "./compute/inductionApi.ts";
import { KINDS, type Kind } from "./compute/learner.ts";
import type { Pair } from "./compute/task.ts";

/** One learner in a worker of its own, and what is known of it. */
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
  answer(pairs: readonly Pair[], asked: number, seed: number): Promise<Float64Array | undefined>;
  askAtLengths(pairs: readonly Pair[]): Promise<void>;
}

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

  const guard = async (own: AbortController, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (failure) {
      if (!own.signal.aborted && (failure as Error).name !== "AbortedError") setError(failure);
    }
  };

  return {
    kind,
    history,
    learning,
    error,
    lengths,
    version,
    async learn(seed, backend) {
      run?.abort();
      asking?.abort();
      remote?.close();
      const own = (run = new AbortController());
      const worker = (remote = engine("induction"));
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
            },
          },
        ),
      );
      if (run !== own) return;
      batch(() => {
        setLearning(false);
        setVersion(version() + 1);
      });
    },
    stop() {
      run?.abort();
      setLearning(false);
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
