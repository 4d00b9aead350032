import { expect, it } from "vitest";
import { GruMixer, LstmMixer } from "../../src/index.ts";
import { minimalGru, minimalLstm } from "../../src/mixers/recurrent/minimal.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

it.each([3, 5])("the plain loops equal the layers, %i hidden units", async (dHidden) => {
  expect.hasAssertions();
  await expectMixerEqualsMinimal(
    (build) => new GruMixer({ dModel: 3, dHidden }, build),
    3,
    (weights, { config }, u) => minimalGru(weights, config, u),
  );
  await expectMixerEqualsMinimal(
    (build) => new LstmMixer({ dModel: 3, dHidden }, build),
    3,
    (weights, { config }, u) => minimalLstm(weights, config, u),
  );
});
