import { readFile } from "node:fs/promises";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend, tensor, tidy } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array, type FloatTensor } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import { formatTransformersJson } from "../../src/families/transformersJson.ts";
import { familyConfig, fromPretrained, parseModelConfig, publishedWeights, type Model } from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);

async function filesOf(name: string): Promise<{ config: Uint8Array; weights: Map<string, FloatTensor> }> {
  const folder = new URL(`${name}/`, golden);
  const { tensors } = parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder))));
  const weights = new Map(
    [...tensors].map(([key, raw]) => [key, { shape: raw.shape, values: toFloat32Array(raw) }] as const),
  );
  return { config: new Uint8Array(await readFile(new URL("config.json", folder))), weights };
}

const load = (config: Uint8Array, weights: Map<string, FloatTensor>): Promise<Model> =>
  fromPretrained(
    new Map([
      ["config.json", config],
      ["model.safetensors", serializeSafetensors(weights)],
    ]),
  );

function logits(model: Model): Float32Array {
  const ids = Int32Array.of(5, 71, 3, 40, 18, 92);
  return tidy(() => model.forward(tensor(ids, [1, 6])).output.dataSync() as Float32Array).slice();
}

/** Tensors of each expert by itself, put together as transformers has them in memory: [experts, gate and up, k]. */
function joined(weights: Map<string, FloatTensor>, [gate, up, down]: readonly string[]): Map<string, FloatTensor> {
  const out = new Map<string, FloatTensor>();
  const stacks = new Map<string, { count: number; values: number[]; rows: number; k: number }>();
  const experts = [...weights].filter(([key]) => /\.experts\.\d+\./.test(key));
  for (const [key, value] of weights) if (!/\.experts\.\d+\./.test(key)) out.set(key, value);
  // Of an expert the gate comes first, whatever the order of the file.
  const order = (key: string): number => [gate, up, down].findIndex((name) => key.includes(`.${name}.`));
  const number = (key: string): number => Number(/\.experts\.(\d+)\./.exec(key)![1]);
  for (const [key, { shape, values }] of experts.toSorted(([a], [b]) => number(a) - number(b) || order(a) - order(b))) {
    const name = key.replace(
      /\.experts\..*/,
      `.experts.${order(key) === 2 ? "down_proj" : gate === "" ? up : "gate_up_proj"}`,
    );
    const stack = stacks.get(name) ?? { count: 0, values: [], rows: 0, k: shape[1]! };
    stack.values.push(...values);
    stack.rows += shape[0]!;
    stack.count = number(key) + 1;
    stacks.set(name, stack);
  }
  for (const [name, { count, values, rows, k }] of stacks)
    out.set(name, { shape: [count, rows / count, k], values: Float32Array.from(values) });
  return out;
}

const USUAL = ["gate_proj", "up_proj", "down_proj"];

describe.each([
  ["lfm2-moe-tiny", "lfm2_moe", ["w1", "w3", "w2"]],
  ["qwen3-next-tiny", "qwen3_next", USUAL],
  ["qwen3.5-moe-tiny", "qwen3_5_moe_text", USUAL],
  ["jamba-tiny", "jamba", USUAL],
  ["nemotron-h-moe-tiny", "nemotron_h", ["", "up_proj", "down_proj"]],
] as const)("%s", (name, family, projections) => {
  beforeAll(() => setBackend(cpuBackend()));

  it("is read with each expert by itself, and with all in one tensor", async () => {
    const { config, weights } = await filesOf(name);
    const together = joined(weights, projections);
    expect([...together.keys()].filter((key) => key.endsWith("up_proj")).length).toBeGreaterThan(0);
    const [single, whole] = [await load(config, weights), await load(config, together)];
    expect(logits(whole)).toEqual(logits(single));
    expect(await publishedWeights(whole)).toEqual(await publishedWeights(single));
    for (const model of [single, whole]) model.dispose();
  });

  it("tells an expert that is missing by its name", async () => {
    const { config, weights } = await filesOf(name);
    const key = [...weights.keys()].findLast((own) => own.includes(`.experts.2.${projections[2]!}.`))!;
    weights.delete(key);
    await expect(load(config, weights)).rejects.toThrow(`tensor "${key}" is missing`);
  });

  it("its config is written as it is read", async () => {
    const { config } = await filesOf(name);
    const read = parseModelConfig(new TextDecoder().decode(config));
    expect(parseModelConfig(familyConfig(read, family) as Record<string, unknown>)).toEqual({
      ...read,
      rescalePrenormResidual: false, // how weights start is no matter of saved ones
    });
  });
});

describe("which layers are of which sort in Jamba", () => {
  const config = { model_type: "jamba", hidden_size: 32, num_attention_heads: 4, num_key_value_heads: 2 };
  const sorts = (own: object): string =>
    parseModelConfig({ ...config, ...own })
      .layers.map((layer) => {
        if (typeof layer === "string" || !("kind" in layer)) return "?";
        const mixed = typeof layer.mlp === "object" && (layer.mlp.experts ?? 0) > 0;
        return `${layer.kind[0]}${mixed ? "e" : ""}`;
      })
      .join(" ");

  it.each([
    [{ num_hidden_layers: 4, attn_layer_period: 4, attn_layer_offset: 2 }, "m me a me"],
    [{ num_hidden_layers: 5, attn_layer_period: 2, attn_layer_offset: 0, num_experts: 1 }, "a m a m a"],
    [{ num_hidden_layers: 3, expert_layer_period: 3, expert_layer_offset: 0 }, "me m m"],
    [{ num_hidden_layers: 3, attn_layer_period: 1, attn_layer_offset: 0 }, "a ae a"],
  ])("%o: %s", (own, expected) => {
    expect(sorts(own)).toBe(expected);
    const read = parseModelConfig({ ...config, ...own });
    expect(sorts(familyConfig(read, "jamba") as object)).toBe(expected);
  });

  it("refuses what no period says", () => {
    const read = parseModelConfig({ ...config, num_hidden_layers: 4, attn_layer_period: 4, attn_layer_offset: 2 });
    const layers = [...read.layers.slice(0, 3), read.layers[2]!];
    expect(() => familyConfig({ ...read, layers }, "jamba")).toThrow("jamba: cannot express attn layers");
    expect(() => parseModelConfig({ ...config, attn_layer_period: 2, attn_layer_offset: 2 })).toThrow(
      "attn_layer_offset must be less than attn_layer_period = 2",
    );
  });
});

