import { AbortedError, type StatespaceError } from "@statespace/core";
import { zipBlob } from "@statespace/files";
import { forgetValue, keptValue, storeValue } from "../../../shell/store.ts";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { factsKey, ownKey, type KeptFacts, type KeptModel, type OwnModel } from "../../../workers/modelChoice.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { JOB, type Job } from "./job.ts";
import { Learning, loadModel, writing } from "./learning.ts";
import { forgetRun, Run, type Told } from "./run.ts";

/** The last model that learned or was opened, ready to write. */
let ready: { readonly which: OwnModel; readonly kept: KeptModel; readonly open: Opened } | undefined;
let last: Promise<unknown> = Promise.resolve();

/** What computes runs by itself, one after another: a run that is stopped still keeps what it learned. */
function alone<T>(act: () => Promise<T>): Promise<T> {
  const next = last.then(act);
  last = next.catch(() => undefined);
  return next;
}

/** Another tab learns: both would keep their runs in the same place. */
class BusyElsewhereError extends Error {
  override readonly name = "BusyElsewhereError";
}

/** Does what changes the kept run and models, unless another tab of the site is at it. @throws BusyElsewhereError */
function inOneTab<T>(act: () => Promise<T>): Promise<T> {
  return navigator.locks.request("statespace-own-model", { ifAvailable: true }, (lock) => {
    if (lock === null) throw new BusyElsewhereError("own model");
    return act();
  });
}

type Opened = Pick<Awaited<ReturnType<typeof loadModel>>, "model" | "tokenizer"> & { dispose(): void };

export const api = {
  /**
   * Learns, to the end or until it is stopped; then the model is kept. With `resume` the run of an earlier visit goes on.
   * @returns what came of it, undefined where it was stopped before the first step
   */
  learn(
    input: { job: Job; backend: BackendName; resume: boolean },
    context: CallContext<Told>,
  ): Promise<KeptFacts | undefined> {
    return alone(() => inOneTab(() => learn(input, context)));
  },

  /** Writes with a model of the visitor's, piece by piece. */
  write(input: WriteInput, context: CallContext<string>): Promise<void> {
    return alone(() => write(input, context));
  },

  /** A model's folder, or its adapter's, as one archive. */
  async archive({ which, part }: { which: OwnModel; part: "files" | "adapter" }): Promise<Blob> {
    const { [part]: files } = (await modelOf(which))!;
    return zipBlob(Object.entries(files!));
  },

  /** The same as files. */
  async folder({ which, part }: { which: OwnModel; part: "files" | "adapter" }): Promise<Map<string, Blob>> {
    const { [part]: files } = (await modelOf(which))!;
    return new Map(Object.entries(files!).map(([name, bytes]) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]));
  },

  /** Forgets a model; and, where it is the one that learned last, its run. */
  forget(which: OwnModel): Promise<void> {
    const forgetIt = async (): Promise<void> => {
      if (ready?.which === which) {
        ready.open.dispose();
        ready = undefined;
      }
      await forgetValue(factsKey(which));
      await forgetValue(ownKey(which));
      if ((await keptValue<Job>(JOB))?.which === which) await forgetRun();
    };
    return alone(() => inOneTab(forgetIt));
  },
};

async function learn(
  { job, backend, resume }: { job: Job; backend: BackendName; resume: boolean },
  context: CallContext<Told>,
): Promise<KeptFacts | undefined> {
  ready?.open.dispose();
  ready = undefined;
  const on = await startBackend(backend);
  const run = new Run(job, context);
  await run.prepare(resume);
  const { signal, emit } = context;
  const learning = await Learning.begin(job, {
    signal,
    backend: on,
    onProgress: (progress) => emit({ kind: "loading", ...progress }),
  });
  try {
    await run.through(learning, resume);
    if (run.step === 0) {
      learning.dispose();
      return undefined;
    }
    const kept = await learning.toFiles(run.step);
    ready = { which: job.which, kept, open: { ...openedOf(learning), dispose: () => learning.dispose() } };
    await keep(job.which, kept, emit);
    return kept.facts;
  } catch (error) {
    if (ready === undefined) learning.dispose();
    throw error;
  }
}

export interface WriteInput {
  readonly which: OwnModel;
  readonly prompt: string;
  readonly temperature: number;
  readonly backend: BackendName;
}

async function write(
  { which, prompt, temperature, backend }: WriteInput,
  { signal, emit }: CallContext<string>,
): Promise<void> {
  if (ready?.which !== which) {
    ready?.open.dispose();
    ready = undefined;
    const on = await startBackend(backend);
    const open = await loadModel({ kind: "own", which }, { signal, backend: on });
    const kept = (await keptValue<KeptModel>(ownKey(which)))!;
    ready = { which, kept, open: { ...open, dispose: () => open.model.dispose() } };
  }
  const { model, tokenizer } = ready.open;
  const how = { tokens: WRITTEN, temperature, seed: Math.floor(1e6 * Math.random()), signal };
  try {
    for await (const piece of writing(model, tokenizer, prompt, how)) {
      emit(piece);
      await breathe();
    }
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error;
  }
}

/** Characters, or pieces of words, that are written at a time. */
const WRITTEN = 160;

async function modelOf(which: OwnModel): Promise<KeptModel | undefined> {
  return ready?.which === which ? ready.kept : keptValue<KeptModel>(ownKey(which));
}

function openedOf({ model, tokenizer }: Learning): Omit<Opened, "dispose"> {
  return { model, tokenizer };
}

async function keep(which: OwnModel, model: KeptModel, emit: (told: Told) => void): Promise<void> {
  try {
    await storeValue(ownKey(which), model);
    await storeValue(factsKey(which), model.facts);
  } catch (error) {
    emit({ kind: "notKept", reason: (error as StatespaceError).message });
  }
}

export type ModelApi = typeof api;
