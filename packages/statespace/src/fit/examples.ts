import { ArgumentError, Rng } from "@statespace/core";
import { fingerprint, shuffledBatches, type JsonValue, type Numbers } from "@statespace/datasets";
import {
  checkedTimes,
  flatSequence,
  gapsOf,
  IGNORED_TARGET,
  inputWidth,
  type HeadConfig,
  type Model,
  type SequenceInput,
  type TrainingBatch,
  type TrainingStream,
} from "@statespace/models";
import { measured, type Measured } from "./measured.ts";

/**
 * What a model shall answer to a sequence: a class, values, values of each step, or a class of each step. NaN is an answer that is not known, and
 * does not count.
 */
export type Target = number | SequenceInput;

/** Sequences of any lengths, and the answer to each. */
export interface Examples {
  readonly inputs: readonly SequenceInput[];
  readonly targets: readonly Target[];
  /** When each token of each input comes, ascending, in any unit: of a model whose config says irregular. */
  readonly times?: readonly ArrayLike<number>[];
}

/** An example as flat numbers. */
interface Row {
  readonly input: Numbers; // [l, channels], or ids [l]
  readonly length: number;
  readonly target: Numbers;
  readonly targetShape: readonly number[];
  readonly times?: ArrayLike<number>;
  /** 1 where the target's number is known, where some are not. */
  readonly known?: Float32Array;
}

/** Examples that fit a model, checked once. */
export class ExampleSet {
  readonly #rows: readonly Row[];
  readonly #ids: boolean;
  readonly #channels: number;
  #unit = 1;

  private constructor(rows: readonly Row[], ids: boolean, channels: number) {
    this.#rows = rows;
    this.#ids = ids;
    this.#channels = channels;
  }

  /** @throws ArgumentError naming the example that does not fit the model. */
  static read({ inputs, targets, times: given }: Examples, model: Model): ExampleSet {
    const { encoder, head } = model.resolved;
    if (inputs.length !== targets.length)
      throw new ArgumentError(`fit: targets must be as many as inputs, ${inputs.length}, got ${targets.length}`);
    if (head.kind === "denoising")
      throw new ArgumentError("fit: a model that denoises is trained on sounds: { clean, noise }");
    if (inputs.length === 0) throw new ArgumentError("fit: there are no examples");
    const channels = encoder.kind === "linear" ? inputWidth(encoder) : 1;
    const vocabSize = encoder.kind === "embedding" ? encoder.vocabSize : 0;
    const times = checkedTimes(model, given, inputs.length, "fit");
    const rows = inputs.map((sequence, i) => {
      const { values, length } = flatSequence(model, sequence, `fit: inputs[${i}]`);
      if (times) gapsOf(times[i]!, length, 1, `fit: times[${i}]`);
      return {
        ...(times && { times: times[i]! }),
        input: values,
        length,
        ...flatTarget(targets[i]!, head, vocabSize, `fit: targets[${i}]`),
      };
    });
    const shape = rows[0]!.targetShape;
    rows.forEach(({ targetShape, length }, i) => {
      const perStep = head.kind === "language" || ("pooling" in head && head.pooling === "none");
      const expected = perStep ? [length, ...targetShape.slice(1)] : shape;
      if (targetShape.join() !== expected.join())
        throw new ArgumentError(`fit: targets[${i}] must be [${expected.join(", ")}], got [${targetShape.join(", ")}]`);
    });
    if (rows.every(({ target, known }) => known === undefined && target.every((value) => value === IGNORED_TARGET)))
      throw new ArgumentError("fit: no target is known");
    return new ExampleSet(rows, encoder.kind === "embedding", channels);
  }

