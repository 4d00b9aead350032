import { setBackend } from "@statespace/core";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, it } from "vitest";
import { fromPretrained } from "../../src/index.ts";
import { minimalMamba } from "../../src/mixers/mamba/minimal.ts";
import { float64Backend } from "../float64Backend.ts";
import { expectLogits, expectMinimalEqualsFast, withSettings } from "../minimalEqualsFast.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../../conformance/golden/hf/${name}`, import.meta.url));

describe("mamba/minimal.ts equals the fast path", () => {
  beforeAll(() => setBackend(float64Backend()));
  for (const name of ["mamba-tiny", "falcon-mamba-tiny"]) {
    it(`on the checkpoint ${name}`, async () => {
      const model = await fromPretrained(golden(name));
      await expectLogits(model, minimalMamba);
    });
    it(`on ${name} with layer norm, biases and an MLP after each mixer`, async () => {
      const model = await fromPretrained(golden(name));
      const config = {
        ...withSettings(model.config, { useBias: true, useConvBias: false }),
        norm: "layer",
        mlp: 12,
      } as const;
      model.dispose();
      await expectMinimalEqualsFast(config, minimalMamba);
    });
  }
  it("with weights of the norms on delta, B and C, and experts after each mixer, as Jamba has them", async () => {
    const model = await fromPretrained(golden("falcon-mamba-tiny"));
    const mlp = { hidden: 12, experts: 4, expertsPerToken: 2, renormalize: false };
    const config = { ...withSettings(model.config, { mixerNormWeight: true }), mlp };
    model.dispose();
    await expectMinimalEqualsFast(config, minimalMamba);
  });
});
