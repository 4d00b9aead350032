import { Rng, setBackend, tensor } from "@statespace/core";
import { expect } from "vitest";
import { LanguageModel, type LanguageConfig } from "../src/index.ts";
import type { Sequence, Weights } from "../src/mixers/mamba/minimal.ts";
import { float64Backend } from "./float64Backend.ts";

/** Both are float64 and sum in different orders: some hundred roundings of 2^-53 a layer. */
const BOUND = 1e-11;

/** The plain loops of a `minimal.ts` against the model on the fast path, both in float64, on a model with initial weights. */
export async function expectMinimalEqualsFast<C extends LanguageConfig>(
  config: C,
  minimal: (weights: Weights, config: C, ids: readonly number[]) => Sequence,
  bound = BOUND,
): Promise<void> {
  await setBackend(float64Backend());
  const model = new LanguageModel(config, 3);
  // Weights that start as ones or zeros would hide a wrong index.
  const rng = new Rng(4);
  for (const parameter of model.parameters)
    parameter.assign(Float32Array.from(await parameter.read(), (value) => value + 0.1 * rng.normal()));
  await expectLogits(model, config, minimal, bound);
}

/** The same for a model that is loaded; disposes it. */
export async function expectLogits<C extends LanguageConfig>(
  model: LanguageModel,
  config: C,
  minimal: (weights: Weights, config: C, ids: readonly number[]) => Sequence,
  bound = BOUND,
): Promise<void> {
  const ids = Array.from({ length: 9 }, (_, i) => (7 * i * i + 3) % config.vocabSize);
  const input = tensor(Int32Array.from(ids), [1, ids.length]);
  const { logits } = model.forward(input);
  const fast = Float64Array.from(logits.dataSync() as ArrayLike<number>);
  const plain = minimal(await model.weights(), config, ids).flatMap((row) => [...row]);
  for (const t of [logits, input]) t.dispose();
  model.dispose();
  expect(plain.length).toBe(fast.length);
  const peak = fast.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  expect(peak).toBeGreaterThan(0);
  expect(plain.reduce((max, x, i) => Math.max(max, Math.abs(x - fast[i]!)), 0) / peak).toBeLessThan(bound);
}
