import { describe, it } from "vitest";
import type { ModelConfig } from "../../src/index.ts";
import { minimalGatedDeltaNet } from "../../src/mixers/gatedDelta/minimal.ts";
import { expectMinimalEqualsFast, withSettings } from "../minimalEqualsFast.ts";

const config: ModelConfig = {
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers: [
    { kind: "gatedDelta", nHeads: 4, headDim: 4, dState: 6 },
    { kind: "gatedDelta", nHeads: 4, headDim: 4, dState: 6 },
  ],
  head: { kind: "language" },
  norm: "rms",
};

describe("gatedDelta/minimal.ts equals the fast path", () => {
  const variants = {
    "a key for every head": {},
    "keys shared by two heads": { nHeadsKey: 2, dConv: 2 },
    "beta up to 2": { negativeEigenvalues: true, mixerNormEps: 1e-3 },
  };
  for (const [name, change] of Object.entries(variants))
    it(name, () => expectMinimalEqualsFast(withSettings(config, change), minimalGatedDeltaNet));
  it("with an MLP and norms that keep the distance from 1", () =>
    expectMinimalEqualsFast({ ...config, mlp: 12, normOffset: 1 }, minimalGatedDeltaNet));
});
