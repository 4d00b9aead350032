import { ArgumentError, FormatError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  familyConfig,
  familyNamed,
  matchWeights,
  Model,
  parseModelConfig,
  publishedTensors,
  type FamilyOptions,
  type ModelConfig,
} from "../../src/index.ts";
import { formatTransformersJson } from "../../src/families/transformersJson.ts";

/** What a file says, on one level: the model's fields, and the settings of its SSM and attention layers. */
function read(
  config: string | Readonly<Record<string, unknown>>,
  options: FamilyOptions = {},
): Record<string, unknown> {
  const { encoder, head, mlp = 0, family, ...model } = parseModelConfig(config, options);
  const layers = model.layers as readonly Readonly<Record<string, unknown>>[];
  const ssm = layers.find(({ kind }) => kind !== "attention");
  return {
    mixerNormEps: undefined,
    ...ssm,
    ...model,
    modelType: family === "falcon_mamba" ? family : ssm?.["kind"],
    dialect: family === "mamba_ssm" ? family : "transformers",
    vocabSize: encoder.kind === "embedding" ? encoder.vocabSize : undefined,
    nLayer: layers.length,
    tieEmbeddings: head.kind === "language" ? head.tie : undefined,
    dIntermediate: mlp,
    attnLayers: layers.flatMap(({ kind }, i) => (kind === "attention" ? [i] : [])),
    attention: layers.find(({ kind }) => kind === "attention"),
  };
}

/** Every tensor that a file of a config's family has, by its name. */
function shapesOf(config: ModelConfig): Map<string, readonly number[]> {
  const rules = familyNamed(config.family!).weights;
  return new Map(publishedTensors(new Model(config, "empty"), rules).map(({ key, shape }) => [key, shape]));
}

const mamba = { model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, vocab_size: 50280 };
const mamba2 = {
  model_type: "mamba2",
  hidden_size: 64,
  num_heads: 8,
  head_dim: 16,
  n_groups: 2,
  num_hidden_layers: 1,
  vocab_size: 96,
};
const ssm1 = { d_model: 768, n_layer: 24, vocab_size: 50277 };
const ssm2 = { d_model: 768, n_layer: 24, vocab_size: 50277, ssm_cfg: { layer: "Mamba2" } };
const ssm3 = { d_model: 768, n_layer: 12, vocab_size: 50277, ssm_cfg: { layer: "Mamba3" } };

describe("transformers", () => {
  test("defaults are those of its configuration classes", () => {
    expect(read({ model_type: "mamba" })).toMatchObject({
      modelType: "mamba",
      dialect: "transformers",
      vocabSize: 50280,
      dModel: 768,
      nLayer: 32,
      dState: 16,
      dInner: 1536,
      dConv: 4,
      dtRank: 48,
      useBias: false,
      useConvBias: true,
      norm: "rms",
      normEps: 1e-5,
      residualInFp32: true,
      tieEmbeddings: true,
      bosTokenId: 0,
      eosTokenIds: [0],
      padTokenId: 0,
      initializerRange: 0.1,
      timeStepMin: 0.001,
      timeStepMax: 0.1,
      timeStepFloor: 1e-4,
      timeStepScale: 1,
      timeStepInitScheme: "random",
      mixerNormEps: undefined,
    });
    expect(read({ model_type: "mamba2" })).toMatchObject({
      vocabSize: 32768,
      dModel: 4096,
      nLayer: 64,
      dState: 128,
      dInner: 8192,
      nHeads: 128,
      headDim: 64,
      nGroups: 8,
      chunkSize: 256,
      tieEmbeddings: false,
      bosTokenId: 0,
      eosTokenIds: [2],
      padTokenId: 1,
      timeStepLimit: [0, Infinity],
      normGroupSize: 8192,
      normBeforeGate: false,
    });
    expect(read({ model_type: "falcon_mamba" })).toMatchObject({ mixerNormEps: 1e-6, tieEmbeddings: true });
  });

  test("falcon-mamba-7b: a written intermediate_size wins over expand", () => {
    const config = read({
      model_type: "falcon_mamba",
      hidden_size: 4096,
      intermediate_size: 8192,
      expand: 16,
      time_step_rank: 256,
    });
    expect(config).toMatchObject({ dInner: 8192, dtRank: 256 });
  });

  test("null takes the default, but is no token where a token is named; several ends are a list", () => {
    const config = read({
      ...mamba,
      state_size: null,
      bos_token_id: null,
      eos_token_id: [1, 2],
      pad_token_id: null,
    });
    expect(config).toMatchObject({ dState: 16, bosTokenId: null, eosTokenIds: [1, 2], padTokenId: null });
    expect(read({ ...mamba, eos_token_id: null })["eosTokenIds"]).toEqual([]);
  });

  test.each([
    [`[0.0, {"__float__": "Infinity"}]`, [0, Infinity]],
    [`[0.0, Infinity]`, [0, Infinity]],
    [`[0.001, 0.5]`, [0.001, 0.5]],
  ])("time_step_limit %s", (written, expected) => {
    const text = JSON.stringify(mamba2).replace("{", `{"time_step_limit": ${written},`);
    expect(read(text)["timeStepLimit"]).toEqual(expected);
  });

  test("mamba_ssm's keys beside its own do not change the dialect", () => {
    expect(read({ ...mamba, d_model: 1, n_layer: 1, ssm_cfg: {} })).toMatchObject({
      dialect: "transformers",
      dModel: 768,
    });
  });
});

