import { expect, it } from "vitest";
import { lsslConfig, LsslMixer, type LsslConfig } from "../../src/index.ts";
import { minimalLssl } from "../../src/mixers/lssl/minimal.ts";
import { expectMixerEqualsMinimal } from "../mixerEqualsMinimal.ts";

it.each<Partial<LsslConfig>>([
  {},
  { mode: "recurrent", output: "linear" },
  { discretization: "zoh", measure: "lagt", output: "none" },
  { discretization: "gbt", alpha: 1, mode: "recurrent", activation: "none" },
])("the plain loops equal the fast path: %o", async (options) => {
  expect.hasAssertions();
  const config = lsslConfig(3, { dState: 6, ...options });
  await expectMixerEqualsMinimal(
    (build) => new LsslMixer(config, build),
    3,
    (weights, mixer, u) => minimalLssl(weights, mixer.config, u),
  );
});
