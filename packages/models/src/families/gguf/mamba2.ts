import { expectPlainLayers, expressible } from "../family.ts";
import { ggufFamily, readShared, uint32, writeShared, type GgufFamily } from "./ggufFamily.ts";
import { mamba2Forms, mamba2Weights, readMamba2, writeMamba2 } from "./ssm.ts";

const NAME = "mamba2";

/** Mamba-2. llama.cpp norms each group of channels apart, as mamba_ssm does; transformers norms all together, which is the same with one group. */
export const mamba2: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: mamba2Weights,
  forms: mamba2Forms,
  read(fields) {
    const { dModel, nLayer, normEps, model } = readShared(fields, NAME);
    const config = readMamba2(fields, dModel, normEps);
    return {
      ...model,
      family: config.nGroups === 1 ? "mamba2" : "mamba_ssm",
      layers: Array.from({ length: nLayer }, () => ({ kind: "mamba2", ...config }) as const),
    };
  },
  metadata(model) {
    expectPlainLayers(NAME, model, ["mamba2"]);
    expressible(
      NAME,
      model.layers.every(({ mlp }) => mlp === undefined),
      "mlp",
      model.layers[0]!.mlp,
    );
    return {
      ...writeShared(NAME, model),
      feed_forward_length: uint32(0),
      "attention.head_count": uint32(0),
      ...writeMamba2(NAME, model),
    };
  },
});
