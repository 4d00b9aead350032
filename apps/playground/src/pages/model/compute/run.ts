import { AbortedError, type StatespaceError } from "@statespace/core";
import type { TrainingEvent } from "@statespace/models";
import { forgetValue, keptValue, storeValue } from "../../../shell/store.ts";
import type { CallContext } from "../../../workers/rpc.ts";
import { browserStore } from "./checkpoints.ts";
import { CHECKPOINT, JOB, PROGRESS, type History, type Job, type KeptProgress, type Point } from "./job.ts";
import type { Learning } from "./learning.ts";

/** What a run tells. */
export type Told =
  | { readonly kind: "loading"; readonly file: string; readonly loaded: number; readonly total: number | undefined }
  | {
      readonly kind: "progress";
      readonly history: History;
      readonly step: number;
      readonly tokensPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: "notKept"; readonly reason: string };

/** Told at most this often: each is drawn. */
const TELL_EVERY_MS = 250;
/** Times in a run that the model shows what it writes. */
const SAMPLES = 8;
/** Points of the curve that are kept; of a longer run every other, every third ... step. */
const MOST_POINTS = 500;

/** Forgets the run that is kept. */
export async function forgetRun(): Promise<void> {
  for (const key of [JOB, PROGRESS, CHECKPOINT]) await forgetValue(key);
}

const NOTHING: History = { points: [], apart: [], samples: [], guessing: 0, frequency: 0 };

/** A run with all that is told of it. */
export class Run {
  readonly #job: Job;
  readonly #context: CallContext<Told>;
  #history: { -readonly [K in keyof History]: History[K] } = NOTHING;
  #told = 0;
  #speed = { tokensPerSecond: 0, secondsLeft: 0 };
  step = 0;

  constructor(job: Job, context: CallContext<Told>) {
    this.#job = job;
    this.#context = context;
  }

  /** Looks up what an earlier visit left, or makes room for a new run. */
  async prepare(resume: boolean): Promise<void> {
    if (resume) {
      // without a checkpoint it begins anew
      const [kept, checkpoint] = [await keptValue<KeptProgress>(PROGRESS), await keptValue(CHECKPOINT)];
      this.#history = (checkpoint === undefined ? undefined : kept?.history) ?? NOTHING;
      return;
    }
    await forgetRun();
    try {
      await storeValue(JOB, this.#job);
    } catch (error) {
      this.#notKept((error as StatespaceError).message);
    }
  }

  async through(learning: Learning, resume: boolean): Promise<void> {
    const { signal } = this.#context;
    const { steps } = this.#job.settings;
    const every = Math.max(1, Math.ceil(steps / SAMPLES));
    this.#history = { ...this.#history, guessing: Math.log2(learning.model.vocabSize), frequency: learning.frequency };
    if (this.#history.samples.length === 0) await this.#sample(learning);
    const store = browserStore((reason) => this.#notKept(reason));
    try {
      for await (const event of learning.run(store, resume, signal)) {
        await this.#take(event);
        if (event.kind === "step" && (event.step % every === 0 || event.step === steps)) await this.#sample(learning);
      }
    } catch (error) {
      // a stop: what was learned stays, and can go on
      if (!(error instanceof AbortedError)) throw error;
    }
    this.#tell();
    await this.#keep(this.step >= steps);
  }

  async #take(event: TrainingEvent): Promise<void> {
    if (event.kind === "resumed") this.#goBackTo(event.step);
    if (event.kind === "evaluation")
      this.#history = { ...this.#history, apart: [...this.#history.apart, pointOf(event)] };
    if (event.kind === "checkpoint") await this.#keep(false);
    if (event.kind !== "step") return;
    this.step = event.step;
    const { tokensPerSecond, secondsLeft } = event;
    this.#speed = { tokensPerSecond, secondsLeft };
    if (event.step % Math.ceil(this.#job.settings.steps / MOST_POINTS) === 0)
      this.#history = { ...this.#history, points: [...this.#history.points, pointOf(event)] };
    if (performance.now() - this.#told > TELL_EVERY_MS) this.#tell();
  }

  /** What came after the checkpoint comes again. */
  #goBackTo(step: number): void {
    this.step = step;
    const before = <T extends { step: number }>(list: readonly T[]): T[] => list.filter((each) => each.step <= step);
    const { points, apart, samples, glances } = this.#history;
    this.#history = {
      ...this.#history,
      points: before(points),
      apart: before(apart),
      samples: before(samples),
      ...(glances && { glances: { ...glances, moments: before(glances.moments) } }),
    };
  }

  async #sample(learning: Learning): Promise<void> {
    if (this.#context.signal.aborted) return;
    const text = await learning.sample(this.#context.signal);
    const glances = await learning.glance(this.step, this.#history.glances);
    this.#history = { ...this.#history, samples: [...this.#history.samples, { step: this.step, text }], glances };
    this.#tell();
  }

  #tell(): void {
    this.#told = performance.now();
    this.#context.emit({ kind: "progress", history: this.#history, step: this.step, ...this.#speed });
  }

  async #keep(done: boolean): Promise<void> {
    const progress: KeptProgress = { step: this.step, done, history: this.#history };
    try {
      await storeValue(PROGRESS, progress);
    } catch (error) {
      this.#notKept((error as StatespaceError).message);
    }
  }

  #notKept(reason: string): void {
    this.#context.emit({ kind: "notKept", reason });
  }
}

const pointOf = ({ step, loss }: { step: number; loss: number }): Point => ({ step, bits: loss / Math.LN2 });
