import { batch, createRoot, createSignal, type Accessor } from "solid-js";
import { ownModels, type OwnModels } from "../../shell/ownModels.ts";
import { owed } from "../../shell/owed.ts";
import { keptValue } from "../../shell/store.ts";
import type { BackendName } from "../../workers/backendNames.ts";
import { engine } from "../../workers/engine.ts";
import type { OwnModel } from "../../workers/modelChoice.ts";
import type { Remote } from "../../workers/remote.ts";
import { JOB, PROGRESS, type History, type Job, type KeptProgress } from "./compute/job.ts";
import type { ModelApi } from "./compute/modelApi.ts";
import type { Told } from "./compute/run.ts";

export interface Loading {
  readonly file: string;
  readonly loaded: number;
  readonly total: number | undefined;
}

export interface Speed {
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

/** The page's end of the learning worker. */
export interface Learner {
  /** The run that is shown, undefined before the first. */
  readonly job: Accessor<Job | undefined>;
  readonly history: Accessor<History | undefined>;
  readonly step: Accessor<number>;
  readonly speed: Accessor<Speed | undefined>;
  readonly loading: Accessor<Loading | undefined>;
  /** What stops the run, while there is one. */
  readonly run: Accessor<AbortController | undefined>;
  readonly error: Accessor<unknown>;
  /** Why something is not kept in this browser. */
  readonly notKept: Accessor<string | undefined>;
  /** The models that are there. */
  readonly models: Accessor<OwnModels>;
  /** What a model wrote last. */
  written(which: OwnModel): string;
  /** What stops it, while it writes. */
  writing(which: OwnModel): AbortController | undefined;
  learn(job: Job, backend: BackendName): Promise<void>;
  /** Goes on with a run that was stopped, or that a closed tab left. */
  goOn(backend: BackendName): Promise<void>;
  write(which: OwnModel, prompt: string, temperature: number, backend: BackendName): Promise<void>;
  archive(which: OwnModel, part: "files" | "adapter"): Promise<Blob | undefined>;
  folder(which: OwnModel, part: "files" | "adapter"): Promise<Map<string, Blob> | undefined>;
  forget(which: OwnModel): Promise<void>;
  /** After a reload: what was there before. */
  recall(): Promise<void>;
  fail(error: unknown): void;
}

/** It goes on while other pages are read. */
export const learner: Learner = createRoot(makeLearner);

function makeLearner(): Learner {
  const [job, setJob] = createSignal<Job>();
  const [history, setHistory] = createSignal<History>();
  const [step, setStep] = createSignal(0);
  const [speed, setSpeed] = createSignal<Speed>();
  const [loading, setLoading] = createSignal<Loading>();
  const [run, setRun] = createSignal<AbortController>();
  const [error, setError] = createSignal<unknown>();
  const [notKept, setNotKept] = createSignal<string>();
  const [models, setModels] = createSignal<OwnModels>({});
  const [written, setWritten] = createSignal<Readonly<Partial<Record<OwnModel, string>>>>({});
  const [writing, setWriting] = createSignal<{ readonly which: OwnModel; readonly stop: AbortController }>();
  let remote: Remote<ModelApi> | undefined;
  let recalled = false;

  const worker = (): Remote<ModelApi> => (remote ??= engine("model"));
  const hear = (told: Told): void => {
    if (told.kind === "notKept") return void setNotKept(told.reason);
    if (told.kind === "loading") return void setLoading(told);
    const { tokensPerSecond, secondsLeft } = told;
    batch(() => {
      setLoading(undefined);
      setHistory(told.history);
      setStep(told.step);
      if (tokensPerSecond > 0) setSpeed({ tokensPerSecond, secondsLeft });
    });
  };
  /** An error is shown; a stop is none. */
  async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
    setError(undefined);
    try {
      return await act();
    } catch (failure) {
      if ((failure as Error).name !== "AbortedError") setError(failure);
      return undefined;
    }
  }

  async function start(next: Job, backend: BackendName, resume: boolean): Promise<void> {
    run()?.abort();
    writing()?.stop.abort();
    const own = new AbortController();
    batch(() => {
      setRun(own);
      setJob(next);
      setNotKept(undefined);
      if (resume) return;
      setHistory(undefined);
      setStep(0);
    });
    const facts = await attempt(() =>
      worker().call("learn", { job: next, backend, resume }, { signal: own.signal, onEvent: hear }),
    );
    if (run() !== own) return;
    batch(() => {
      if (facts !== undefined) setModels({ ...models(), [next.which]: facts });
      setWritten({ ...written(), [next.which]: "" });
      setLoading(undefined);
      setSpeed(undefined);
      setRun(undefined);
    });
  }

  return {
    job,
    history,
    step,
    speed,
    loading,
    run,
    error,
    notKept,
    models,
    written: (which) => written()[which] ?? "",
    writing: (which) => (writing()?.which === which ? writing()!.stop : undefined),
    learn: (next, backend) => start(next, backend, false),
    goOn: async (backend) => {
      const known = job();
      if (known !== undefined) await start(known, backend, true);
    },
    async write(which, prompt, temperature, backend) {
      writing()?.stop.abort();
      const own = new AbortController();
      setWriting({ which, stop: own });
      setWritten({ ...written(), [which]: prompt });
      await attempt(() =>
        worker().call(
          "write",
          { which, prompt, temperature, backend },
          { signal: own.signal, onEvent: (piece) => setWritten({ ...written(), [which]: written()[which] + piece }) },
        ),
      );
      if (writing()?.stop === own) setWriting(undefined);
    },
    archive: (which, part) => attempt(() => worker().call("archive", { which, part })),
    folder: (which, part) => attempt(() => worker().call("folder", { which, part })),
    async forget(which) {
      await attempt(() => owed(worker().call("forget", which)));
      const { [which]: _, ...rest } = models();
      batch(() => {
        setModels(rest);
        setWritten({ ...written(), [which]: "" });
        if (job()?.which !== which) return;
        setJob(undefined);
        setHistory(undefined);
        setStep(0);
      });
    },
    async recall() {
      if (recalled) return;
      recalled = true;
      setModels({ ...(await ownModels()), ...models() });
      const [known, progress] = [await keptValue<Job>(JOB), await keptValue<KeptProgress>(PROGRESS)];
      if (known === undefined || progress === undefined || job() !== undefined) return;
      batch(() => {
        setJob(known);
        setHistory(progress.history);
        setStep(progress.step);
      });
    },
    fail: (failure) => void setError(failure),
  };
}
