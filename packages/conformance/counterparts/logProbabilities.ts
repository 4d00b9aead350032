import { readFloats, tensor } from "@statespace/core";
import type { LoadedModel } from "@statespace/models";

/** Greedy ids after a prompt, the prompt before them. */
export async function greedyIds(lm: LoadedModel, prompt: readonly number[], count: number): Promise<number[]> {
  const session = lm.session();
  const ids = [...prompt];
  await session.read(prompt);
  for await (const { id } of session.tokens({ maxNewTokens: count, greedy: true, eosTokenIds: [] })) ids.push(id);
  session.dispose();
  return ids;
}

/** Log probabilities of all tokens after each token of a text. */
export async function logProbabilities({ model }: LoadedModel, ids: readonly number[]): Promise<Float32Array[]> {
  const x = tensor(Int32Array.from(ids), [1, ids.length], { backend: model.backend });
  const { output } = model.forward(x);
  const logits = await readFloats(output);
  for (const each of [x, output]) each.dispose();
  const v = logits.length / ids.length;
  return ids.map((_, i) => logSoftmax(logits.subarray(i * v, (i + 1) * v)));
}

function logSoftmax(row: Float32Array): Float32Array {
  const most = row.reduce((a, b) => Math.max(a, b));
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
  return row.map((x) => x - total);
}

/** How far log probabilities are from those of a reference. */
export interface Distance {
  /** The largest difference, and the root of their mean square, of tokens above 1e-12 in the reference: single precision has them all. */
  readonly worst: number;
  readonly rms: number;
  /** Places from the last token of the prompt on at which both find the same token most probable, and how many there are. */
  readonly same: number;
  readonly places: number;
}

export function distance(
  rows: readonly Float32Array[],
  reference: readonly Float32Array[],
  promptLength: number,
): Distance {
  const least = Math.log(1e-12);
  let [worst, squares, count, same] = [0, 0, 0, 0];
  reference.forEach((row, i) => {
    row.forEach((p, id) => {
      if (!(p > least)) return;
      const difference = Math.abs(p - (rows[i]![id] ?? -Infinity));
      worst = Math.max(worst, difference);
      squares += difference ** 2;
      count++;
    });
    if (i >= promptLength - 1 && likeliest(row) === likeliest(rows[i]!)) same++;
  });
  return { worst, rms: Math.sqrt(squares / count), same, places: reference.length - promptLength + 1 };
}

const likeliest = (row: Float32Array): number => row.reduce((best, x, i) => (x > row[best]! ? i : best), 0);
