import { ArgumentError, tensor, type Tensor } from "@statespace/core";
import { inputWidth } from "../model/ends.ts";
import type { Model } from "../model/model.ts";
import { withoutMissing } from "./missing.ts";

/** One sequence: ids, values of one channel, or the channels of each step. */
export type SequenceInput = ArrayLike<number> | readonly ArrayLike<number>[];

/** A sequence as a model takes it: ids [l], or [l, channels], with those that tell what is there behind (see `EncoderConfig`). */
export interface FlatSequence {
  readonly values: Int32Array | Float32Array;
  readonly length: number;
}

/** @throws ArgumentError naming what does not fit the model's encoder. */
export function flatSequence(model: Model, sequence: SequenceInput, where: string): FlatSequence {
  const { encoder } = model.resolved;
  const { length } = sequence;
  if (length === 0) throw new ArgumentError(`${where} is empty`);
  if (encoder.kind === "embedding") {
    const values = Int32Array.from({ length }, (_, i) => {
      const id = sequence[i]!;
      if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < encoder.vocabSize) return id;
      throw new ArgumentError(
        `${where}: id must be a whole number in [0, ${encoder.vocabSize}), got ${String(id)} at ${i}`,
      );
    });
    return { values, length };
  }
  const { channels } = encoder;
  const values = new Float32Array(length * channels);
  for (let i = 0; i < length; i++) {
    const step = sequence[i]!;
    const numbers = typeof step === "number" ? [step] : step;
    if (numbers.length !== channels)
      throw new ArgumentError(`${where}: must have ${channels} numbers a step, got ${numbers.length} at ${i}`);
    values.set(Float32Array.from(numbers), i * channels);
  }
  return { values: withoutMissing(values, channels, encoder.missing ?? "refuse", where), length };
}

/** Sequences of one length as a model's input: int32 [b, l], or float32 [b, l, channels], with those that tell what is there behind. */
export function inputTensor(model: Model, rows: readonly FlatSequence[]): Tensor {
  const { encoder } = model.resolved;
  const [{ length, values }] = rows as [FlatSequence];
  const all = new (values instanceof Int32Array ? Int32Array : Float32Array)(rows.length * values.length);
  rows.forEach((row, i) => all.set(row.values, i * values.length));
  const shape = encoder.kind === "embedding" ? [rows.length, length] : [rows.length, length, inputWidth(encoder)];
  return tensor(all, shape, { backend: model.backend });
}
