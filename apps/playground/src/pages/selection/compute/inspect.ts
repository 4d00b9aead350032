import { readFloats } from "@statespace/core";
import { tokenShares, type TokenShares } from "./memoryShare.ts";
import { bestOf, type Trainer } from "./trainer.ts";

/** What one layer's scan was fed along a sequence. */
export interface LayerView {
  readonly d: number;
  readonly n: number;
  readonly delta: Float32Array; // [l, d]
  readonly B: Float32Array; // [l, n]
  readonly C: Float32Array; // [l, n]
  /** What each token wrote into the state, and what the state still holds of it when the question comes. */
  readonly shares: TokenShares;
}

export interface Inspection {
  readonly layers: readonly LayerView[];
  /** The model's answer at each step of the question, and how sure it is. */
  readonly answers: readonly { readonly token: number; readonly probability: number }[];
}

/** Runs one sequence and tells what each layer selected, and what the model answered. */
export async function inspect(trainer: Trainer, ids: Int32Array): Promise<Inspection> {
  const { mixers } = trainer.model;
  for (const mixer of mixers) mixer.recording = true;
  let logits: Float32Array;
  try {
    logits = await trainer.logits(ids, 1);
  } finally {
    for (const mixer of mixers) mixer.recording = false;
  }
  const { nTokens, seqLen } = trainer.settings;
  const layers: LayerView[] = [];
  for (const mixer of mixers) {
    const { u, delta, B, C } = mixer.recorded!;
    const [, l, d] = delta.shape as [number, number, number];
    const view = { d, n: B.shape[2]!, delta: await readFloats(delta), B: await readFloats(B), C: await readFloats(C) };
    const shares = tokenShares({ ...view, l, u: await readFloats(u), A: await readFloats(mixer.A) }, seqLen - 1);
    layers.push({ ...view, shares });
    for (const t of [u, delta, B, C]) t.dispose();
    mixer.recorded = undefined;
  }
  const answers = Array.from({ length: nTokens }, (_, i) => answerAt(logits, seqLen + i, trainer.vocabSize));
  return { layers, answers };
}

function answerAt(logits: Float32Array, step: number, v: number): { token: number; probability: number } {
  const scores = logits.subarray(step * v, (step + 1) * v);
  const token = bestOf(scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - scores[token]!), 0);
  return { token, probability: 1 / total };
}
