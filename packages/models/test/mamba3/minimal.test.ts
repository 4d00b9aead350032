import { describe, it } from "vitest";
import { parseModelConfig, type Mamba3MixerConfig, type ModelConfig } from "../../src/index.ts";
import { minimalMamba3 } from "../../src/mixers/mamba3/minimal.ts";
import { expectMinimalEqualsFast } from "../minimalEqualsFast.ts";

const configOf = (
  ssm: Record<string, unknown>,
  aActivation: Mamba3MixerConfig["aActivation"] = "heavyTail",
): ModelConfig =>
  parseModelConfig(
    { d_model: 16, n_layer: 2, vocab_size: 32, ssm_cfg: { layer: "Mamba3", d_state: 8, headdim: 8, ...ssm } },
    { aActivation },
  );

describe("mamba3/minimal.ts equals the fast path", () => {
  it("SISO", () => expectMinimalEqualsFast(configOf({}), minimalMamba3));
  it("SISO with groups, a norm and softplus", () =>
    expectMinimalEqualsFast(
      configOf({ ngroups: 2, is_outproj_norm: true, rope_fraction: 1 }, "softplus"),
      minimalMamba3,
    ));
  it("MIMO", () => expectMinimalEqualsFast(configOf({ is_mimo: true, mimo_rank: 3 }), minimalMamba3));
  it("MIMO with groups and a norm", () =>
    expectMinimalEqualsFast(
      configOf({ is_mimo: true, mimo_rank: 2, ngroups: 2, is_outproj_norm: true, rope_fraction: 1 }),
      minimalMamba3,
    ));
});
