import { ArgumentError, FormatError, Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import type { Batch, BatchStream, DatasetInfo, JsonValue, Split } from "../batch.ts";
import { fingerprint } from "../fingerprint.ts";
import { restoreRng, rngLane } from "../random.ts";
import { stateFields, stateInteger } from "../streamState.ts";

/** A task with an endless supply of examples: all randomness comes from the generator handed in. */
export interface Task<B extends Batch = Batch> {
  readonly info: DatasetInfo;
  /** Ids are below this number; absent for real-valued inputs. */
  readonly vocabSize?: number;
  /** Draws `batchSize` fresh examples. */
  sample(random: Rng, batchSize: number): B;
}

/** Rows of a batch, and which of a task's endless streams to draw. */
export interface TaskStreamOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Each split draws from its own generator, so the three never share a stream. Default "train". */
  readonly split?: Split;
}

const splitOrder: readonly Split[] = ["train", "validation", "test"];

/**
 * Endless batches of a synthetic task.
 * Errors: `ArgumentError` for a batch size below 1 or a seed that is no integer in [0, 2^31).
 */
export function streamTask<B extends Batch>(task: Task<B>, options: TaskStreamOptions): BatchStream<B> {
  refuseUnknown("streamTask", options, ["batchSize", "seed", "split"]);
  const { batchSize, seed, split = "train" } = options;
  requireInteger("streamTask", "batchSize", batchSize, 1);
  requireInteger("streamTask", "seed", seed, 0);
  const lane = splitOrder.indexOf(split);
  if (lane < 0) throw new ArgumentError(`streamTask: split must be one of ${splitOrder.join(", ")}, got ${split}`);
  return new TaskStream(task, options, rngLane(seed, lane));
}

class TaskStream<B extends Batch> implements BatchStream<B> {
  readonly #task: Task<B>;
  readonly #options: TaskStreamOptions;
  #random: Rng;
  #position = 0;

  constructor(task: Task<B>, options: TaskStreamOptions, random: Rng) {
    this.#task = task;
    this.#options = options;
    this.#random = random;
  }

  nextBatch(): B {
    this.#position++;
    return this.#task.sample(this.#random, this.#options.batchSize);
  }

  state(): JsonValue {
    return { kind: "task", name: this.#task.info.name, position: this.#position, random: this.#random.state() };
  }

  restore(state: JsonValue): void {
    const fields = stateFields(state, "task");
    if (fields["name"] !== this.#task.info.name) {
      throw new FormatError(`streamTask: state belongs to ${String(fields["name"])}, not to ${this.#task.info.name}`);
    }
    const position = stateInteger(fields, "position");
    this.#random = restoreRng(fields["random"]);
    this.#position = position;
  }

  /** A task's own settings show in what it makes of one seed. */
  identity(): JsonValue {
    const { batchSize, seed, split = "train" } = this.#options;
    const { inputs, targets } = this.#task.sample(new Rng(1), 2);
    return { kind: "task", name: this.#task.info.name, batchSize, seed, split, sample: fingerprint(inputs, targets) };
  }

  *[Symbol.iterator](): Iterator<B> {
    for (;;) yield this.nextBatch();
  }
}
