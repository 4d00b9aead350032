import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend, tensor, tidy } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array, type FloatTensor } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import {
  familyConfig,
  familyNamed,
  fromPretrained,
  Model,
  parseModelConfig,
  publishedTensors,
  savePretrained,
} from "../../src/index.ts";

const folder = new URL("../../../conformance/golden/hf/zamba2-tiny/", import.meta.url);
const base = {
  model_type: "zamba2",
  vocab_size: 32,
  hidden_size: 16,
  num_hidden_layers: 5,
  layers_block_type: ["hybrid", "mamba", "hybrid", "hybrid", "hybrid"],
  num_mem_blocks: 2,
  num_attention_heads: 4,
  n_mamba_heads: 4,
  mamba_d_state: 4,
  adapter_rank: 2,
  bos_token_id: null,
  eos_token_id: null,
  pad_token_id: null,
};

function namesOf(config: object): string[] {
  const model = new Model(parseModelConfig({ ...base, ...config }), "empty");
  return publishedTensors(model, familyNamed("zamba2").weights).map(({ key }) => key);
}

describe("zamba2", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("blocks take turns, each under the first layer that has it, with additions numbered by use", () => {
    const names = namesOf({ use_shared_attention_adapter: true });
    const inBlock = (layer: number): string[] =>
      names.filter((name) => name.startsWith(`model.layers.${layer}.shared_transformer.`));
    expect([0, 1, 2, 3, 4].map((layer) => inBlock(layer).length > 0)).toEqual([true, false, true, false, false]);
    const adapters = (layer: number): string[] =>
      inBlock(layer).flatMap((name) => /gate_up_proj_adapter_list\.(\d)\.0/.exec(name)?.[1] ?? []);
    expect([adapters(0), adapters(2)]).toEqual([
      ["0", "2"],
      ["1", "3"],
    ]);
    for (const part of ["q", "k", "v"])
      expect(names).toContain(`model.layers.2.shared_transformer.self_attn.linear_${part}_adapter_list.3.1.weight`);
    expect(names.filter((name) => name.endsWith(".linear.weight")).length).toBe(4);
    expect(names).toContain("model.layers.3.mamba_decoder.mamba.in_proj.weight");
    expect(names).toContain("model.layers.1.mamba.in_proj.weight");
  });

  it("with a head of its own nothing is tied, as in transformers; each use is a block", () => {
    const names = namesOf({ tie_word_embeddings: false });
    expect(names.filter((name) => name.endsWith("feed_forward.down_proj.weight")).length).toBe(4);
    expect(names).toContain("model.layers.4.shared_transformer.feed_forward.gate_up_proj_adapter_list.3.0.weight");
  });

  it.each([
    {},
    { tie_word_embeddings: false },
    { use_shared_attention_adapter: true, use_mem_rope: true, add_bias_linear: true, mamba_ngroups: 2 },
    { use_mem_rope: true, rope_parameters: { rope_theta: 500, rope_type: "linear", factor: 2 }, hidden_act: "silu" },
    { num_key_value_heads: 2, mamba_expand: 4, time_step_min: 0.01 },
  ])("%j is written as it was read", (change) => {
    const read = { ...parseModelConfig({ ...base, ...change }), rescalePrenormResidual: false };
    expect(parseModelConfig(familyConfig(read, "zamba2"))).toEqual(read);
  });

  it("older files: names of layers, a base of positions that grows for long texts, a time_step_limit that counts for nothing", () => {
    const { layers_block_type: types, ...other } = base;
    const now = parseModelConfig(base);
    const newer = types.map((type) => (type === "mamba" ? "linear_attention" : type));
    expect(parseModelConfig({ ...other, layer_types: newer, time_step_limit: [0, 0.5] })).toEqual(now);
    const long = { use_mem_rope: true, use_long_context: true };
    const grown = parseModelConfig({ ...base, ...long, rope_theta: 100 });
    expect(grown.layers[0]).toMatchObject({ shared: { attention: { rotaryBase: 100 * 8 ** (8 / 6) } } });
    const kept = parseModelConfig({ ...base, ...long, rope_parameters: { rope_theta: 100 } });
    expect(kept.layers[0]).toMatchObject({ shared: { attention: { rotaryBase: 100 } } });
    expect(now.layers[1]).toMatchObject({ timeStepLimit: [0.001, Infinity] });
  });

  it("what is wrong is told by its key", () => {
    const read = (change: object) => () => parseModelConfig({ ...base, ...change });
    expect(read({ layers_block_type: ["hybrid"] })).toThrow(
      "layers_block_type must have num_hidden_layers = 5 entries",
    );
    expect(read({ num_key_value_heads: 3 })).toThrow("config: num_key_value_heads must divide nHeads = 4");
    expect(read({ hidden_act: "tanh" })).toThrow('hidden_act must be one of "gelu", "silu", "gelu_pytorch_tanh"');
    const config = parseModelConfig(base);
    expect(() => familyConfig(config, "bamba")).toThrow("bamba: cannot express layers.0.shared");
    const [first, ...others] = config.layers as readonly { shared?: object }[];
    const other = { ...first, shared: { ...first!.shared, mlpRank: 3 } };
    expect(() => new Model({ ...config, layers: [...others, other] as never }, "empty")).not.toThrow();
    expect(() => familyConfig({ ...config, layers: [other, ...others] as never }, "zamba2")).toThrow(
      "do not take turns",
    );
    const wider = { ...first, shared: { ...first!.shared, mlp: { hidden: 7 } } };
    expect(() => new Model({ ...config, layers: [first, wider] as never }, "empty")).toThrow(
      "shared.0.mlp.fc1.weight: layers that share it must have the same settings, got [128, 16] and [14, 16]",
    );
  });

  it("tensors that no layer uses are left out, and told", async () => {
    const { tensors } = parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder))));
    const more = new Map<string, FloatTensor>(
      [...tensors].map(([key, raw]) => [key, { shape: raw.shape, values: toFloat32Array(raw) }]),
    );
    const unused = "model.layers.3.shared_transformer.feed_forward.down_proj.weight";
    more.set(unused, { shape: [2], values: new Float32Array(2) });
    const notices: string[] = [];
    const files = new Map([
      ["config.json", new Uint8Array(await readFile(new URL("config.json", folder)))],
      ["model.safetensors", serializeSafetensors(more)],
    ]);
    const model = await fromPretrained(files, { notice: (line) => notices.push(line) });
    expect(notices).toEqual([
      `zamba2: 1 tensors are no part of the model of this config.json and are left out: "${unused}"`,
    ]);
    model.dispose();
  });

  it("a model of one's own is saved and loaded: the same logits", async () => {
    const model = new Model(parseModelConfig({ ...base, use_shared_attention_adapter: true }), 3);
    for (const parameter of model.parameters)
      if (parameter.name.includes(".added."))
        parameter.assign(Float32Array.from({ length: parameter.size }, (_, i) => Math.sin(i)));
    const run = (own: Model): Float32Array =>
      tidy(() => own.forward(tensor(Int32Array.of(5, 7, 3, 30), [1, 4])).output.dataSync() as Float32Array).slice();
    const to = await mkdtemp(join(tmpdir(), "zamba2-"));
    try {
      await savePretrained(model, to);
      const loaded = await fromPretrained(to);
      expect(run(loaded)).toEqual(run(model));
      expect(loaded.size).toBe(model.size);
      loaded.dispose();
    } finally {
      await rm(to, { recursive: true });
      model.dispose();
    }
  });
});