describe("mamba_ssm", () => {
  test("mamba-130m: defaults of the module; the vocabulary is padded", () => {
    expect(read(ssm1)).toMatchObject({
      modelType: "mamba",
      dialect: "mamba_ssm",
      vocabSize: 50280,
      dModel: 768,
      nLayer: 24,
      dState: 16,
      dInner: 1536,
      dConv: 4,
      dtRank: 48,
      useBias: false,
      useConvBias: true,
      tieEmbeddings: true,
      norm: "rms",
      normEps: 1e-5,
      residualInFp32: true,
      bosTokenId: null,
      eosTokenIds: [],
      attnLayers: [],
      dIntermediate: 0,
    });
    expect(read({ ...ssm1, pad_vocab_size_multiple: 16 })["vocabSize"]).toBe(50288);
    expect(read({ ...ssm1, pad_vocab_size_multiple: 1, rms_norm: false })).toMatchObject({
      vocabSize: 50277,
      norm: "layer",
    });
  });

  test("mamba2-130m", () => {
    expect(read(ssm2)).toMatchObject({
      modelType: "mamba2",
      dState: 128,
      dInner: 1536,
      nHeads: 24,
      headDim: 64,
      nGroups: 1,
      normGroupSize: 1536,
      normBeforeGate: false,
    });
    expect(
      read({
        ...ssm2,
        ssm_cfg: { layer: "Mamba2", ngroups: 8, norm_before_gate: true, dt_limit: [0, 1], A_init_range: [1, 2] },
      }),
    ).toMatchObject({
      normGroupSize: 192,
      normBeforeGate: true,
      timeStepLimit: [0, 1],
      aInitRange: [1, 2],
    });
  });

  test("mamba3, siso and mimo", () => {
    expect(read(ssm3)).toMatchObject({
      modelType: "mamba3",
      dState: 128,
      nHeads: 24,
      mimo: false,
      mimoRank: 1,
      ropeFraction: 0.5,
      nRopeAngles: 32,
      aFloor: 1e-4,
      aActivation: "heavyTail",
    });
    const mimo = read(
      { ...ssm3, ssm_cfg: { layer: "Mamba3", is_mimo: true, is_outproj_norm: true, chunk_size: 16, rope_fraction: 1 } },
      { aActivation: "softplus" },
    );
    expect(mimo).toMatchObject({
      mimo: true,
      mimoRank: 4,
      outProjNorm: true,
      chunkSize: 16,
      nRopeAngles: 64,
      aActivation: "softplus",
    });
  });

  test("hybrid: attention layers and MLPs, padded as the modules pad them", () => {
    const config = read({
      ...ssm2,
      attn_layer_idx: [9, 3],
      attn_cfg: { num_heads: 12, num_heads_kv: 4, causal: true, rotary_emb_dim: 32, mlp_dim: 100 },
      d_intermediate: 130,
    });
    expect(config).toMatchObject({
      attnLayers: [3, 9],
      dIntermediate: 256,
      attention: {
        nHeads: 12,
        nHeadsKv: 4,
        headDim: 64,
        causal: true,
        rotaryDim: 32,
        mlpDim: 256,
        softmaxScale: 1 / 8,
        useQkvBias: true,
      },
    });
  });
});

