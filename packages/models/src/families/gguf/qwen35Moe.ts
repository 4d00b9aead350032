import { expressible } from "../family.ts";
import { expectMlp, expectMlps, sharedMlp } from "../mlps.ts";
import { EXPERT_HIDDEN, expertWeights, readExperts, SHARED_HIDDEN, writeExperts } from "./experts.ts";
import { squeezed } from "./forms.ts";
import { ggufFamily, uint32, type GgufFamily } from "./ggufFamily.ts";
import { qwen35Forms, qwen35Weights, readQwen35, writeQwen35 } from "./qwen35.ts";

const NAME = "qwen35moe";

/** Qwen3.5 with experts in every layer, and an MLP for all tokens, which is gated. */
export const qwen35Moe: GgufFamily = ggufFamily({
  architecture: NAME,
  weights: { ...qwen35Weights, ...expertWeights, "layers.*.mlp.shared.gate": "blk.*.ffn_gate_inp_shexp" },
  forms: { ...qwen35Forms, "blk.*.ffn_gate_inp_shexp.weight": [squeezed] },
  read(fields) {
    const hidden = fields.integer(EXPERT_HIDDEN, undefined);
    const sharedHidden = fields.integer(SHARED_HIDDEN, undefined);
    const mlp = { hidden, ...readExperts(fields), sharedHidden, sharedGate: true };
    return { ...readQwen35(fields, "qwen3_5_moe_text"), mlp };
  },
  metadata(model) {
    const written = writeQwen35(NAME, model);
    expectMlps(NAME, model);
    const [mixture, dense] = [sharedMlp(NAME, model, true), sharedMlp(NAME, model, false)];
    expressible(NAME, mixture !== undefined, "layers", "no experts");
    expressible(NAME, dense === undefined, "mlp", dense);
    const { hidden, experts, expertsPerToken, sharedHidden } = mixture!;
    expressible(NAME, sharedHidden > 0, "sharedHidden", sharedHidden);
    expectMlp(NAME, mixture, { hidden, experts, expertsPerToken, sharedHidden, sharedGate: true });
    return {
      ...written,
      ...writeExperts(mixture!),
      [EXPERT_HIDDEN]: uint32(hidden),
      [SHARED_HIDDEN]: uint32(sharedHidden),
    };
  },
});
