/** How large a shape is. */
interface Size {
  readonly hidden: number;
  readonly layers: number;
  readonly vocabulary: number;
}

const SIZES: Readonly<Record<"small" | "large", Size>> = {
  /** Rows are whole blocks of every type. */
  small: { hidden: 256, layers: 4, vocabulary: 512 },
  /** 90 million weights or more. */
  large: { hidden: 768, layers: 12, vocabulary: 32000 },
};

/** Shapes of each architecture of llama.cpp, and of those that it has not, as config.json of transformers has them. */
export function shapeOf(family: string, size: keyof typeof SIZES): Record<string, unknown> | undefined {
  const { hidden, layers, vocabulary } = SIZES[size];
  const heads = hidden / 64;
  const shared = { vocab_size: vocabulary, hidden_size: hidden, num_hidden_layers: layers, tie_word_embeddings: false };
  const attention = { num_attention_heads: heads, num_key_value_heads: heads / 2, head_dim: 64 };
  const ssm = {
    mamba_n_heads: 2 * heads,
    mamba_d_head: 64,
    mamba_d_ssm: 2 * hidden,
    mamba_d_state: 64,
    mamba_n_groups: 1,
    mamba_expand: 2,
  };
  const fourth = (most: string, some: string): string[] =>
    Array.from({ length: layers }, (_, i) => (i % 4 === 3 ? some : most));
  const shapes: Record<string, Record<string, unknown>> = {
    mamba: { num_hidden_layers: 2 * layers },
    falcon_mamba: { num_hidden_layers: 2 * layers, intermediate_size: 2 * hidden },
    mamba2: {
      tie_word_embeddings: true,
      num_hidden_layers: 2 * layers,
      num_heads: 2 * heads,
      head_dim: 64,
      n_groups: 1,
      state_size: 64,
    },
    falcon_h1: {
      ...attention,
      ...ssm,
      intermediate_size: 2 * hidden,
      mamba_rms_norm: false,
      key_multiplier: 0.7,
      ssm_multipliers: [0.9, 1.1, 0.8, 1.2, 1],
      ssm_in_multiplier: 1.25,
      ssm_out_multiplier: 0.8,
      attention_out_multiplier: 0.6,
      mlp_multipliers: [0.9, 0.5],
      lm_head_multiplier: 0.5,
      embedding_multiplier: 3,
    },
    granitemoehybrid: {
      ...attention,
      ...ssm,
      layer_types: fourth("mamba", "attention"),
      num_local_experts: 0,
      shared_intermediate_size: 2 * hidden,
      position_embedding_type: "nope",
      attention_multiplier: 0.02,
      embedding_multiplier: 12,
      logits_scaling: 3,
      residual_multiplier: 0.25,
    },
    nemotron_h: {
      ...attention,
      num_hidden_layers: 2 * layers,
      layers_block_type: Array.from({ length: 2 * layers }, (_, i) => ["mamba", "mlp", "mamba", "attention"][i % 4]),
      mamba_num_heads: 2 * heads,
      mamba_head_dim: 64,
      n_groups: 2,
      ssm_state_size: 64,
      intermediate_size: 2 * hidden,
    },
    lfm2: {
      ...attention,
      tie_word_embeddings: true,
      layer_types: fourth("conv", "full_attention"),
      intermediate_size: 2 * hidden,
      block_auto_adjust_ff_dim: false,
    },
    qwen3_5_text: {
      layer_types: fourth("linear_attention", "full_attention"),
      linear_num_value_heads: 4,
      linear_num_key_heads: 2,
      linear_key_head_dim: hidden / 4,
      linear_value_head_dim: hidden / 4,
      intermediate_size: 2 * hidden,
      num_attention_heads: heads,
      num_key_value_heads: heads / 2,
      head_dim: 64,
    },
    jamba: {
      ...attention,
      attn_layer_period: 4,
      attn_layer_offset: 2,
      num_experts: 1,
      intermediate_size: 2 * hidden,
    },
  };
  const elsewhere: Record<string, Record<string, unknown>> = {
    recurrent_gemma: {
      ...attention,
      tie_word_embeddings: true,
      num_key_value_heads: 1,
      block_types: ["recurrent", "recurrent", "attention"],
      lru_width: hidden,
      attention_window_size: 48,
      intermediate_size: 6 * hidden,
    },
    zamba2: {
      tie_word_embeddings: true,
      num_hidden_layers: 2 * layers,
      num_attention_heads: heads,
      num_key_value_heads: heads,
      layers_block_type: Array.from({ length: 2 * layers }, (_, i) => (i % 3 === 1 ? "hybrid" : "linear_attention")),
      num_mem_blocks: 2,
      adapter_rank: 16,
      use_shared_attention_adapter: true,
      use_mem_rope: true,
      intermediate_size: 2 * hidden,
      n_mamba_heads: 2 * heads,
      mamba_headdim: 64,
      mamba_d_state: 64,
      mamba_ngroups: 1,
    },
  };
  const experts = { num_experts_per_tok: 3, moe_intermediate_size: hidden };
  const mixtures: Record<string, Record<string, unknown>> = {
    granitemoehybrid: { num_local_experts: 8, num_experts_per_tok: 3, intermediate_size: hidden },
    lfm2: { model_type: "lfm2_moe", ...experts, num_experts: 8, num_dense_layers: 1 },
    qwen3_5_text: {
      model_type: "qwen3_5_moe_text",
      ...experts,
      num_experts: 8,
      shared_expert_intermediate_size: hidden,
    },
    jamba: { num_experts: 8, num_experts_per_tok: 2, expert_layer_period: 2, expert_layer_offset: 1 },
    nemotron_h: {
      ...experts,
      num_hidden_layers: layers,
      layers_block_type: Array.from({ length: layers }, (_, i) => ["mamba", "moe", "attention", "moe"][i % 4]),
      n_routed_experts: 8,
      moe_shared_expert_intermediate_size: hidden,
      moe_latent_size: hidden / 2,
      routed_scaling_factor: 2.5,
      n_group: 4,
      topk_group: 2,
    },
  };
  const dense = family.replace(/\+experts$/, "");
  const own = shapes[dense] ?? elsewhere[dense];
  if (own === undefined || (dense !== family && mixtures[dense] === undefined)) return undefined;
  return { ...shared, model_type: dense, ...own, ...(dense === family ? {} : mixtures[dense]) };
}

/** Those that llama.cpp has. */
export const SHAPES: readonly string[] = [
  "mamba",
  "falcon_mamba",
  "mamba2",
  "falcon_h1",
  "granitemoehybrid",
  "nemotron_h",
  "lfm2",
  "qwen3_5_text",
  "jamba",
  "granitemoehybrid+experts",
  "nemotron_h+experts",
  "lfm2+experts",
  "qwen3_5_text+experts",
  "jamba+experts",
];

/** Those that it has not, too. */
export const ALL_SHAPES: readonly string[] = [...SHAPES, "recurrent_gemma", "zamba2"];
