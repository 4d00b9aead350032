import { setBackend } from "@statespace/core";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, it } from "vitest";
import { fromPretrained, type Mamba2MixerConfig, type Projections } from "../../src/index.ts";
import { minimalMamba2 } from "../../src/mixers/mamba2/minimal.ts";
import { float64Backend } from "../float64Backend.ts";
import { expectLogits, expectMinimalEqualsFast, withSettings } from "../minimalEqualsFast.ts";

const folder = fileURLToPath(new URL("../../../conformance/golden/hf/mamba2-tiny", import.meta.url));

describe("mamba2/minimal.ts equals the fast path", () => {
  beforeAll(() => setBackend(float64Backend()));
  it("on the checkpoint mamba2-tiny", async () => {
    const model = await fromPretrained(folder);
    await expectLogits(model, minimalMamba2);
  });
  const variants: Record<string, Partial<Mamba2MixerConfig> & { projections?: Projections }> = {
    "groups normed apart before the gate": { nGroups: 2, normGroupSize: 32, normBeforeGate: true },
    "factors on what the projection makes": {
      useBias: true,
      projections: {
        in_proj: {
          factors: [
            [64, 0.5],
            [64, 1.5],
            [16, 0.75],
            [16, 2],
            [4, 0.25],
          ],
        },
        out_proj: { bias: false },
      },
    },
    "no norm, D a channel, clamped steps": { mixerNorm: false, dHasHeadDim: true, timeStepLimit: [0.01, 0.05] },
  };
  for (const [name, change] of Object.entries(variants)) {
    it(name, async () => {
      const model = await fromPretrained(folder);
      const config = withSettings(model.config, change);
      model.dispose();
      await expectMinimalEqualsFast(config, minimalMamba2);
    });
  }
});
