import { Rng, setBackend, tensor } from "@statespace/core";
import { expect } from "vitest";
import { Model, type ModelConfig, type ResolvedModel } from "../src/index.ts";
import type { Sequence, Weights } from "../src/mixers/mamba/minimal.ts";
import { float64Backend } from "./float64Backend.ts";

/** Both are float64 and sum in different orders: some hundred roundings of 2^-53 a layer. */
const BOUND = 1e-11;

type Minimal = (weights: Weights, model: ResolvedModel, ids: readonly number[]) => Sequence;

/** The plain loops of a `minimal.ts` against the model on the fast path, both in float64, on a model with initial weights. */
export async function expectMinimalEqualsFast(config: ModelConfig, minimal: Minimal, bound = BOUND): Promise<void> {
  await setBackend(float64Backend());
  const model = new Model(config, 3);
  // Weights that start as ones or zeros would hide a wrong index.
  const rng = new Rng(4);
  for (const parameter of model.parameters)
    parameter.assign(Float32Array.from(await parameter.read(), (value) => value + 0.1 * rng.normal()));
  await expectLogits(model, minimal, bound);
}

/** The same for a model that is loaded; disposes it. */
export async function expectLogits(model: Model, minimal: Minimal, bound = BOUND): Promise<void> {
  const ids = Array.from({ length: 9 }, (_, i) => (7 * i * i + 3) % model.vocabSize);
  const input = tensor(Int32Array.from(ids), [1, ids.length]);
  const { output: logits } = model.forward(input);
  const fast = Float64Array.from(logits.dataSync() as ArrayLike<number>);
  const plain = minimal(await model.weights(), model.resolved, ids).flatMap((row) => [...row]);
  for (const t of [logits, input]) t.dispose();
  model.dispose();
  expect(plain.length).toBe(fast.length);
  const peak = fast.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  expect(peak).toBeGreaterThan(0);
  expect(plain.reduce((max, x, i) => Math.max(max, Math.abs(x - fast[i]!)), 0) / peak).toBeLessThan(bound);
}

/** A config with some settings of every layer changed. */
export function withSettings(config: ModelConfig, settings: Readonly<Record<string, unknown>>): ModelConfig {
  return { ...config, layers: config.layers.map((layer) => Object.assign({}, layer, settings)) };
}
