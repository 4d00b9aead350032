import { readFloats, Rng, setBackend, sum, tensor, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { describe, expect, it } from "vitest";
import { Model, ParameterBuilder, type ModelConfig } from "../../src/index.ts";
import { mlpSchema, type MlpSettings } from "../../src/layers/mlpConfig.ts";
import { MoeMlp } from "../../src/layers/moe.ts";
import { minimalMoe } from "../../src/layers/moeMinimal.ts";
import { MlpMixer } from "../../src/mixers/mlp/mixer.ts";
import { describeMixerLaws } from "../laws.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

const D = 6;
const kinds: Readonly<Record<string, MlpSettings>> = {
  "softmax over the chosen": { experts: 5, expertsPerToken: 2 },
  "softmax over all": { experts: 4, expertsPerToken: 3, renormalize: false, routedScale: 1.7 },
  "sigmoid with a correction": { experts: 5, router: "sigmoid", routerBias: true, renormalizeEps: 1e-6 },
  "one of them a token, renormalised": { experts: 4, expertsPerToken: 1, router: "sigmoid", routerBias: true },
  "one of them a token, nearly renormalised": {
    experts: 4,
    expertsPerToken: 1,
    router: "sigmoid",
    routerBias: true,
    renormalizeEps: 0.3,
  },
  "softmax with a correction": { experts: 5, routerBias: true },
  "groups of experts": {
    experts: 8,
    expertsPerToken: 3,
    router: "sigmoid",
    routerBias: true,
    routerGroups: 4,
    routerGroupsPerToken: 2,
  },
  "an expert for all, gated": { experts: 3, sharedHidden: 7, sharedGate: true, outputMultiplier: 0.5 },
  "no gates, a latent width, biases": {
    experts: 4,
    gated: false,
    activation: "relu2",
    useBias: true,
    latent: 3,
    sharedHidden: 5,
  },
  "one expert": { experts: 1, activation: "geluTanh", gateMultiplier: 0.7 },
};

describe.each(Object.entries(kinds))("a mixture: %s", (name, settings) => {
  const config = mlpSchema.resolve(D, { hidden: 4, ...settings });
  it("equals its plain loops", () =>
    expectMixerEqualsMinimal(
      (build) => new MlpMixer(config, build),
      D,
      (weights, _, input) => minimalMoe(config, weights, input),
    ));
  describeMixerLaws(name, (build) => new MlpMixer(config, build), { dModel: D });
});

describe("settings of a mixture", () => {
  it.each([
    [{ experts: 4, expertsPerToken: 5 }, "expertsPerToken must be at most 4"],
    [{ experts: 6, routerGroups: 4 }, "routerGroups must divide experts = 6"],
    [{ experts: 4, routerGroups: 4 }, "routerGroups must leave 2 of 4 experts to each"],
    [{ experts: 8, routerGroups: 4, routerGroupsPerToken: 5 }, "routerGroupsPerToken must be at most routerGroups = 4"],
    [{ experts: 8, routerGroups: 4, expertsPerToken: 3 }, "expertsPerToken must be at most 2"],
    [{ sharedHidden: 8 }, "sharedHidden must be 0 where there are no experts"],
    [{ latent: 8 }, "latent must be 0 where there are no experts"],
    [{ experts: 4, sharedGate: true }, "sharedGate must be false where sharedHidden is 0"],
  ] as const)("%o: %s", (settings, message) => expect(() => mlpSchema.resolve(D, settings)).toThrow(message));
});

/** Values a token's experts give, for changes of an expert's weights. */
function outputOf(moe: MoeMlp, x: Tensor): Float32Array {
  return tidy(() => moe.apply(x).dataSync() as Float32Array).slice();
}

it("the weights of experts that were not chosen are not read", async () => {
  await setBackend(cpuBackend());
  const config = mlpSchema.resolve(D, { hidden: 4, experts: 6, expertsPerToken: 2 });
  const moe = new MoeMlp(config, new ParameterBuilder(new Rng(3)));
  const x = tensor(Float32Array.from(new Rng(4).normals(D)), [1, D]);
  const chosen = new Set(tidy(() => moe.router.apply(x).ids.dataSync()).slice());
  expect(chosen.size).toBe(2);
  const before = outputOf(moe, x);
  for (const parameter of [moe.fc1, moe.fc2]) {
    const size = parameter.size / 6;
    parameter.assign((await parameter.read()).map((v, i) => (chosen.has(Math.floor(i / size)) ? v : Number.NaN)));
  }
  expect(outputOf(moe, x)).toEqual(before);
});

it.each([0, 1e-6])(
  "what one expert a token gives counts whole, and teaches the router nothing but its eps of %s",
  async (eps) => {
    await setBackend(cpuBackend());
    const config = mlpSchema.resolve(D, {
      hidden: 4,
      experts: 5,
      expertsPerToken: 1,
      router: "sigmoid",
      routerBias: true,
      renormalizeEps: eps,
    });
    const moe = new MoeMlp(config, new ParameterBuilder(new Rng(3)));
    const x = tensor(Float32Array.from(new Rng(4).normals(3 * D)), [3, D]);
    const router = moe.router.weight;
    const { grads } = valueAndGrads(() => sum(moe.router.apply(x).weights), [router.value]);
    const gradient = await readFloats(grads[0]!);
    const weights = await router.read();
    const rows = await readFloats(x);
    const want = new Float64Array(weights.length);
    for (let t = 0; t < 3; t++) {
      const score = (e: number): number => {
        let logit = 0;
        for (let c = 0; c < D; c++) logit += weights[e * D + c]! * rows[t * D + c]!;
        return 1 / (1 + Math.exp(-logit));
      };
      const best = [0, 1, 2, 3, 4].reduce((a, b) => (score(b) > score(a) ? b : a));
      const s = score(best);
      for (let c = 0; c < D; c++) want[best * D + c]! += (eps / (s + eps) ** 2) * s * (1 - s) * rows[t * D + c]!;
    }
    // Within rounding of a gradient that is a millionth of the score's own: the quotient's would be off by about as much as there is of it.
    gradient.forEach((g, i) => expect(Math.abs(g - want[i]!)).toBeLessThanOrEqual(2 ** -20 * Math.abs(want[i]!)));
  },
);

describe("a language model with experts", () => {
  const config: ModelConfig = {
    dModel: 32,
    encoder: { kind: "embedding", vocabSize: 40 },
    head: { kind: "language" },
    layers: ["mamba", { kind: "mamba", mlp: 64 }],
    mlp: { hidden: 32, experts: 4, expertsPerToken: 2, sharedHidden: 32 },
  };

  it.each(["q8", "q4", "f16"] as const)("is packed as %s, experts too, and answers about the same", async (format) => {
    for (const backend of [cpuBackend(), wasmBackend()]) {
      await setBackend(backend);
      const model = new Model(config, 7);
      const ids = tensor(
        Int32Array.from({ length: 48 }, (_, i) => (7 * i) % 40),
        [1, 48],
      );
      const logits = (): Float32Array => tidy(() => model.forward(ids).output.dataSync() as Float32Array).slice();
      const plain = logits();
      await model.quantize(format);
      expect(model.formats.get(model.parameter("layers.0.mlp.experts.fc1.weight"))).toBe(format);
      expect(model.formats.get(model.parameter("layers.0.mlp.router.weight"))).toBeUndefined();
      const packed = logits();
      const [dot, a, b] = plain.reduce(
        ([xy, xx, yy], x, i) => [xy! + x * packed[i]!, xx! + x * x, yy! + packed[i]! ** 2],
        [0, 0, 0],
      ) as [number, number, number];
      // Of random weights, whose choices between experts of nearly the same score may fall otherwise.
      expect(dot / Math.sqrt(a * b)).toBeGreaterThan(format === "q4" ? 0.95 : 0.995);
      model.dispose();
      ids.dispose();
    }
  });
});
