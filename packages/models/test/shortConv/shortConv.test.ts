import { it } from "vitest";
import { ShortConvMixer } from "../../src/index.ts";
import { minimalShortConv } from "../../src/mixers/shortConv/minimal.ts";
import { describeMixerLaws } from "../laws.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

for (const config of [
  { dModel: 4, dConv: 3, useBias: false },
  { dModel: 4, dConv: 4, useBias: true },
]) {
  describeMixerLaws(`short convolution of ${config.dConv} taps`, (build) => new ShortConvMixer(config, build), config);
  it(`a short convolution of ${config.dConv} taps equals its plain loops`, () =>
    expectMixerEqualsMinimal(
      (build) => new ShortConvMixer(config, build),
      config.dModel,
      (weights, _, input) => minimalShortConv(weights, input),
    ));
}
