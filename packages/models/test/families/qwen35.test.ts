import { readFile } from "node:fs/promises";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend, tensor, tidy } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import { familyConfig, fromPretrained, generate, Model, parseModelConfig, publishedWeights } from "../../src/index.ts";
import { attentionMixer } from "../../src/mixers/attention/minimal.ts";
import type { AttentionMixerConfig } from "../../src/mixers/attention/config.ts";
import type { GatedDeltaMixerConfig } from "../../src/mixers/gatedDelta/config.ts";
import { gatedDeltaMixer } from "../../src/mixers/gatedDelta/minimal.ts";
import { minimalLanguageModel } from "../../src/mixers/mamba/minimal.ts";
import { float64Backend } from "../float64Backend.ts";
import { expectLogits } from "../minimalEqualsFast.ts";

const folder = new URL("../../../conformance/golden/hf/qwen3.5-tiny/", import.meta.url);
const ids = [5, 71, 3, 40, 18, 92, 7, 7, 33];

const text = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL("config.json", folder), "utf8")) as Record<string, unknown>;
const tensors = async (): Promise<ReturnType<typeof parseSafetensors>["tensors"]> =>
  parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder)))).tensors;

function logits(model: Model): Float32Array {
  return tidy(
    () => model.forward(tensor(Int32Array.from(ids), [1, ids.length])).output.dataSync() as Float32Array,
  ).slice();
}

/** The golden checkpoint as the published ones are: inside a model that also sees and guesses further tokens. */
async function published(): Promise<Map<string, Uint8Array>> {
  const { architectures: _, ...own } = await text();
  const inner = new Map(
    [...(await tensors())].map(([key, raw]) => [
      key.replace(/^model\./, "model.language_model."),
      { shape: raw.shape, values: toFloat32Array(raw) },
    ]),
  );
  const other = { shape: [2], values: new Float32Array(2) };
  for (const key of ["model.visual.patch_embed.proj.weight", "mtp.fc.weight", "mtp.norm.weight"]) inner.set(key, other);
  const config = { model_type: "qwen3_5", text_config: own, vision_config: { depth: 2 }, tie_word_embeddings: false };
  return new Map([
    ["config.json", new TextEncoder().encode(JSON.stringify(config))],
    ["model.safetensors", serializeSafetensors(inner)],
  ]);
}

describe("qwen3_5", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("as published: the language model alone, what is left out in one line, saved as qwen3_5_text", async () => {
    const lines: string[] = [];
    const seen = await fromPretrained(await published(), { notice: (line) => lines.push(line) });
    const plain = await fromPretrained(folder, { notice: (line) => lines.push(line) });
    expect(lines).toEqual([
      "qwen3_5: left out are the vision tower (model.visual.*, 1 tensors) and the heads that predict further tokens (mtp.*, 2 tensors)",
    ]);
    expect(logits(seen)).toEqual(logits(plain));
    expect(await publishedWeights(seen)).toEqual(await publishedWeights(plain));
    expect(familyConfig(seen.config, "qwen3_5_text")).toMatchObject({ model_type: "qwen3_5_text" });
    for (const model of [seen, plain]) model.dispose();
  });

  it("the whole model's config says whether the head is the embedding, before the language model's", async () => {
    const own = { ...(await text()), tie_word_embeddings: false };
    const tie = (outer: object): unknown => {
      const { head } = parseModelConfig({ model_type: "qwen3_5", text_config: own, ...outer });
      return head.kind === "language" && head.tie;
    };
    expect(tie({ tie_word_embeddings: true })).toBe(true);
    expect(tie({ tie_word_embeddings: false })).toBe(false);
    expect(tie({})).toBe(false);
  });

  it("older keys say the same", async () => {
    const { layer_types: types, rope_parameters: rope, ...rest } = await text();
    const { rope_theta, partial_rotary_factor } = rope as Record<string, number>;
    const config = parseModelConfig(await text());
    expect(parseModelConfig({ ...rest, layers_block_type: types, rope_theta, partial_rotary_factor })).toEqual(config);
    expect(parseModelConfig({ ...rest, rope_parameters: rope, full_attention_interval: 4 })).toEqual(config);
    expect(
      parseModelConfig({
        ...(await text()),
        rope_parameters: { ...(rope as object), mrope_section: [1, 1, 0], mrope_interleaved: true },
      }),
    ).toEqual(config);
    const wider = parseModelConfig({
      ...(await text()),
      rope_parameters: { ...(rope as object), partial_rotary_factor: 0.5 },
    });
    expect(wider.layers[3]).toMatchObject({ rotaryDim: 8 });
  });

  it("refuses by name what it has not", async () => {
    const config = await text();
    expect(() => parseModelConfig({ ...config, attn_output_gate: false })).toThrow(
      "attn_output_gate must be true, got false",
    );
    expect(() => parseModelConfig({ ...config, layer_types: ["full_attention"] })).toThrow(
      "layer_types must have num_hidden_layers = 4 entries",
    );
    expect(() => parseModelConfig({ ...config, layer_types: ["conv"] })).toThrow("layer_types must be a list of");
    expect(() => parseModelConfig({ model_type: "qwen3_5" })).toThrow("text_config must be an object");
    const own = parseModelConfig(config);
    const layers = own.layers.map((layer, i) => (i < 3 ? Object.assign({}, layer, { mixerNormEps: 1e-3 }) : layer));
    expect(() => familyConfig({ ...own, layers }, "qwen3_5_text")).toThrow("cannot express mixerNormEps = 0.001");
  });

  it.each(["q8", "q4"] as const)("with weights of %s it is the model of the values they stand for", async (weights) => {
    const packed = await fromPretrained(folder, { weights });
    const plain = new Model(packed.config);
    for (const parameter of packed.parameters) plain.parameter(parameter.name).assign(await parameter.read());
    const [want, got] = [logits(plain), logits(packed)];
    const peak = want.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    // The same products in another order, a thousand roundings: random weights enlarge each by the norms of small heads.
    expect(want.reduce((max, value, i) => Math.max(max, Math.abs(value - got[i]!)), 0) / peak).toBeLessThan(1e-4);
    const made: number[] = [];
    for await (const { id } of generate(packed, [ids], { greedy: true, maxNewTokens: 5, eosTokenIds: [] }))
      made.push(id);
    const last = want.subarray(-96);
    expect(made).toHaveLength(5);
    expect(made[0]).toBe(last.indexOf(last.reduce((a, b) => Math.max(a, b))));
    for (const model of [plain, packed]) model.dispose();
  });

  it("plain loops of both mixers give the checkpoint's logits", async () => {
    const loaded = await fromPretrained(folder);
    const weights = await loaded.weights();
    loaded.dispose();
    await setBackend(float64Backend());
    const model = new Model(loaded.config);
    for (const parameter of model.parameters) parameter.assign(weights.get(parameter.name)!.values);
    // The fast path's table of positions is float32: 2^-24 of an angle's sine, which small heads' norms enlarge.
    await expectLogits(
      model,
      (named, resolved, tokens) =>
        minimalLanguageModel(named, resolved, tokens, (x, weight, config, layer) =>
          resolved.layers[layer]!.mixers[0]!.kind === "attention"
            ? attentionMixer(x, weight, config as AttentionMixerConfig)
            : gatedDeltaMixer(x, weight, config as GatedDeltaMixerConfig),
        ),
      1e-6,
    );
  });
});