  /** Mean and deviation of each input channel over all that is there, and of the answers', with each width told. */
  measure(inputs: number, outputs: number | undefined): { readonly input: Measured; readonly output?: Measured } {
    const masked = this.#channels > inputs;
    const input = measured(
      inputs,
      this.#rows.map(({ input: values }) => (i: number, channel: number) => {
        const at = i * this.#channels + channel;
        return masked && values[at + inputs] === 0 ? Number.NaN : values[at]!;
      }),
      this.#rows.map(({ length }) => length),
    );
    if (outputs === undefined) return { input };
    const output = measured(
      outputs,
      this.#rows.map(({ target, known }) => (i: number, channel: number) => {
        const at = i * outputs + channel;
        return known?.[at] === 0 ? Number.NaN : target[at]!;
      }),
      this.#rows.map(({ target }) => target.length / outputs),
    );
    return { input, output };
  }

  /** The mean time from token to token. */
  usualGap(): number {
    let [total, count] = [0, 0];
    for (const { times } of this.#rows) {
      if (times === undefined || times.length < 2) continue;
      total += times[times.length - 1]! - times[0]!;
      count += times.length - 1;
    }
    return total > 0 ? total / count : 1;
  }

  /** Told before batches are made. */
  set unit(value: number) {
    this.#unit = value;
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
        examples: fingerprint(
          ...this.#rows.flatMap(({ input, target, times }) => [
            input,
            target,
            ...(times ? [gapsOf(times, times.length, 1, "fit: times")] : []),
          ]),
        ),
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
      target instanceof Int32Array
        ? new Int32Array(rows.length * size).fill(IGNORED_TARGET)
        : new Float32Array(rows.length * size);
    rows.forEach((row, i) => targets.set(row.target, i * size));
    const mask = targets instanceof Int32Array ? undefined : this.#mask(rows, size, perStep ? longest : undefined);
    return {
      inputs,
      shape,
      targets,
      targetShape: [rows.length, ...(perStep ? [longest, ...targetShape.slice(1)] : targetShape)],
      ...(uneven && { lengths: Int32Array.from(rows, ({ length }) => length) }),
      ...(mask && { mask }),
      ...(rows[0]!.times && { gaps: this.#gaps(rows, longest) }),
    };
  }

  #gaps(rows: readonly Row[], longest: number): Float32Array {
    const gaps = new Float32Array(rows.length * longest).fill(1);
    rows.forEach(({ times, length }, i) => gaps.set(gapsOf(times!, length, this.#unit, "fit: times"), i * longest));
    return gaps;
  }

  /** What counts: of each number where some are not known, else of the steps that a row has. */
  #mask(rows: readonly Row[], size: number, longest: number | undefined): Float32Array | undefined {
    if (this.#rows.some(({ known }) => known !== undefined)) {
      const mask = new Float32Array(rows.length * size);
      rows.forEach(({ target, known }, i) => mask.set(known ?? new Float32Array(target.length).fill(1), i * size));
      return mask;
    }
    if (longest === undefined) return undefined;
    const mask = new Float32Array(rows.length * longest);
    rows.forEach(({ length }, i) => mask.fill(1, i * longest, i * longest + length));
    return mask;
  }
}

function flatTarget(
  target: Target,
  head: Exclude<HeadConfig, { kind: "denoising" }>,
  vocabSize: number,
  where: string,
): Pick<Row, "target" | "targetShape" | "known"> {
  if (head.kind === "classification" || head.kind === "language") {
    const classes = head.kind === "language" ? vocabSize : head.classes;
    if (head.kind === "classification" && head.pooling !== "none")
      return { target: Int32Array.of(classOf(target, classes, where)), targetShape: [] };
    if (typeof target === "number") throw new ArgumentError(`${where} must be a class for each step, got ${target}`);
    const steps = Array.from<number | ArrayLike<number>>(target);
    const ids = steps.map((step, i) => classOf(step, classes, `${where}[${i}]`));
    return { target: Int32Array.from(ids), targetShape: [ids.length] };
  }
  const width = head.kind === "regression" ? head.outputs : head.channels;
  const steps = head.kind === "forecasting" ? head.horizon : head.pooling === "none" ? undefined : 1;
  const { values, known } = flatValues(target, where);
  const expected = steps === undefined ? undefined : steps * width;
  if ((expected !== undefined && values.length !== expected) || values.length % width !== 0)
    throw new ArgumentError(`${where} must have ${expected ?? `a multiple of ${width}`} numbers, got ${values.length}`);
  const targetShape = steps === 1 && head.kind === "regression" ? [width] : [values.length / width, width];
  return { target: values, targetShape, ...(known && { known }) };
}

/** A class; NaN is one that is not known. */
function classOf(target: Target, classes: number, where: string): number {
  if (typeof target === "number" && Number.isNaN(target)) return IGNORED_TARGET;
  if (typeof target !== "number" || !Number.isInteger(target) || target < 0 || target >= classes)
    throw new ArgumentError(`${where} must be a class in [0, ${classes}), got ${String(target)}`);
  return target;
}

/** The numbers of a target, step by step, 0 for those that are not known. */
function flatValues(target: Target, where: string): { values: Float32Array; known: Float32Array | undefined } {
  const steps = typeof target === "number" ? [target] : Array.from<number | ArrayLike<number>>(target);
  const values = Float32Array.from(steps.flatMap((step) => (typeof step === "number" ? [step] : Array.from(step))));
  const wrong = values.findIndex((value) => Math.abs(value) === Infinity);
  if (wrong >= 0) throw new ArgumentError(`${where} must be finite, got ${values[wrong]} at ${wrong}`);
  if (!values.some(Number.isNaN)) return { values, known: undefined };
  return {
    values: values.map((value) => (Number.isNaN(value) ? 0 : value)),
    known: values.map((value) => (Number.isNaN(value) ? 0 : 1)),
  };
}
