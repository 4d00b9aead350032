import { readFloats, tensor, tidy } from "@statespace/core";
import { fromPretrained, type Model } from "@statespace/models";
import { chooseBackend } from "./backendOption.ts";
import { UsageError } from "./command.ts";
import { onnxLogits, type OnnxRuntime } from "./onnxLogits.ts";

/** How a checkpoint and what was made of it compare. */
export interface Verified {
  /** The largest difference of two logits, by the largest logit. */
  readonly difference: number;
  /** Places where both find the same token most probable, and how many there are. */
  readonly same: number;
  readonly places: number;
}

/** Tokens that are read. */
const PLACES = 24;
/** Of an ONNX file so many at once, the rest one by one. */
const PROMPT = 16;

/** What was written: what `load` takes, or an ONNX file and what runs it. */
export interface Written {
  readonly out: string;
  readonly onnx?: { readonly file: string; readonly runtime: OnnxRuntime } | undefined;
}

/** Logits of both for the same tokens. @throws UsageError where it is no language model */
export async function verifyConversion(
  from: string,
  { out, onnx }: Written,
  backend: string | undefined,
  signal: AbortSignal,
): Promise<Verified> {
  await chooseBackend(backend);
  const { values: a, ids } = await logitsOf(from, signal);
  const b =
    onnx === undefined ? (await logitsOf(out, signal)).values : await onnxLogits(onnx.runtime, onnx.file, ids, PROMPT);
  const vocabulary = a.length / PLACES;
  let [difference, largest, same] = [a.length === b.length ? 0 : Infinity, 0, 0];
  a.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - b[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  const likeliest = (values: Float32Array, place: number): number =>
    values
      .subarray(place * vocabulary, (place + 1) * vocabulary)
      .reduce((best, x, i, row) => (x > row[best]! ? i : best), 0);
  for (let place = 0; place < PLACES; place++) if (likeliest(a, place) === likeliest(b, place)) same++;
  return { difference: difference / largest, same, places: PLACES };
}

async function logitsOf(from: string, signal: AbortSignal): Promise<{ values: Float32Array; ids: Int32Array }> {
  const model = await fromPretrained(from, { weights: "f32", signal, notice: () => undefined });
  try {
    const ids = Int32Array.from({ length: PLACES }, (_, i) => (i * 37 + 5) % vocabularyOf(model));
    const output = tidy(() => model.forward(tensor(ids, [1, ids.length])).output);
    const values = await readFloats(output);
    output.dispose();
    return { values, ids };
  } finally {
    model.dispose();
  }
}

function vocabularyOf({ resolved: { encoder } }: Model): number {
  if (encoder.kind !== "embedding") throw new UsageError("--verify is for language models");
  return encoder.vocabSize;
}
