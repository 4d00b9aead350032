import { ArgumentError, readFloats, tensor, tidy } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "@statespace/files";
import { FrameKeeper } from "../eventLoop.ts";
import type { HeadConfig } from "../model/ends.ts";
import type { Model } from "../model/model.ts";
import { checkedTimes, gapsOf, usualGap } from "./times.ts";
import { flatSequence, inputTensor, type FlatSequence, type SequenceInput } from "./sequences.ts";

/** A model's answer to one sequence. */
export interface Prediction {
  /** What the head says: the logits of the classes, the values, or of each step of the horizon the channels, and their quantiles in order. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** The most probable class, and the probability of each, of a model that classifies a sequence. */
  readonly label?: number;
  readonly probabilities?: Float32Array; // [classes], or [l, classes]
  /** The most probable class of each token, of one that classifies those. */
  readonly labels?: Int32Array; // [l]
}

/** Options of `predict`. */
export interface PredictOptions {
  /** Of a model of irregular sequences: when each token of each sequence comes, ascending, in the unit of the data it was trained on. */
  readonly times?: readonly ArrayLike<number>[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sequences that run at once. */
const BATCH = 32;

/** The model's answer to each sequence; those of one length run together. @throws ArgumentError naming the sequence that does not fit the model; AbortedError. */
export async function predict(
  model: Model,
  sequences: readonly SequenceInput[],
  options: PredictOptions = {},
): Promise<readonly Prediction[]> {
  refuseUnknown("predict", options, ["times", "signal"], { timestamps: "times" });
  const frames = new FrameKeeper();
  const { head } = model.resolved;
  if (head.kind === "language") throw new ArgumentError("predict: a language model writes; see stream and session");
  const times = checkedTimes(model, options.times, sequences.length, "predict");
  const unit = times && (await usualGap(model));
  const rows = sequences.map((sequence, i) => {
    const row = flatSequence(model, sequence, `predict: sequences[${i}]`);
    return times ? { ...row, gaps: gapsOf(times[i]!, row.length, unit!, `predict: times[${i}]`) } : row;
  });
  const byLength = new Map<number, number[]>();
  rows.forEach(({ length }, i) => {
    const places = byLength.get(length);
    if (places === undefined) byLength.set(length, [i]);
    else places.push(i);
  });
  const out: Prediction[] = [];
  for (const places of byLength.values())
    for (let at = 0; at < places.length; at += BATCH) {
      throwIfAborted(options.signal, "predict");
      const some = places.slice(at, at + BATCH);
      const answers = await runBatch(
        model,
        some.map((i) => rows[i]!),
      );
      await frames.breathe();
      some.forEach((i, row) => (out[i] = finished(answers[row]!, head)));
    }
  return out;
}

/** A sequence, and the time between its tokens where they are irregular. */
interface TimedSequence extends FlatSequence {
  readonly gaps?: Float32Array;
}

async function runBatch(model: Model, rows: readonly TimedSequence[]): Promise<Prediction[]> {
  const [{ gaps, length }] = rows as [TimedSequence];
  const output = tidy(() => {
    const all = gaps && Float32Array.from(rows.flatMap((row) => [...row.gaps!]));
    const place = { backend: model.backend };
    return model.forward(inputTensor(model, rows), { gaps: all && tensor(all, [rows.length, length], place) }).output;
  });
  const [, ...shape] = output.shape;
  try {
    const values = await readFloats(output);
    const size = values.length / rows.length;
    return rows.map((_, i) => ({ values: values.slice(i * size, (i + 1) * size), shape }));
  } finally {
    output.dispose();
  }
}

function finished(prediction: Prediction, head: HeadConfig): Prediction {
  if (head.kind === "classification") return head.pooling === "none" ? withClasses(prediction) : withClass(prediction);
  if (head.kind === "forecasting" && head.quantiles) inOrder(prediction.values, head.quantiles.length);
  return prediction;
}

/** Quantiles that cross are exchanged, which can only bring them nearer. Source: Chernozhukov et al. 2010, Econometrica 78. */
function inOrder(values: Float32Array, quantiles: number): void {
  for (let at = 0; at < values.length; at += quantiles) values.subarray(at, at + quantiles).sort();
}

/** The softmax of logits, and its largest. */
function withClass(prediction: Prediction): Prediction {
  const { values } = prediction;
  const label = values.indexOf(Math.max(...values));
  const exps = values.map((value) => Math.exp(value - values[label]!));
  const total = exps.reduce((a, b) => a + b, 0);
  return { ...prediction, label, probabilities: exps.map((value) => value / total) };
}

/** The same of each token. */
function withClasses(prediction: Prediction): Prediction {
  const [l, classes] = prediction.shape as [number, number];
  const labels = new Int32Array(l);
  const probabilities = new Float32Array(l * classes);
  for (let t = 0; t < l; t++) {
    const own = withClass({ values: prediction.values.subarray(t * classes, (t + 1) * classes), shape: [classes] });
    labels[t] = own.label!;
    probabilities.set(own.probabilities!, t * classes);
  }
  return { ...prediction, labels, probabilities };
}
