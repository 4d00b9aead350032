import { tensor, type PackedFormat } from "@statespace/core";
import { fromPretrained } from "@statespace/models";
import { take } from "../golden/opGradients.ts";

/** Formats of packed weights, the finest first. */
export const FORMATS: readonly PackedFormat[] = ["f16", "q8", "q4"];
const TOKENS = 128;

/** How much the answers of a model with packed weights are those of the same model unpacked. */
export interface Agreement {
  readonly format: PackedFormat;
  /** Share of tokens of which the most probable next one is the same. */
  readonly same: number;
  /** Mean Kullback-Leibler divergence of the next token's distribution, in nats. */
  readonly divergence: number;
}

/** Compares a checkpoint in each format with itself in float32, on the backend that is set, over 128 tokens. */
export async function agreementOf(folder: string): Promise<readonly Agreement[]> {
  const plain = await distributions(folder, "f32");
  const found: Agreement[] = [];
  for (const format of FORMATS) {
    const packed = await distributions(folder, format);
    const same = plain.filter((row, i) => best(row) === best(packed[i]!)).length / TOKENS;
    const divergence = plain.reduce((total, row, i) => total + divergenceOf(row, packed[i]!), 0) / TOKENS;
    found.push({ format, same, divergence });
  }
  return found;
}

const best = (row: Float64Array): number => row.indexOf(Math.max(...row));
const divergenceOf = (p: Float64Array, q: Float64Array): number =>
  p.reduce((total, logP, i) => total + Math.exp(logP) * (logP - q[i]!), 0);

/** Log probabilities of the token after each of 128. */
async function distributions(folder: string, weights: PackedFormat | "f32"): Promise<Float64Array[]> {
  const model = await fromPretrained(folder, { weights });
  const v = model.vocabSize;
  const ids = tensor(
    Int32Array.from({ length: TOKENS }, (_, i) => (7 * i * i + 11 * i + 3) % v),
    [1, TOKENS],
  );
  try {
    const logits = Float64Array.from(await take(model.forward(ids).output));
    return Array.from({ length: TOKENS }, (_, t) => logSoftmax(logits.subarray(t * v, (t + 1) * v)));
  } finally {
    ids.dispose();
    model.dispose();
  }
}

function logSoftmax(logits: Float64Array): Float64Array {
  const peak = Math.max(...logits);
  const total = logits.reduce((sum, x) => sum + Math.exp(x - peak), 0);
  return logits.map((x) => x - peak - Math.log(total));
}
