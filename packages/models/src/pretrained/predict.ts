import { ArgumentError, readFloats, tidy } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { flatSequence, inputTensor, type FlatSequence, type SequenceInput } from "./sequences.ts";

/** A model's answer to one sequence. */
export interface Prediction {
  /** What the head says: the logits of the classes, the values, or of each step of the horizon the channels. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** The most probable class, and the probability of each, of a model that classifies. */
  readonly label?: number;
  readonly probabilities?: Float32Array;
}

/** Sequences that run at once. */
const BATCH = 32;

/** The model's answer to each sequence; those of one length run together. @throws ArgumentError naming the sequence that does not fit the model. */
export async function predict(model: Model, sequences: readonly SequenceInput[]): Promise<readonly Prediction[]> {
  const { kind } = model.resolved.head;
  if (kind === "language") throw new ArgumentError("predict: a language model writes; see stream and session");
  const rows = sequences.map((sequence, i) => flatSequence(model, sequence, `predict: sequences[${i}]`));
  const byLength = new Map<number, number[]>();
  rows.forEach(({ length }, i) => byLength.set(length, [...(byLength.get(length) ?? []), i]));
  const out: Prediction[] = [];
  for (const places of byLength.values())
    for (let at = 0; at < places.length; at += BATCH) {
      const some = places.slice(at, at + BATCH);
      const answers = await runBatch(
        model,
        some.map((i) => rows[i]!),
      );
      some.forEach((i, row) => (out[i] = kind === "classification" ? withClass(answers[row]!) : answers[row]!));
    }
  return out;
}

async function runBatch(model: Model, rows: readonly FlatSequence[]): Promise<Prediction[]> {
  const output = tidy(() => model.forward(inputTensor(model, rows)).output);
  const [, ...shape] = output.shape;
  try {
    const values = await readFloats(output);
    const size = values.length / rows.length;
    return rows.map((_, i) => ({ values: values.slice(i * size, (i + 1) * size), shape }));
  } finally {
    output.dispose();
  }
}

/** The softmax of logits, and its largest. */
function withClass(prediction: Prediction): Prediction {
  const { values } = prediction;
  const label = values.indexOf(Math.max(...values));
  const exps = values.map((value) => Math.exp(value - values[label]!));
  const total = exps.reduce((a, b) => a + b, 0);
  return { ...prediction, label, probabilities: exps.map((value) => value / total) };
}
