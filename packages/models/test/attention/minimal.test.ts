import { describe, it } from "vitest";
import { parseModelConfig } from "../../src/index.ts";
import { minimalTransformer } from "../../src/mixers/attention/minimal.ts";
import { expectMinimalEqualsFast, withSettings } from "../minimalEqualsFast.ts";

describe("attention/minimal.ts equals the fast path", () => {
  const variants: Readonly<Record<string, Record<string, unknown>>> = {
    plain: {},
    "shared keys, no biases": { num_heads_kv: 2, qkv_proj_bias: false, out_proj_bias: false },
    "convolved, with an MLP beside": { d_conv: 3, mlp_dim: 256 },
  };
  for (const [name, attention] of Object.entries(variants)) {
    const config = parseModelConfig({
      d_model: 16,
      n_layer: 2,
      vocab_size: 32,
      d_intermediate: 128,
      attn_layer_idx: [0, 1],
      attn_cfg: { causal: true, num_heads: 4, ...attention },
    });
    it(name, () => expectMinimalEqualsFast(config, minimalTransformer));
  }
  const plain = parseModelConfig({
    d_model: 16,
    n_layer: 2,
    vocab_size: 32,
    attn_layer_idx: [0, 1],
    attn_cfg: { causal: true, num_heads: 4, num_heads_kv: 2 },
  });
  for (const qkNorm of ["head", "all"])
    it(`queries and keys normed (${qkNorm}), a gate`, () =>
      expectMinimalEqualsFast(
        withSettings(plain, { qkNorm, qkNormOffset: 1, outputGate: true, mlpDim: 8 }),
        minimalTransformer,
      ));
  for (const window of [0, 3])
    it(`a soft cap, a window of ${window}`, () =>
      expectMinimalEqualsFast(withSettings(plain, { softCap: 0.4, window }), minimalTransformer));
  for (const window of [0, 3])
    it(`sinks, a window of ${window}`, () =>
      expectMinimalEqualsFast(withSettings(plain, { sinks: true, window }), minimalTransformer));
  for (const window of [1, 3])
    it(`a window of ${window}`, () => expectMinimalEqualsFast(withSettings(plain, { window }), minimalTransformer));
  for (const interleaved of [false, true]) {
    const config = parseModelConfig({
      d_model: 16,
      n_layer: 1,
      vocab_size: 32,
      attn_layer_idx: [0],
      attn_cfg: { causal: true, num_heads: 2, rotary_emb_dim: 6, rotary_emb_interleaved: interleaved },
    });
    // The fast path's table of positions is float32: 2^-24 of an angle's sine.
    it(`rotary positions, interleaved ${interleaved}`, () => expectMinimalEqualsFast(config, minimalTransformer, 1e-6));
  }
});
