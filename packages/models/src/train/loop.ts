import { DeviceLostError, FormatError, Rng } from "@statespace/core";
import type { Optimizer } from "@statespace/core/backend";
import { throwIfAborted } from "@statespace/files";
import { countSteps, type StreamState, type TrainingBatch, type TrainingStream } from "./batch.ts";
import { Breather } from "./breather.ts";
import { pruneCheckpoints, restoreTraining, saveTraining, type TrainingProgress } from "./checkpointing.ts";
import { makeOptimizer } from "./optimizer.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import type { EndReason, EvaluationEvent, TrainingEvent } from "./events.ts";
import { KeptWeights } from "./keptWeights.ts";
import type { CarriedState, Trainable } from "./objective.ts";
import { resolveOptions, type ResolvedOptions, type TrainOptions } from "./options.ts";
import { PendingSteps } from "./pendingSteps.ts";
import { runIdentity } from "./runIdentity.ts";
import { trainStep } from "./step.ts";
import { Stopwatch } from "./stopwatch.ts";
import { WeightAverage } from "./weightAverage.ts";

/**
 * Trains, telling each step as it is done: `for await (const event of train(...))`. Leaving the loop ends the training.
 *
 * With a store, a run can be stopped anywhere and resumed: the losses go on bit for bit on the same backend and thread count
 * (with `maxMinutes` the rates follow the clock, so they do not).
 * @param trainable a `modelObjective`, or anything with parameters and a loss.
 * @param data an endless stream whose position can be saved.
 * @throws ArgumentError; NonFiniteError when a loss or gradient is not finite, which is seen within a few steps and before any
 * checkpoint of them; AbortedError, after a checkpoint; what the store throws at the last checkpoint.
 */
export async function* train<B extends TrainingBatch>(
  trainable: Trainable<B>,
  data: TrainingStream<B>,
  options: TrainOptions<B>,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const run = new Run(trainable, data, resolveOptions(options));
  try {
    yield* run.start();
    yield* run.steps();
  } finally {
    run.dispose();
  }
}

class Run<B extends TrainingBatch> {
  readonly #trainable: Trainable<B>;
  readonly #data: TrainingStream<B>;
  readonly #options: ResolvedOptions<B>;
  readonly #optimizer: Optimizer;
  readonly #breather = new Breather();
  #progress: TrainingProgress = { step: 0, tokens: 0, seconds: 0, best: null, stale: 0, evaluated: 0 };
  #rng: Rng;
  #carried: CarriedState | undefined;
  #pending: PendingSteps;
  #clock = new Stopwatch();
  #saved = -1;
  readonly #identity: StreamState;
  readonly #average: WeightAverage | undefined;
  readonly #kept: KeptWeights | undefined;

  constructor(trainable: Trainable<B>, data: TrainingStream<B>, options: ResolvedOptions<B>) {
    this.#trainable = trainable;
    this.#data = data;
    this.#options = options;
    this.#optimizer = makeOptimizer(trainable.parameters, options.optimizer);
    this.#rng = new Rng(options.seed ?? 0);
    this.#identity = runIdentity(options, data);
    this.#pending = new PendingSteps(() => this.#seconds(), 0);
    const { ema, evaluation } = options;
    this.#average = ema === undefined ? undefined : new WeightAverage(trainable.parameters, ema);
    this.#kept = evaluation?.keepBest ? new KeptWeights(trainable.parameters) : undefined;
  }