it("Qwen3.5 with experts is read from files of a model that also sees, all experts in one tensor", async () => {
  await setBackend(cpuBackend());
  const { config, weights } = await filesOf("qwen3.5-moe-tiny");
  const seen = new Map(
    [...joined(weights, USUAL)].map(([key, value]) => [key.replace(/^model\./, "model.language_model."), value]),
  );
  seen.set("model.visual.patch_embed.weight", { shape: [1], values: Float32Array.of(1) });
  const text = JSON.parse(new TextDecoder().decode(config)) as Record<string, unknown>;
  const whole = JSON.stringify({ model_type: "qwen3_5_moe", text_config: text });
  const files = new Map([
    ["config.json", new TextEncoder().encode(whole)],
    ["model.safetensors", serializeSafetensors(seen)],
  ]);
  const notices: string[] = [];
  const both = await fromPretrained(files, { notice: (line) => void notices.push(line) });
  const own = await load(config, weights);
  expect(logits(both)).toEqual(logits(own));
  expect(both.config.family).toBe("qwen3_5_moe_text");
  expect(notices.join()).toContain("qwen3_5_moe: left out are the vision tower (model.visual.*, 1 tensors)");
  for (const model of [both, own]) model.dispose();
});

describe("LFM2, with experts or without", () => {
  const attends = (own: object): boolean[] =>
    parseModelConfig({ num_hidden_layers: 3, hidden_size: 32, num_attention_heads: 8, ...own }).layers.map(
      (layer) => typeof layer === "object" && "kind" in layer && layer.kind === "attention",
    );

  it.each(["lfm2", "lfm2_moe"])("%s has its layers in either spelling, and by numbers", (model_type) => {
    const expected = [false, true, false];
    expect(attends({ model_type, layer_types: ["conv", "full_attention", "conv"] })).toEqual(expected);
    expect(attends({ model_type, layers_block_type: ["conv", "attention", "conv"] })).toEqual(expected);
    expect(attends({ model_type, full_attn_idxs: [1] })).toEqual(expected);
  });

  it.each(["lfm2", "lfm2_moe"])("%s says by either name whether its head is tied", (model_type) => {
    const tied = (own: object): unknown => parseModelConfig({ model_type, num_hidden_layers: 3, ...own }).head;
    expect(tied({})).toMatchObject({ tie: true });
    expect(tied({ tie_embedding: false })).toMatchObject({ tie: false });
    expect(tied({ tie_word_embeddings: false })).toMatchObject({ tie: false });
  });
});

describe("Nemotron-H", () => {
  const config = { model_type: "nemotron_h", hidden_size: 32, n_groups: 1, mamba_num_heads: 8, mamba_head_dim: 8 };
  const sorts = (own: object): string =>
    parseModelConfig({ ...config, ...own })
      .layers.map((layer) =>
        typeof layer === "object" && "kind" in layer ? (Number(layer["experts"] ?? 0) > 0 ? "moe" : layer.kind) : "?",
      )
      .join(" ");

  it("has its layers in the letters of the pattern, the words before and those of today", () => {
    const expected = "mamba2 moe attention mlp";
    expect(sorts({ hybrid_override_pattern: "ME*-" })).toBe(expected);
    expect(sorts({ layers_block_type: ["mamba", "moe", "attention", "mlp"] })).toBe(expected);
    expect(sorts({ layer_types: ["linear_attention", "moe", "full_attention", "mlp"] })).toBe(expected);
    expect(() => sorts({ hybrid_override_pattern: "MX" })).toThrow("must be of M, E, * and - alone");
  });

  it("has no biases in its attention, whatever the config says, as transformers has none", () => {
    const [layer] = parseModelConfig({ ...config, hybrid_override_pattern: "*", attention_bias: true }).layers;
    expect(layer).toMatchObject({ kind: "attention", useQkvBias: false, useOutBias: false });
  });

  it("keeps its head apart from the embedding, whatever the config says, as transformers does", () => {
    const read = parseModelConfig({ ...config, hybrid_override_pattern: "M", tie_word_embeddings: true });
    expect(read.head).toMatchObject({ tie: false });
    expect(() => familyConfig({ ...read, head: { kind: "language", tie: true } }, "nemotron_h")).toThrow("head.tie");
  });
});

it("whole numbers are written as floats where transformers wants floats", () => {
  const text = formatTransformersJson({
    routed_scaling_factor: 1,
    logits_soft_cap: 30,
    hidden_size: 32,
    rope_parameters: { factor: 2 },
  });
  expect(text).toContain('"routed_scaling_factor": 1.0,');
  expect(text).toContain('"logits_soft_cap": 30.0,');
  expect(text).toContain('"hidden_size": 32,');
  expect(text).toContain('"factor": 2.0');
});