test.each<[config: unknown, message: RegExp]>([
  [{}, /model_type .* d_model and n_layer/],
  [{ model_type: "llama" }, /model_type must be one of mamba, falcon_mamba, mamba2, falcon_h1, .*, got "llama"/],
  [{ model_type: 7 }, /model_type must be a string, got 7/],
  [
    { ...ssm1, ssm_cfg: { layer: "Mamba4" } },
    /ssm_cfg.layer must be one of "Mamba1", "Mamba2", "Mamba3", got "Mamba4"/,
  ],
  [{ ...ssm1, ssm_cfg: { d_statee: 16 } }, /ssm_cfg.d_statee is not a known setting/],
  [{ ...ssm1, ssm_cfg: { headdim: 16 } }, /ssm_cfg.headdim is not a known setting/],
  [{ ...ssm1, ssm_cfg: [] }, /ssm_cfg must be an object/],
  [{ ...mamba, hidden_size: 0 }, /hidden_size must be a whole number in 1\.\.16777216, got 0/],
  [{ ...mamba, hidden_size: 1.5 }, /hidden_size .* got 1.5/],
  [{ ...mamba, hidden_size: "768" }, /hidden_size .* got "768"/],
  [{ ...mamba, vocab_size: 2 ** 31 }, /vocab_size/],
  [{ ...mamba, num_hidden_layers: -1 }, /num_hidden_layers/],
  [{ ...mamba, num_hidden_layers: 5000 }, /num_hidden_layers/],
  [{ ...mamba, state_size: [16] }, /state_size .* got \[16\]/],
  [{ ...mamba, conv_kernel: 0 }, /conv_kernel/],
  [{ ...mamba, intermediate_size: 0 }, /intermediate_size/],
  [{ ...mamba, expand: 0 }, /expand/],
  [{ ...mamba, time_step_rank: "automatic" }, /time_step_rank .* got "automatic"/],
  [{ ...mamba, time_step_rank: 0 }, /time_step_rank/],
  [{ ...mamba, layer_norm_epsilon: -1 }, /layer_norm_epsilon/],
  [{ ...mamba, layer_norm_epsilon: NaN }, /layer_norm_epsilon .* got NaN/],
  [{ ...mamba, time_step_min: 0 }, /time_step_min/],
  [{ ...mamba, time_step_max: 1e-9 }, /time_step_max/],
  [{ ...mamba, time_step_floor: -1 }, /time_step_floor/],
  [{ ...mamba, time_step_scale: "1" }, /time_step_scale/],
  [{ ...mamba, time_step_init_scheme: "zeros" }, /time_step_init_scheme must be one of/],
  [{ ...mamba, initializer_range: -1 }, /initializer_range/],
  [{ ...mamba, use_bias: 1 }, /use_bias must be true or false, got 1/],
  [{ ...mamba, use_conv_bias: "no" }, /use_conv_bias/],
  [{ ...mamba, tie_word_embeddings: 0 }, /tie_word_embeddings/],
  [{ ...mamba, residual_in_fp32: "yes" }, /residual_in_fp32/],
  [{ ...mamba, rescale_prenorm_residual: {} }, /rescale_prenorm_residual/],
  [{ ...mamba, hidden_act: "relu" }, /hidden_act must be one of "silu", "swish", got "relu"/],
  [{ ...mamba, bos_token_id: -1 }, /bos_token_id must be a whole number in 0\.\.50279, got -1/],
  [{ ...mamba, eos_token_id: 50280 }, /eos_token_id/],
  [{ ...mamba, eos_token_id: [0, 50280] }, /eos_token_id/],
  [{ ...mamba, pad_token_id: "0" }, /pad_token_id/],
  [{ ...mamba, model_type: "falcon_mamba", mixer_rms_eps: -1 }, /mixer_rms_eps/],
  [{ ...mamba2, num_heads: 7 }, /num_heads times head_dim \(16\) must be expand \* hidden_size = 128, got 7/],
  [{ ...mamba2, n_groups: 3 }, /n_groups must divide num_heads = 8, got 3/],
  [{ ...mamba2, intermediate_size: 64 }, /intermediate_size must be expand \* hidden_size = 128, got 64/],
  [{ ...mamba2, chunk_size: 0 }, /chunk_size/],
  [{ ...mamba2, time_step_limit: [1, 0] }, /time_step_limit must be \[low, high\]/],
  [{ ...mamba2, time_step_limit: [0] }, /time_step_limit/],
  [{ ...mamba2, time_step_limit: [0, { __float__: "NaN" }] }, /time_step_limit/],
  [{ ...mamba2, time_step_limit: [-1, 0] }, /time_step_limit/],
  [
    { ...ssm2, ssm_cfg: { layer: "Mamba2", headdim: 100 } },
    /ssm_cfg.headdim must divide expand \* d_model = 1536, got 100/,
  ],
  [{ ...ssm2, ssm_cfg: { layer: "Mamba2", ngroups: 7 } }, /ssm_cfg.ngroups must divide/],
  [{ ...ssm2, ssm_cfg: { layer: "Mamba2", d_ssm: 64 } }, /ssm_cfg.d_ssm/],
  [{ ...ssm3, ssm_cfg: { layer: "Mamba3", rope_fraction: 0.7 } }, /ssm_cfg.rope_fraction must be 0.5 or 1, got 0.7/],
  [{ ...ssm3, ssm_cfg: { layer: "Mamba3", d_state: 2 } }, /ssm_cfg.d_state/],
  [{ ...ssm1, attn_layer_idx: [24] }, /attn_layer_idx/],
  [{ ...ssm1, attn_layer_idx: [1] }, /attn_cfg.num_heads .* got nothing/],
  [{ ...ssm1, attn_layer_idx: [1], attn_cfg: { num_heads: 7 } }, /attn_cfg.num_heads must divide d_model = 768/],
  [{ ...ssm1, attn_layer_idx: [1], attn_cfg: { num_heads: 12, num_heads_kv: 5 } }, /attn_cfg.num_heads_kv must divide/],
  [{ ...ssm1, attn_layer_idx: [1], attn_cfg: { num_heads: 12, window: 5 } }, /attn_cfg.window is not a known setting/],
  [{ ...ssm1, pad_vocab_size_multiple: 0 }, /pad_vocab_size_multiple/],
  [{ ...ssm1, d_intermediate: -1 }, /d_intermediate/],
])("%j is refused by name", (config, message) => {
  expect(() => parseModelConfig(config as Record<string, unknown>)).toThrow(FormatError);
  expect(() => parseModelConfig(config as Record<string, unknown>)).toThrow(message);
});

