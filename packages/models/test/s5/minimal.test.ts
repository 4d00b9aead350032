import { expect, it } from "vitest";
import { s5Config, S5Mixer, type S5Config } from "../../src/index.ts";
import { minimalS5 } from "../../src/mixers/s5/minimal.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

it.each<Partial<S5Config>>([
  {},
  { discretization: "bilinear", activation: "halfGlu1", blocks: 2 },
  { bidirectional: true, activation: "halfGlu2", stepRescale: 2 },
  { conjSym: false, activation: "gelu", clipEigs: true },
  { activation: "none" },
])("the plain loops equal the scan: %o", async (options) => {
  expect.hasAssertions();
  const config = s5Config(3, { dState: 8, ...options });
  await expectMixerEqualsMinimal(
    (build) => new S5Mixer(config, build),
    3,
    (weights, mixer, u) => minimalS5(weights, mixer.config, u),
  );
});
