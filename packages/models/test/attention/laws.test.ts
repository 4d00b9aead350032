import { Rng, setBackend, sum, tensor, tidy } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { AttentionMixer, ParameterBuilder, type AttentionMixerConfig } from "../../src/index.ts";
import { mlpSchema } from "../../src/layers/mlpConfig.ts";
import { MlpMixer } from "../../src/mixers/mlp/mixer.ts";
import { float64Backend } from "../float64Backend.ts";
import { describeMixerLaws } from "../laws.ts";

const base: AttentionMixerConfig = {
  dModel: 6,
  nHeads: 2,
  nHeadsKv: 2,
  headDim: 4,
  useQkvBias: false,
  useOutBias: false,
  softmaxScale: 0.5,
  causal: true,
  dConv: 0,
  rotaryDim: 0,
  rotaryBase: 10000,
  rotaryInterleaved: false,
  qkNorm: "none",
  qkNormEps: 1e-6,
  qkNormOffset: 0,
  outputGate: false,
  mlpDim: 0,
  window: 0,
  sinks: false,
};
const variants: Readonly<Record<string, Partial<AttentionMixerConfig>>> = {
  plain: {},
  "keys shared, all of it rotated, biases": { nHeads: 4, rotaryDim: 4, useQkvBias: true, useOutBias: true },
  "convolved, neighbours rotated in half of it, an MLP beside": {
    dConv: 3,
    rotaryDim: 2,
    rotaryInterleaved: true,
    mlpDim: 8,
    nHeadsKv: 1,
  },
  "queries and keys normed by head, half of it rotated, a gate": {
    nHeads: 4,
    rotaryDim: 2,
    qkNorm: "head",
    qkNormOffset: 1,
    outputGate: true,
    useQkvBias: true,
  },
  "a window of 3, rotated": { window: 3, rotaryDim: 4, nHeads: 4, useOutBias: true },
  "a window of 4, convolved, half of it rotated": { window: 4, dConv: 3, rotaryDim: 2, rotaryInterleaved: true },
  "a window of one": { window: 1 },
  "sinks, rotated": { sinks: true, rotaryDim: 4, nHeads: 4 },
  "sinks, a window, a soft cap": { sinks: true, window: 3, softCap: 0.7 },
  "a soft cap": { softCap: 0.5, rotaryDim: 4, nHeads: 4 },
  "a soft cap, a window": { softCap: 0.7, window: 3 },
  "a window wider than the text": { window: 20, rotaryDim: 4, qkNorm: "head" },
  "positions scaled by yarn": {
    rotaryDim: 4,
    rotaryScaling: { type: "yarn", factor: 4, trainedLength: 8, ramp: [1, 32], gain: 1.2, wholePairs: true },
  },
  "positions scaled as the text grows": {
    rotaryDim: 4,
    rotaryScaling: { type: "dynamic", factor: 3, trainedLength: 4, ramp: [1, 4], gain: 1, wholePairs: true },
  },
  "a window, positions scaled by llama3": {
    window: 3,
    rotaryDim: 4,
    rotaryScaling: { type: "llama3", factor: 4, trainedLength: 8, ramp: [1, 4], gain: 1, wholePairs: true },
  },
  "queries and keys normed over all heads, a gate and an MLP": { qkNorm: "all", outputGate: true, mlpDim: 8 },
};

/** Positions enter by a float32 table: packed or alone, a token has other positions, equal up to 2^-24. */
const ROTATED = 1e-7;

for (const [name, change] of Object.entries(variants)) {
  describeMixerLaws(`Attention, ${name}`, (build) => new AttentionMixer({ ...base, ...change }, build), {
    dModel: 6,
    exact: change.rotaryDim ? ROTATED : 1e-11,
    // There, what a query makes of a key depends on where in the row both are.
    unpacked: change.rotaryScaling?.type === "dynamic",
  });
}
for (const settings of [
  { gated: false, activation: "relu2" },
  { activation: "gelu", useBias: true, gateMultiplier: 0.5, outputMultiplier: 3 },
] as const)
  describeMixerLaws(
    `MLP, ${JSON.stringify(settings)}`,
    (build) => new MlpMixer(mlpSchema.resolve(6, { hidden: 10, ...settings }), build),
    { dModel: 6 },
  );
describeMixerLaws("MLP", (build) => new MlpMixer(mlpSchema.resolve(6, { hidden: 10 }), build), { dModel: 6 });

describe("Attention, the map", () => {
  it("rows sum to 1, and nothing looks ahead", async () => {
    await setBackend(float64Backend());
    tidy(() => {
      const rng = new Rng(3);
      const mixer = new AttentionMixer({ ...base, rotaryDim: 4 }, new ParameterBuilder(rng));
      const map = mixer.map(
        tensor(
          Float32Array.from({ length: 30 }, () => rng.normal()),
          [1, 5, 6],
        ),
      );
      expect(map.shape).toEqual([1, 2, 5, 5]);
      for (const total of Array.from(sum(map, -1).dataSync() as ArrayLike<number>)) expect(total).toBeCloseTo(1, 12);
      Array.from(map.dataSync() as ArrayLike<number>).forEach((weight, i) => {
        const [t, j] = [Math.floor(i / 5) % 5, i % 5];
        if (j > t) expect(weight).toBe(0);
        else expect(weight).toBeGreaterThan(0);
      });
    });
  });
});