  async *start(): AsyncGenerator<TrainingEvent> {
    const { checkpoints, resume = false } = this.#options;
    if (checkpoints === undefined) return;
    await checkpoints.store.prepare();
    const newest = (await checkpoints.store.names()).at(-1);
    if (newest === undefined) {
      if (checkpoints.first) yield* this.#checkpoint(true);
      return;
    }
    if (!resume)
      throw new FormatError(`train: there are checkpoints already (${newest}); resume, or take an empty folder`);
    const { progress, data, rng, carried, average, kept, changed } = await restoreTraining(
      checkpoints.store,
      newest,
      this.#trainable.parameters,
      this.#optimizer,
      { identity: this.#identity, mayDiffer: resume === "changed" },
    );
    if (!changed.some((line) => line.startsWith("data"))) this.#data.restore(data);
    this.#progress = { ...progress };
    // Where a run without one goes on with one, it begins at the weights.
    this.#average?.assign(average ?? (await weightsOf(this.#trainable)));
    if (this.#kept !== undefined) this.#kept.values = kept;
    this.#rng = rng;
    if (carried !== undefined) {
      if (this.#trainable.restoreState === undefined)
        throw new FormatError(`checkpoint ${newest}: holds a carried state, but the model carries none`);
      this.#carried = this.#trainable.restoreState(carried);
    }
    this.#clock = new Stopwatch(progress.seconds);
    this.#pending = new PendingSteps(() => this.#seconds(), progress.tokens);
    this.#saved = progress.step;
    yield { kind: "resumed", step: progress.step, name: newest, ...(changed.length > 0 && { changed }) };
  }

  async *steps(): AsyncGenerator<TrainingEvent> {
    const { evaluation, checkpoints, signal } = this.#options;
    let reason: EndReason | undefined;
    for (;;) {
      if (signal?.aborted) yield* this.#abort();
      const { step } = this.#progress;
      if (evaluation && step > 0 && step % evaluation.every === 0) yield* this.#evaluate();
      reason = this.#over();
      if (reason !== undefined) break;
      if (checkpoints?.every && step > 0 && step % checkpoints.every === 0) yield* this.#checkpoint(false);
      this.#step();
      yield* this.#pending.settle((at) => this.#secondsLeft(at));
      await this.#breather.pause();
    }
    yield* this.#settleAll();
    if (evaluation) yield* this.#evaluate();
    yield* this.#checkpoint(true);
    this.#average?.exchange();
    this.#kept?.restore();
    yield { kind: "end", step: this.#progress.step, reason, seconds: this.#seconds() };
  }

  #step(): void {
    const { accumulate, optimizer, schedule, clipNorm } = this.#options;
    const batches = Array.from({ length: accumulate }, () => this.#data.nextBatch());
    const learningRate = optimizer.learningRate * schedule(this.#share());
    const { measures, state } = trainStep(this.#trainable, this.#optimizer, batches, {
      learningRate,
      clipNorm: clipNorm ?? undefined,
      carried: this.#carried,
      rng: this.#rng,
    });
    this.#carried?.dispose();
    this.#carried = state;
    this.#progress.step++;
    this.#average?.update(this.#progress.step);
    for (const batch of batches) this.#progress.tokens += countSteps(batch);
    this.#pending.add({ measures, step: this.#progress.step, tokens: this.#progress.tokens, learningRate });
  }

  /** Share of the run that is over when the coming step ends. */
  #share(): number {
    const { steps, maxMinutes } = this.#options;
    const bySteps = steps === undefined ? 0 : (this.#progress.step + 1) / steps;
    const byTime = maxMinutes === undefined ? 0 : this.#seconds() / (60 * maxMinutes);
    return Math.min(1, Math.max(bySteps, byTime));
  }

  #over(): EndReason | undefined {
    const { steps, maxMinutes, evaluation } = this.#options;
    if (evaluation?.patience !== undefined && this.#progress.stale >= evaluation.patience) return "earlyStop";
    if (steps !== undefined && this.#progress.step >= steps) return "steps";
    return maxMinutes !== undefined && this.#seconds() >= 60 * maxMinutes ? "time" : undefined;
  }

  #seconds(): number {
    return this.#clock.seconds;
  }

  #secondsLeft(step: number): number {
    const { steps, maxMinutes } = this.#options;
    const seconds = this.#seconds();
    const bySteps = steps === undefined ? Infinity : (seconds / step) * (steps - step);
    const byTime = maxMinutes === undefined ? Infinity : 60 * maxMinutes - seconds;
    return Math.max(0, Math.min(bySteps, byTime));
  }

  async *#settleAll(): AsyncGenerator<TrainingEvent> {
    yield* this.#pending.settle((step) => this.#secondsLeft(step), true);
  }

  /** Unless this step was evaluated already, before an interruption say. A moving average is in the weights' place until the event was heard. */
  async *#evaluate(): AsyncGenerator<TrainingEvent> {
    if (this.#progress.evaluated === this.#progress.step) return;
    yield* this.#settleAll();
    const { evaluation, signal } = this.#options;
    let aborted = false;
    this.#average?.exchange();
    try {
      const result = await evaluate(
        this.#trainable,
        this.#clock.around(evaluation!.batches()),
        signal === undefined ? {} : { signal },
      );
      const event = this.#judged(result, evaluation!.minDelta ?? 0);
      if (event.isBest) await this.#kept?.take();
      yield event;
    } catch (error) {
      if (!signal?.aborted) throw error;
      aborted = true;
    } finally {
      this.#average?.exchange();
    }
    if (aborted) yield* this.#abort();
  }

  #judged(result: Evaluation, minDelta: number): EvaluationEvent {
    const { best, step } = this.#progress;
    const isBest = best === null || result.loss < best - minDelta;
    this.#progress.best = isBest ? result.loss : best;
    this.#progress.stale = isBest ? 0 : this.#progress.stale + 1;
    this.#progress.evaluated = step;
    return { kind: "evaluation", step, seconds: this.#seconds(), isBest, ...result };
  }

  /** @param must a failure ends the run; otherwise it is told, and the next checkpoint tries again. */
  async *#checkpoint(must: boolean): AsyncGenerator<TrainingEvent> {
    const { checkpoints } = this.#options;
    const { step } = this.#progress;
    if (checkpoints === undefined || this.#saved === step) return;
    yield* this.#settleAll();
    try {
      const name = await saveTraining(checkpoints.store, {
        parameters: this.#trainable.parameters,
        optimizer: this.#optimizer,
        carried: this.#carried,
        average: await this.#average?.read(),
        kept: this.#kept?.values,
        progress: { ...this.#progress, seconds: this.#seconds() },
        data: this.#data.state(),
        rng: this.#rng,
        run: this.#identity,
      });
      this.#saved = step;
      await pruneCheckpoints(checkpoints.store, checkpoints.keep ?? 2);
      yield { kind: "checkpoint", step, name };
    } catch (error) {
      if (must || error instanceof DeviceLostError) throw error;
      yield { kind: "checkpointFailed", step, reason: (error as Error).message };
    }
  }

  async *#abort(): AsyncGenerator<TrainingEvent> {
    yield* this.#checkpoint(true);
    throwIfAborted(this.#options.signal, "train");
  }

  dispose(): void {
    this.#pending.dispose();
    this.#carried?.dispose();
    this.#optimizer.dispose();
    this.#average?.dispose();
  }
}

async function weightsOf({ parameters }: Pick<Trainable, "parameters">): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const parameter of parameters) values.set(parameter.name, await parameter.read());
  return values;
}
