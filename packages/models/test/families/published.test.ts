import { readFile } from "node:fs/promises";
import { cpuBackend } from "@statespace/backend-cpu";
import { FormatError, memory, setBackend, tensor, tidy } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array, type FloatTensor } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import { familyConfig, fromPretrained, parseModelConfig, type FamilyOptions, type Model } from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);

/** A golden checkpoint as files in memory, with other names, another config, further tensors. */
async function files(
  name: string,
  rename: (key: string) => string | undefined,
  change: Readonly<Record<string, unknown>> = {},
  further: Readonly<Record<string, number[]>> = {},
): Promise<Map<string, Uint8Array>> {
  const folder = new URL(`${name}/`, golden);
  const config = JSON.parse(await readFile(new URL("config.json", folder), "utf8")) as object;
  const { tensors } = parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder))));
  const out = new Map<string, FloatTensor>();
  for (const [key, raw] of tensors) {
    const to = rename(key);
    if (to !== undefined) out.set(to, { shape: raw.shape, values: toFloat32Array(raw) });
  }
  for (const [key, shape] of Object.entries(further))
    out.set(key, { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  return new Map([
    ["config.json", new TextEncoder().encode(JSON.stringify({ ...config, ...change }))],
    ["model.safetensors", serializeSafetensors(out)],
  ]);
}

function logits(model: Model): Float32Array {
  const out = tidy(
    () => model.forward(tensor(Int32Array.of(5, 71, 3, 40), [1, 4])).output.dataSync() as Float32Array,
  ).slice();
  model.dispose();
  return out;
}

describe("checkpoints as people have them", () => {
  beforeAll(() => setBackend(cpuBackend()));
  const load = async (from: Map<string, Uint8Array>, notices: string[] = []): Promise<Float32Array> =>
    logits(await fromPretrained(from, { notice: (line) => notices.push(line) }));

  it.each([
    ["lfm2-tiny", "parallel", (key: string) => `module.${key}`],
    ["lfm2-tiny", "compiled", (key: string) => `_orig_mod.${key}`],
    [
      "lfm2-tiny",
      "both, a part too",
      (key: string) => `module._orig_mod.${key.replace("layers.1.", "layers.1._orig_mod.")}`,
    ],
    ["lfm2-tiny", "the trunk alone", (key: string) => key.replace(/^model\./, "")],
    ["lfm2-tiny", "inside of another", (key: string) => `language_model.${key}`],
    ["mamba-tiny", "parallel", (key: string) => `module.${key}`],
    ["mamba-tiny", "the trunk alone", (key: string) => key.replace(/^backbone\./, "")],
    ["qwen3.5-tiny", "compiled", (key: string) => `_orig_mod.${key}`],
    ["granite-h-moe-tiny", "parallel", (key: string) => `module.${key}`],
    ["zamba2-tiny", "the trunk alone, parallel", (key: string) => `module.${key.replace(/^model\./, "")}`],
  ] as const)("%s, %s: the same logits, nothing to tell", async (name, _, rename) => {
    const notices: string[] = [];
    const wrapped = await load(await files(name, rename), notices);
    expect(wrapped).toEqual(await load(await files(name, (key) => key)));
    expect(notices).toEqual([]);
  });

  it("a name that is there as it should be is not given away to another", async () => {
    const notices: string[] = [];
    const twice = await files("lfm2-tiny", (key) => key, {}, { "module.model.embedding_norm.weight": [32] });
    expect(await load(twice, notices)).toEqual(await load(await files("lfm2-tiny", (key) => key)));
    expect(notices).toEqual([
      'lfm2: 1 tensors are no part of the model of this config.json and are left out: "module.model.embedding_norm.weight"',
    ]);
  });

  it("a tensor that is missing is told by its name in the family's files", async () => {
    const without = await files("lfm2-tiny", (key) => (key.includes("embedding_norm") ? undefined : `module.${key}`));
    await expect(load(without)).rejects.toThrow('tensor "model.embedding_norm.weight" is missing');
  });

  it.each([
    [{ quant_method: "bitsandbytes", load_in_4bit: true }, "bitsandbytes"],
    [{ load_in_8bit: true }, "bitsandbytes"],
    [{ quant_method: "gptq", bits: 4 }, "GPTQ"],
    [{ quant_method: "fp8", weight_block_size: [128, 128] }, "fp8 with scales"],
    [{ quant_method: "newer" }, '"newer"'],
  ])("weights packed by others are refused by name: %j", async (quantization, name) => {
    const before = memory().tensors;
    const packed = await files("lfm2-tiny", (key) => key, { quantization_config: quantization });
    const loading = fromPretrained(packed);
    await expect(loading).rejects.toThrow(`the weights are packed by ${name}, which is not read`);
    await expect(loading).rejects.toThrow(FormatError);
    expect(memory().tensors).toBe(before);
  });

  it("a padding id that is no token is none, and told", async () => {
    const notices: string[] = [];
    const plain = await load(await files("lfm2-tiny", (key) => key));
    expect(await load(await files("lfm2-tiny", (key) => key, { pad_token_id: -1 }), notices)).toEqual(plain);
    expect(notices).toEqual(["lfm2: pad_token_id = -1 is no token: the model has none for padding"]);
    expect(() => parseModelConfig({ model_type: "lfm2", eos_token_id: -1 })).toThrow("eos_token_id must be");
  });
});

describe("mamba2 with groups", () => {
  const config = {
    model_type: "mamba2",
    hidden_size: 64,
    num_heads: 8,
    head_dim: 16,
    n_groups: 2,
    num_hidden_layers: 1,
    vocab_size: 96,
  };
  // The published file says its sizes, which are the defaults of the configuration class too.
  const codestral = { model_type: "mamba2", hidden_size: 4096, n_groups: 8 };
  const groupSize = (of: object, options: FamilyOptions = {}): unknown =>
    (parseModelConfig({ ...of }, options).layers[0] as { readonly [setting: string]: unknown })["normGroupSize"];

  it("the gated norm is that which the weights were trained with, or the one that is asked for", () => {
    expect(groupSize(config)).toBe(128);
    expect(groupSize(config, { normGroups: "groups" })).toBe(64);
    expect(groupSize(codestral)).toBe(1024);
    expect(groupSize({ model_type: "mamba2" })).toBe(8192);
    expect(groupSize(codestral, { normGroups: "all" })).toBe(8192);
    expect(() => groupSize(config, { normGroups: "each" as never })).toThrow(
      'normGroups must be "all" or "groups", got "each"',
    );
  });

  it("is written where the reader chooses the same; else the family cannot say it", () => {
    for (const [of, options] of [
      [config, {}],
      [codestral, {}],
    ] as const) {
      const read = { ...parseModelConfig({ ...of }, options), rescalePrenormResidual: false };
      expect(parseModelConfig(familyConfig(read, "mamba2"))).toEqual(read);
    }
    const grouped = parseModelConfig(config, { normGroups: "groups" });
    expect(() => familyConfig(grouped, "mamba2")).toThrow("mamba2: cannot express normGroupSize = 64");
  });

  it("which it is, is told", async () => {
    await setBackend(cpuBackend());
    const notices: string[] = [];
    const wrong = files("mamba2-tiny", (key) => key, { n_groups: 2 });
    await fromPretrained(await wrong, { notice: (line) => notices.push(line) }).catch(() => {});
    expect(notices).toEqual([
      'mamba2: the gated norm is over all channels, as transformers has it; { normGroups: "groups" } is right for weights trained with mamba_ssm',
    ]);
  });
});
