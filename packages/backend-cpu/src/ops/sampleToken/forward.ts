import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import { threefry2x32 } from "@statespace/core/math";
import type { CpuBackend } from "../../backend.ts";
import { choose, largest } from "./choose.ts";

/** The part of a token's count that says how often it was generated; the bit above says that it stood in the prompt. */
const GENERATED = 2 ** 30 - 1;

/** Takes the penalties off the scores of tokens already there. */
function penalise(scores: Float32Array, settings: Float32Array, counts: Int32Array): void {
  const [, , , , repetition, reciprocal, presence, frequency] = settings as unknown as number[];
  for (let i = 0; i < scores.length; i++) {
    if (counts[i] === 0) continue;
    scores[i]! *= scores[i]! < 0 ? repetition! : reciprocal!;
    const generated = counts[i]! & GENERATED;
    if (generated === 0) continue;
    scores[i]! -= presence!;
    scores[i]! -= Math.fround(frequency! * generated);
  }
}

/** log softmax of a row at an id. */
function logProbability(logits: Float32Array, id: number): number {
  if (id < 0) return Number.NaN;
  const { best } = largest(logits);
  return logits[id]! - best - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - best), 0));
}

/** Chooses each row's next token and moves its generator on. */
export function sampleToken(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, v] = inputs.logits!.shape as [number, number];
  const [logits, settings] = [backend.floats(inputs.logits!), backend.floats(inputs.settings!)];
  const [random, id] = [backend.ints(inputs.random!), backend.ints(inputs.id!)];
  const counts = inputs.counts && backend.ints(inputs.counts);
  const logprob = attrs.logprob ? backend.output([b]) : undefined;
  const logprobs = logprob && backend.floats(logprob);
  backend.launch(() => {
    const weights = new Float64Array(v);
    for (let row = 0; row < b; row++) {
      const raw = logits.subarray(row * v, (row + 1) * v);
      const own = settings.subarray(8 * row, 8 * row + 8);
      const seen = counts?.subarray(row * v, (row + 1) * v);
      const scores = raw.slice();
      if (seen) penalise(scores, own, seen);
      const [sharpness, topK, topP, minP] = own as unknown as [number, number, number, number];
      const [k0, k1, c0, c1] = random.subarray(4 * row) as unknown as [number, number, number, number];
      const [word] = threefry2x32([k0, k1], [c0, c1]);
      const chosen = choose({ scores, weights, sharpness, topK, topP, minP }, word);
      id[row] = chosen;
      if (seen && chosen >= 0) seen[chosen]!++;
      random[4 * row + 2]!++;
      if (c0 === -1) random[4 * row + 3]!++;
      if (logprobs) logprobs[row] = logProbability(raw, chosen);
    }
  });
  return logprob ? [logprob] : [];
}
