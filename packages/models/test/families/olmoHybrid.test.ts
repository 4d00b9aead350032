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
  parseModelConfig,
  savePretrained,
  type Model,
} from "../../src/index.ts";

const folder = new URL("../../../conformance/golden/hf/olmo-hybrid-tiny/", import.meta.url);

const config = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL("config.json", folder), "utf8")) as Record<string, unknown>;

function logits(model: Model): Float32Array {
  return tidy(
    () => model.forward(tensor(Int32Array.of(5, 71, 3, 40, 18, 92), [1, 6])).output.dataSync() as Float32Array,
  ).slice();
}

/** The golden checkpoint with the convolution cut where q, k and v end, and the norms' names of transformers' modules. */
async function cutWhereTheyEnd(): Promise<Map<string, FloatTensor>> {
  const { tensors } = parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder))));
  const out = new Map<string, FloatTensor>();
  for (const [key, raw] of tensors)
    out.set(
      key
        .replace(".attention_layer_norm.", ".input_layernorm.")
        .replace(".feedforward_layer_norm.", ".post_attention_layernorm."),
      { shape: raw.shape, values: toFloat32Array(raw) },
    );
  for (let i = 0; i < 3; i++) {
    const name = (part: string): string => `model.layers.${i}.linear_attn.${part}_conv1d.weight`;
    const whole = ["q", "k", "v"].flatMap((part) => [...out.get(name(part))!.values]);
    let from = 0;
    for (const [part, rows] of [
      ["q", 32],
      ["k", 32],
      ["v", 64],
    ] as const) {
      out.set(name(part), { shape: [rows, 1, 4], values: Float32Array.from(whole.slice(from, from + 4 * rows)) });
      from += 4 * rows;
    }
  }
  return out;
}

describe("olmo_hybrid", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("reads convolutions cut evenly or where q, k and v end, and both names of norms; saves them as they were", async () => {
    const published = await cutWhereTheyEnd();
    const files = new Map([
      ["config.json", new TextEncoder().encode(JSON.stringify(await config()))],
      ["model.safetensors", serializeSafetensors(published)],
    ]);
    const [even, own] = [await fromPretrained(folder), await fromPretrained(files)];
    expect(logits(own)).toEqual(logits(even));
    const out = await mkdtemp(join(tmpdir(), "olmo-"));
    try {
      await savePretrained(own, out);
      const { tensors } = parseSafetensors(new Uint8Array(await readFile(join(out, "model.safetensors"))));
      const saved = new Map([...tensors].map(([key, raw]) => [key, { shape: raw.shape, values: toFloat32Array(raw) }]));
      expect([...saved.keys()].sort()).toEqual([...published.keys()].sort());
      for (const [key, value] of published) expect(saved.get(key), key).toEqual(value);
      const again = await fromPretrained(out);
      expect(logits(again)).toEqual(logits(even));
      again.dispose();
    } finally {
      await rm(out, { recursive: true });
    }
    for (const model of [even, own]) model.dispose();
  });

  it("tokens have positions only where the base of their rotation is given", async () => {
    const { rope_parameters: rope, ...rest } = await config();
    const rotary = (change: object): unknown => parseModelConfig({ ...rest, ...change }).layers[3];
    expect(rotary({ rope_parameters: rope })).toMatchObject({
      rotaryDim: 8,
      rotaryBase: 10000,
      normPlacement: "after",
    });
    expect(rotary({ rope_theta: 5000 })).toMatchObject({ rotaryDim: 8, rotaryBase: 5000 });
    for (const none of [{}, { rope_parameters: null }, { rope_parameters: { rope_type: "default", rope_theta: null } }])
      expect(rotary(none)).toMatchObject({ rotaryDim: 0 });
    const written = familyConfig(parseModelConfig(rest), "olmo_hybrid");
    expect(written).toMatchObject({ rope_parameters: null, linear_allow_neg_eigval: true });
    expect(parseModelConfig(written as Record<string, unknown>)).toEqual(parseModelConfig(rest));
  });

  it("numbers that transformers declares as floats are written so", async () => {
    const own = parseModelConfig(await config());
    const text = familyNamed("olmo_hybrid").stringify!(familyConfig(own, "olmo_hybrid"));
    expect(text).toContain('"linear_a_log_min": 0.0,');
    expect(text).toContain('"linear_a_log_max": 16.0');
    expect(text).toContain('"rope_theta": 10000.0,');
    // The configuration class has none: it is hidden_size / num_attention_heads.
    expect(familyConfig(own, "olmo_hybrid")).not.toHaveProperty("head_dim");
  });

  it("defaults are those of the configuration class", () => {
    const { layers, padTokenId, eosTokenIds } = parseModelConfig({ model_type: "olmo_hybrid", num_hidden_layers: 3 });
    const delta = {
      kind: "gatedDelta",
      nHeads: 30,
      nHeadsKey: 30,
      dState: 96,
      headDim: 192,
      negativeEigenvalues: true,
    };
    expect(layers[0]).toMatchObject(delta);
    expect(layers[2]).toMatchObject({ kind: "attention", nHeads: 30, nHeadsKv: 30, headDim: 128, qkNorm: "all" });
    expect([padTokenId, ...eosTokenIds!]).toEqual([100277, 100257]);
  });

  it.each(["q8", "q4"] as const)("with weights of %s it runs", async (weights) => {
    const model = await fromPretrained(folder, { weights });
    expect(logits(model).every(Number.isFinite)).toBe(true);
    model.dispose();
  });
});
