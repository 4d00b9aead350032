import { readFile } from "node:fs/promises";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend, tensor, tidy } from "@statespace/core";
import { parseSafetensors, serializeSafetensors, toFloat32Array, type FloatTensor } from "@statespace/files";
import { beforeAll, describe, expect, it } from "vitest";
import { familyConfig, fromPretrained, parseModelConfig, publishedWeights, type Model } from "../../src/index.ts";

const folder = new URL("../../../conformance/golden/hf/qwen3.5-tiny/", import.meta.url);
/** 2 heads of keys, each shared by 2 heads of values; all of 8 channels; dModel 32. */
const [HK, ROW] = [2, 32];

function logits(model: Model): Float32Array {
  return tidy(
    () => model.forward(tensor(Int32Array.of(5, 71, 3, 40, 18, 92), [1, 6])).output.dataSync() as Float32Array,
  ).slice();
}

/** The weights of Qwen3.5 as Qwen3-Next fuses them: for each head of keys in turn, its rows of each part. */
function fused(weights: Map<string, FloatTensor>): Map<string, FloatTensor> {
  const out = new Map([...weights].filter(([key]) => !key.includes("in_proj")));
  for (let i = 0; i < 3; i++) {
    const rows = (name: string, from: number, count: number): readonly number[] =>
      Array.from(
        weights
          .get(`model.layers.${i}.linear_attn.in_proj_${name}.weight`)!
          .values.subarray(ROW * from, ROW * (from + count)),
      );
    const heads = Array.from({ length: HK }, (_, head) => head);
    const qkvz = heads.flatMap((head) => [
      ...rows("qkv", 8 * head, 8),
      ...rows("qkv", 16 + 8 * head, 8),
      ...rows("qkv", 32 + 16 * head, 16),
      ...rows("z", 16 * head, 16),
    ]);
    const ba = heads.flatMap((head) => [...rows("b", 2 * head, 2), ...rows("a", 2 * head, 2)]);
    const put = (name: string, values: number[]): void =>
      void out.set(`model.layers.${i}.linear_attn.in_proj_${name}.weight`, {
        shape: [values.length / ROW, ROW],
        values: Float32Array.from(values),
      });
    put("qkvz", qkvz);
    put("ba", ba);
  }
  return out;
}

describe("qwen3_next", () => {
  beforeAll(() => setBackend(cpuBackend()));

  it("with dense MLPs is Qwen3.5 with its projections fused by head of keys", async () => {
    const { tensors } = parseSafetensors(new Uint8Array(await readFile(new URL("model.safetensors", folder))));
    const weights = fused(
      new Map([...tensors].map(([key, raw]) => [key, { shape: raw.shape, values: toFloat32Array(raw) }])),
    );
    const text = JSON.parse(await readFile(new URL("config.json", folder), "utf8")) as Record<string, unknown>;
    const config = { ...text, model_type: "qwen3_next", num_experts: 4, mlp_only_layers: [0, 1, 2, 3] };
    const files = new Map([
      ["config.json", new TextEncoder().encode(JSON.stringify(config))],
      ["model.safetensors", serializeSafetensors(weights)],
    ]);
    const [next, plain] = [await fromPretrained(files), await fromPretrained(folder)];
    expect(logits(next)).toEqual(logits(plain));
    expect(await publishedWeights(next)).toEqual(weights);
    const written = familyConfig(next.config, "qwen3_next");
    expect(parseModelConfig(written as Record<string, unknown>)).toEqual(next.config);
    for (const model of [next, plain]) model.dispose();
  });

  it("has experts in the layers that its config says", () => {
    const mixed = (config: object): boolean[] =>
      parseModelConfig({
        model_type: "qwen3_next",
        num_hidden_layers: 4,
        num_experts: 4,
        num_experts_per_tok: 2,
        ...config,
      }).layers.map((layer) => typeof layer === "object" && typeof layer.mlp === "object" && layer.mlp.experts === 4);
    expect(mixed({})).toEqual([true, true, true, true]);
    expect(mixed({ mlp_only_layers: [0, 2] })).toEqual([false, true, false, true]);
    expect(mixed({ decoder_sparse_step: 2 })).toEqual([false, true, false, true]);
    expect(mixed({ num_experts: 0 })).toEqual([false, false, false, false]);
  });
});