describe("to transformers", () => {
  test.each([
    [
      "mamba",
      {
        ...mamba,
        use_bias: true,
        tie_word_embeddings: false,
        eos_token_id: [3, 4],
        bos_token_id: null,
        time_step_rank: 7,
        intermediate_size: 1000,
      },
    ],
    [
      "falcon_mamba",
      {
        model_type: "falcon_mamba",
        mixer_rms_eps: 1e-4,
        layer_norm_epsilon: 1e-6,
        intermediate_size: 8192,
        hidden_size: 4096,
      },
    ],
    ["mamba2", { ...mamba2, chunk_size: 32, tie_word_embeddings: true, use_conv_bias: false }],
    ["mamba2 with bounds", { ...mamba2, time_step_limit: [0.01, 0.2] }],
  ])("%s: written and read again it is the same, through JSON", (_name, written) => {
    const config = parseModelConfig(written);
    expect(parseModelConfig(JSON.stringify(familyConfig(config, config.family!)))).toEqual(config);
  });

  test("a mamba_ssm config becomes the transformers one of the same model", () => {
    const before = parseModelConfig(ssm1);
    const after = parseModelConfig(familyConfig(before, "mamba", "BF16"));
    // transformers 5 divides weights that it has just loaded where this says true; it is about how weights start, not what they are.
    expect(before.rescalePrenormResidual).toBe(true);
    expect(after).toEqual({ ...before, family: "mamba", rescalePrenormResidual: false });
    expect(familyConfig(before, "mamba", "BF16")).toMatchObject({
      architectures: ["MambaForCausalLM"],
      dtype: "bfloat16",
      expand: 2,
    });
  });

  test("writes whole numbers as floats where transformers wants floats, and only there", () => {
    const text = formatTransformersJson({
      state_size: 16,
      time_step_scale: 1,
      time_step_max: 2,
      initializer_range: 0.1,
      time_step_limit: [0, { __float__: "Infinity" }],
      expand: 2,
      nested: { time_step_scale: 1 },
    });
    expect(text).toContain('"time_step_scale": 1.0,\n');
    expect(text).toContain('"time_step_max": 2.0,\n');
    expect(text).toContain('"initializer_range": 0.1,\n');
    expect(text).toMatch(/"time_step_limit": \[\s+0\.0,\s+\{\s+"__float__": "Infinity"/);
    expect(text).toContain('"state_size": 16,\n');
    expect(text).toContain('"expand": 2,\n');
    expect(text).toContain('    "time_step_scale": 1\n'); // not ours to touch
    expect(JSON.parse(text)).toMatchObject({ time_step_scale: 1, state_size: 16 });
  });

  test.each<[config: unknown, message: RegExp]>([
    [ssm3, /mamba3/],
    [{ ...ssm1, rms_norm: false }, /norm = "layer"/],
    [{ ...ssm1, d_intermediate: 128 }, /mlp/],
    [{ ...ssm1, attn_layer_idx: [1], attn_cfg: { num_heads: 12 } }, /layers.1 = \["attention"\]/],
    [{ ...ssm2, ssm_cfg: { layer: "Mamba2", ngroups: 2 } }, /normGroupSize/],
    [{ ...ssm2, ssm_cfg: { layer: "Mamba2", norm_before_gate: true } }, /normBeforeGate/],
    [{ ...ssm2, ssm_cfg: { layer: "Mamba2", rmsnorm: false } }, /mixerNorm/],
    [{ ...ssm2, ssm_cfg: { layer: "Mamba2", D_has_hdim: true } }, /dHasHeadDim/],
  ])("%j has no equal there", (config, message) => {
    const read = parseModelConfig(config as Record<string, unknown>);
    const family = config === ssm3 || !("ssm_cfg" in (config as object)) ? "mamba" : "mamba2";
    expect(() => familyConfig(read, family)).toThrow(ArgumentError);
    expect(() => familyConfig(read, family)).toThrow(message);
  });
});

describe("tensor keys", () => {
  test("only the embedding is named differently", () => {
    const names = (config: object): string[] => [...shapesOf(parseModelConfig({ ...config })).keys()];
    const [theirs, papers] = [names({ ...mamba, num_hidden_layers: 1 }), names({ ...ssm1, n_layer: 1 })];
    expect(papers.map((name) => name.replace("backbone.embedding.weight", "backbone.embeddings.weight"))).toEqual(
      theirs,
    );
    expect(papers).toContain("backbone.embedding.weight");
  });

  test("a mamba3 mimo layer: keys and shapes of the official module", () => {
    const config = parseModelConfig({
      d_model: 64,
      n_layer: 1,
      vocab_size: 96,
      ssm_cfg: { layer: "Mamba3", headdim: 32, d_state: 16, is_mimo: true, is_outproj_norm: true },
    });
    const prefix = "backbone.layers.0.mixer.";
    const mixer = [...shapesOf(config)]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, shape]) => [key.slice(prefix.length), shape]);
    // dInner 128, 4 heads, rank 4, 4 angles: 2*128 + 2*16*4 + 3*4 + 4 rows
    expect(Object.fromEntries(mixer)).toEqual({
      "in_proj.weight": [400, 64],
      dt_bias: [4],
      B_bias: [4, 4, 16],
      C_bias: [4, 4, 16],
      "B_norm.weight": [16],
      "C_norm.weight": [16],
      mimo_x: [4, 4, 32],
      mimo_z: [4, 4, 32],
      mimo_o: [4, 4, 32],
      D: [4],
      "norm.weight": [128],
      "out_proj.weight": [64, 128],
    });
  });

  test("a hybrid with biases and an untied head", () => {
    const shapes = shapesOf(
      parseModelConfig({
        d_model: 64,
        n_layer: 2,
        vocab_size: 96,
        rms_norm: false,
        tie_embeddings: false,
        d_intermediate: 100,
        ssm_cfg: { bias: true },
        attn_layer_idx: [1],
        attn_cfg: { causal: true, num_heads: 4, num_heads_kv: 2, d_conv: 4 },
      }),
    );
    expect(Object.fromEntries(shapes)).toMatchObject({
      "backbone.layers.0.norm.bias": [64],
      "backbone.layers.0.mixer.in_proj.bias": [256],
      "backbone.layers.0.mixer.out_proj.bias": [64],
      "backbone.layers.0.mlp.fc1.weight": [256, 64],
      "backbone.layers.0.mlp.fc2.weight": [64, 128],
      "backbone.layers.0.norm2.weight": [64],
      "backbone.layers.1.mixer.in_proj.weight": [128, 64],
      "backbone.layers.1.mixer.conv1d.weight": [128, 1, 4],
      "backbone.layers.1.mixer.out_proj.weight": [64, 64],
      "lm_head.weight": [96, 64],
    });
    expect(shapes.has("backbone.layers.1.mixer.A_log")).toBe(false);
  });

  const config = parseModelConfig({ d_model: 16, n_layer: 1, vocab_size: 8 });
  const entriesOf = (
    change: (shapes: Map<string, readonly number[]>) => void,
  ): Map<string, { shape: readonly number[] }> => {
    const shapes = shapesOf(config);
    change(shapes);
    return new Map([...shapes].map(([key, shape]) => [key, { shape }]));
  };
  const match = (
    change: (shapes: Map<string, readonly number[]>) => void,
    family = "mamba_ssm",
  ): ReturnType<typeof matchWeights> =>
    matchWeights(new Model(config, "empty"), familyNamed(family), entriesOf(change));

  test("found under the other dialect's names; a tied head's copy is passed over", () => {
    const found = match((shapes) => shapes.set("lm_head.weight", [8, 16]), "mamba");
    expect(found.get("backbone.embedding.weight")?.parameter.name).toBe("encoder.weight");
    expect(found.has("lm_head.weight")).toBe(false);
  });

  test.each<[fault: string, change: (shapes: Map<string, readonly number[]>) => void, message: RegExp]>([
    ["missing", (shapes) => void shapes.delete("backbone.layers.0.mixer.D"), /"backbone.layers.0.mixer.D" is missing/],
    [
      "missing embedding, by its own dialect's name",
      (shapes) => void shapes.delete("backbone.embedding.weight"),
      /"backbone.embedding.weight" is missing/,
    ],
    [
      "wrong shape",
      (shapes) => void shapes.set("backbone.layers.0.mixer.D", [31]),
      /"backbone.layers.0.mixer.D": shape must be \[32\] by config.json, got \[31\]/,
    ],
    [
      "wrong rank",
      (shapes) => void shapes.set("backbone.layers.0.mixer.conv1d.weight", [32, 4]),
      /must be \[32, 1, 4\] .* got \[32, 4\]/,
    ],
    [
      "unknown",
      (shapes) => void shapes.set("backbone.layers.1.norm.weight", [16]),
      /"backbone.layers.1.norm.weight" is not part of/,
    ],
    ["twice", (shapes) => void shapes.set("backbone.embeddings.weight", [8, 16]), /are the same weight/],
  ])("a tensor %s", (_fault, change, message) => {
    expect(() => match(change)).toThrow(FormatError);
    expect(() => match(change)).toThrow(message);
  });
});
