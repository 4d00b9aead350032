import { ArgumentError, Rng } from "@statespace/core";
import { fingerprint, shuffledBatches, type JsonValue, type Numbers } from "@statespace/datasets";
import {
  flatSequence,
  type HeadConfig,
  type Model,
  type SequenceInput,
  type TrainingBatch,
  type TrainingStream,
} from "@statespace/models";

/** What a model shall answer to a sequence: a class, values, values of each step, or a class of each step. */
export type Target = number | SequenceInput;

/** Sequences of any lengths, and the answer to each. */
export interface Examples {
  readonly inputs: readonly SequenceInput[];
  readonly targets: readonly Target[];
}

/** An example as flat numbers. */
interface Row {
  readonly input: Numbers; // [l, channels], or ids [l]
  readonly length: number;
  readonly target: Numbers;
  readonly targetShape: readonly number[];
}

/** Examples that fit a model, checked once. */
export class ExampleSet {
  readonly #rows: readonly Row[];
  readonly #ids: boolean;
  readonly #channels: number;

  private constructor(rows: readonly Row[], ids: boolean, channels: number) {
    this.#rows = rows;
    this.#ids = ids;
    this.#channels = channels;
  }

  /** @throws ArgumentError naming the example that does not fit the model. */
  static read({ inputs, targets }: Examples, model: Model): ExampleSet {
    const { encoder, head } = model.resolved;
    if (inputs.length !== targets.length)
      throw new ArgumentError(`fit: targets must be as many as inputs, ${inputs.length}, got ${targets.length}`);
    if (inputs.length === 0) throw new ArgumentError("fit: there are no examples");
    const channels = encoder.kind === "linear" ? encoder.channels : 1;
    const rows = inputs.map((sequence, i) => {
      const { values, length } = flatSequence(model, sequence, `fit: inputs[${i}]`);
      return { input: values, length, ...flatTarget(targets[i]!, head, `fit: targets[${i}]`) };
    });
    const shape = rows[0]!.targetShape;
    rows.forEach(({ targetShape, length }, i) => {
      const perStep = head.kind === "regression" && head.pooling === "none";
      const expected = perStep ? [length, ...targetShape.slice(1)] : shape;
      if (targetShape.join() !== expected.join())
        throw new ArgumentError(`fit: targets[${i}] must be [${expected.join(", ")}], got [${targetShape.join(", ")}]`);
    });
    return new ExampleSet(rows, encoder.kind === "embedding", channels);
  }

  get size(): number {
    return this.#rows.length;
  }

  /** Two sets, the second with a share of the examples drawn at random; nothing is left out of both. */
  split(share: number, seed: number): [ExampleSet, ExampleSet | undefined] {
    const apart = Math.round(this.size * share);
    if (apart === 0 || apart === this.size) return [this, undefined];
    const order = new Rng(seed).shuffle(Int32Array.from({ length: this.size }, (_, i) => i));
    const part = (from: number, to: number): ExampleSet =>
      new ExampleSet(
        [...order.subarray(from, to)].map((i) => this.#rows[i]!),
        this.#ids,
        this.#channels,
      );
    return [part(apart, this.size), part(0, apart)];
  }

  /** Endless batches in an order drawn anew each epoch. */
  stream(batchSize: number, seed: number): TrainingStream {
    const places = Int32Array.from({ length: this.size }, (_, i) => i);
    const info = { name: "examples", description: "", licence: "", source: "", split: "" };
    const order = shuffledBatches(
      { info, length: this.size, inputs: places, inputShape: [1], targets: places, targetShape: [] },
      { batchSize, seed },
    );
    return {
      nextBatch: () => this.#batch(order.nextBatch().targets),
      state: () => order.state(),
      restore: (state) => order.restore(state),
      identity: (): JsonValue => ({
        batchSize,
        seed,
        examples: fingerprint(...this.#rows.flatMap(({ input, target }) => [input, target])),
      }),
    };
  }

  /** Each example once. */
  *batches(batchSize: number): Generator<TrainingBatch> {
    for (let at = 0; at < this.size; at += batchSize) {
      const count = Math.min(batchSize, this.size - at);
      yield { ...this.#batch(Array.from({ length: count }, (_, i) => at + i)), reset: true };
    }
  }

  /** Rows padded at the end to the longest of them; `lengths` where they differ. */
  #batch(places: ArrayLike<number>): TrainingBatch {
    const rows = Array.from(places, (place) => this.#rows[place]!);
    const longest = Math.max(...rows.map(({ length }) => length));
    const wide = longest * this.#channels;
    const inputs = this.#ids ? new Int32Array(rows.length * wide) : new Float32Array(rows.length * wide);
    rows.forEach(({ input }, i) => inputs.set(input, i * wide));
    const uneven = rows.some(({ length }) => length !== longest);
    const shape = this.#ids ? [rows.length, longest] : [rows.length, longest, this.#channels];
    const { target, targetShape } = rows[0]!;
    const perStep = targetShape.length > 0 && targetShape[0] === rows[0]!.length && uneven;
    const size = perStep ? (target.length / rows[0]!.length) * longest : target.length;
    const targets =
      target instanceof Int32Array ? new Int32Array(rows.length * size) : new Float32Array(rows.length * size);
    rows.forEach((row, i) => targets.set(row.target, i * size));
    return {
      inputs,
      shape,
      targets,
      targetShape: [rows.length, ...(perStep ? [longest, ...targetShape.slice(1)] : targetShape)],
      ...(uneven && { lengths: Int32Array.from(rows, ({ length }) => length) }),
      ...(perStep && { mask: stepMask(rows, longest) }),
    };
  }
}

/** 1 at the steps that a row has. */
function stepMask(rows: readonly Row[], longest: number): Float32Array {
  const mask = new Float32Array(rows.length * longest);
  rows.forEach(({ length }, i) => mask.fill(1, i * longest, i * longest + length));
  return mask;
}

function flatTarget(target: Target, head: HeadConfig, where: string): Pick<Row, "target" | "targetShape"> {
  if (head.kind === "classification") {
    if (typeof target !== "number" || !Number.isInteger(target) || target < 0 || target >= head.classes)
      throw new ArgumentError(`${where} must be a class in [0, ${head.classes}), got ${String(target)}`);
    return { target: Int32Array.of(target), targetShape: [] };
  }
  if (head.kind === "language")
    throw new ArgumentError("fit: a language model is trained on texts or ids, not on examples with targets");
  const width = head.kind === "regression" ? head.outputs : head.channels;
  const steps = head.kind === "forecasting" ? head.horizon : head.pooling === "none" ? undefined : 1;
  const values = flatValues(target, where);
  const expected = steps === undefined ? undefined : steps * width;
  if ((expected !== undefined && values.length !== expected) || values.length % width !== 0)
    throw new ArgumentError(`${where} must have ${expected ?? `a multiple of ${width}`} numbers, got ${values.length}`);
  if (steps === 1) return { target: values, targetShape: [width] };
  return { target: values, targetShape: [values.length / width, width] };
}

/** The numbers of a target, step by step. */
function flatValues(target: Target, where: string): Float32Array {
  const steps = typeof target === "number" ? [target] : Array.from<number | ArrayLike<number>>(target);
  const values = Float32Array.from(steps.flatMap((step) => (typeof step === "number" ? [step] : Array.from(step))));
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new ArgumentError(`${where} must be finite, got ${values[wrong]} at ${wrong}`);
  return values;
}
