import { Rng, setBackend } from "@statespace/core";
import { expect, it } from "vitest";
import { dssConfig, ParameterBuilder, s4Config, s4dConfig, S4Mixer, type S4Config } from "../../src/index.ts";
import { minimalCauchyFilter, minimalFilter, minimalS4 } from "../../src/mixers/s4/minimal.ts";
import { float64Backend } from "../float64Backend.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

/** The nodes of the fast path are a table in float32, steep near omega = -1. */
const TABLE = 1e-6;

it.each<[S4Config, number]>([
  [s4dConfig(3, { dState: 8 }), 1e-11],
  [s4dConfig(3, { dState: 8, init: "inv", discretization: "bilinear", output: "none" }), 1e-11],
  [s4dConfig(4, { dState: 6, init: "legs", nSsm: 2, output: "linear" }), 1e-11],
  [dssConfig(3, { dState: 8, kernelLength: 32 }), 1e-11],
  [s4Config(3, { dState: 8 }), TABLE],
  [s4Config(3, { dState: 8, kernelLength: 16 }), TABLE],
  [s4Config(3, { dState: 8, init: "fourier", rank: 2, kernelLength: 32 }), TABLE],
])("the plain loops equal the fast path", async (config, bound) => {
  expect.hasAssertions();
  await expectMixerEqualsMinimal(
    (build) => new S4Mixer(config, build),
    config.dModel,
    (weights, mixer, u) => minimalS4(weights, mixer.config, u),
    bound,
  );
});

it.each([15, 16])("the generating function's filter = the recurrence's, l = %i", async (kernelLength) => {
  await setBackend(float64Backend());
  const { parameters, config } = new S4Mixer(
    s4Config(2, { dState: 8, kernelLength }),
    new ParameterBuilder(new Rng(1)),
  );
  const weights = new Map(
    parameters.map(({ name, value }) => [name, { values: value.dataSync() as ArrayLike<number> }]),
  );
  for (const channel of [0, 1]) {
    const [cauchy, recurrent] = [
      minimalCauchyFilter(weights, config, channel),
      minimalFilter(weights, config, channel, kernelLength),
    ];
    const peak = recurrent.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    // Two float64 evaluations of one filter; 1 - ABar^l is inverted on the way, whose condition is below 1e3 here.
    cauchy.forEach((tap, t) => expect(Math.abs(tap - recurrent[t]!) / peak).toBeLessThan(1e-11));
  }
});
