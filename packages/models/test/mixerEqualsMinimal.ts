import { Rng, setBackend, tensor } from "@statespace/core";
import { expect } from "vitest";
import { ParameterBuilder, type Mixer } from "../src/index.ts";
import type { LayerWeights, PlainSequence } from "../src/layers/plainLoops.ts";
import { float64Backend } from "./float64Backend.ts";

/** A layer's plain loops against its fast path, both in float64; the bound is relative to the largest output. */
export async function expectMixerEqualsMinimal<M extends Mixer>(
  make: (build: ParameterBuilder) => M,
  dModel: number,
  minimal: (weights: LayerWeights, mixer: M, u: PlainSequence) => PlainSequence,
  bound = 1e-11,
): Promise<void> {
  await setBackend(float64Backend());
  const rng = new Rng(6);
  const mixer = make(new ParameterBuilder(rng));
  const u = Array.from({ length: 20 }, () => Float64Array.from({ length: dModel }, () => Math.fround(rng.normal())));
  const weights = new Map(
    mixer.parameters.map(({ name, value }) => [name, { values: value.dataSync() as ArrayLike<number> }]),
  );
  const fast = Float64Array.from(
    mixer
      .forward(tensor(Float32Array.from(u.flatMap((token) => [...token])), [1, 20, dModel]))
      .y.dataSync() as ArrayLike<number>,
  );
  const plain = minimal(weights, mixer, u).flatMap((token) => [...token]);
  expect(plain.length).toBe(fast.length);
  const peak = fast.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  expect(peak).toBeGreaterThan(0);
  expect(plain.reduce((max, x, i) => Math.max(max, Math.abs(x - fast[i]!)), 0) / peak).toBeLessThan(bound);
}
