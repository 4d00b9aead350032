import { mkdtemp, readFile, rm } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, FormatError, memory, readFloats, setBackend, tensor, tidy } from "@statespace/core";
import {
  folderSource,
  GgufStrings,
  layoutGguf,
  memorySource,
  openGguf,
  type GgufFile,
  type GgufValue,
} from "@statespace/files";
import { ByteTokenizer, tokenizerFiles } from "@statespace/text";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  fromPretrained,
  ggufBlob,
  load,
  Model,
  parseModelConfig,
  publishedWeights,
  saveGguf,
} from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const names = [
  "mamba-tiny",
  "falcon-mamba-tiny",
  "mamba2-tiny",
  "falcon-h1-tiny",
  "falcon-h1-norm",
  "granite-h-tiny",
  "bamba-tiny",
  "nemotron-h-tiny",
  "lfm2-tiny",
  "qwen3.5-tiny",
  "qwen3.5-moe-tiny",
  "qwen3-next-tiny",
  "granite-h-moe-tiny",
  "lfm2-moe-tiny",
  "jamba-tiny",
];
/** What computes the same under another name. */
const SAME_AS: Readonly<Record<string, string>> = {
  "bamba-tiny": "granitemoehybrid",
  "qwen3-next-tiny": "qwen3_5_moe_text",
};
/** Of these llama.cpp has no architecture, or we have not what theirs is. */
const UNKNOWN = ["olmo-hybrid-tiny", "zamba2-tiny", "recurrent-gemma-tiny", "nemotron-h-moe-tiny"];

let folder: string;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = await mkdtemp(join(tmpdir(), "statespace-gguf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function logitsOf(model: Model): Promise<Float32Array> {
  const { encoder } = model.resolved;
  const vocab = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const ids = Int32Array.from({ length: 20 }, (_, i) => (i * 7 + 3) % vocab);
  const output = tidy(() => model.forward(tensor(ids, [1, 20])).output);
  const values = await readFloats(output);
  output.dispose();
  return values;
}

const furthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

const open = async (name: string): Promise<GgufFile> => (await openGguf(folderSource(folder), name))!;

describe.each(names)("%s", (name) => {
  // What is exact: names, shapes and orders. A = -exp(A_log), norms around 1 and factors that are multiplied in are rounded once more each
  // way. llama.cpp has no least step, which nemotron_h of transformers has, and one epsilon where FalconMamba has two.
  const lossy = name.startsWith("nemotron") || name.startsWith("falcon-mamba");

  it("goes into a GGUF file and comes back as the same model", async () => {
    const before = memory().tensors;
    const model = await fromPretrained(folderSource(new URL(`${name}/`, golden)));
    const file = join(folder, `${name}.gguf`);
    await saveGguf(model, file);
    const back = await fromPretrained(file);
    const [a, b] = [await logitsOf(model), await logitsOf(back)];
    const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(furthest(a, b)).toBeLessThan(scale * (lossy ? 2e-3 : 2e-6));
    expect(back.config.family).toBe(SAME_AS[name] ?? model.config.family);
    if (SAME_AS[name] === undefined && !name.startsWith("falcon-h1")) {
      const [own, theirs] = [await publishedWeights(back), await publishedWeights(model)];
      expect([...own.keys()]).toEqual([...theirs.keys()]);
      for (const [key, { shape, values }] of theirs) {
        expect(own.get(key)!.shape, key).toEqual(shape);
        expect(furthest(values, own.get(key)!.values), key).toBeLessThan(2e-6);
      }
    }
    model.dispose();
    back.dispose();
    expect(memory().tensors).toBe(before);
  });
});

it("Nemotron-H with experts alone goes into a GGUF file and comes back: groups, a scale, a latent width", async () => {
  const config = parseModelConfig({
    model_type: "nemotron_h",
    vocab_size: 96,
    hidden_size: 32,
    layers_block_type: ["linear_attention", "moe", "full_attention", "moe"],
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
    mamba_num_heads: 8,
    mamba_head_dim: 8,
    ssm_state_size: 16,
    n_groups: 2,
    n_routed_experts: 8,
    num_experts_per_tok: 3,
    moe_intermediate_size: 32,
    moe_shared_expert_intermediate_size: 40,
    moe_latent_size: 16,
    n_group: 4,
    topk_group: 2,
    routed_scaling_factor: 2.5,
    time_step_min: 1e-6,
  });
  const model = new Model(config, 3);
  const file = join(folder, "nemotron-moe.gguf");
  await saveGguf(model, file);
  const back = await fromPretrained(file);
  const [a, b] = [await logitsOf(model), await logitsOf(back)];
  expect(furthest(a, b)).toBeLessThan(2e-6 * a.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
  expect(back.resolved.layers[1]!.mixers[0]!.config).toEqual(model.resolved.layers[1]!.mixers[0]!.config);
  const { entries } = await open("nemotron-moe.gguf");
  expect(entries.get("blk.1.ffn_up_exps.weight")!.shape).toEqual([8, 32, 16]);
  expect(entries.get("blk.1.ffn_down_exps.weight")!.shape).toEqual([8, 16, 32]);
  expect(entries.get("blk.1.exp_probs_b.bias")!.shape).toEqual([8]);
  for (const one of [model, back]) one.dispose();
});

describe("names and shapes that llama.cpp asks for", () => {
  // From the loaders in llama.cpp's src/models; a shape here is that of the loader, turned round.
  const expected: Record<string, Record<string, readonly number[]>> = {
    "mamba-tiny": {
      "blk.0.ssm_conv1d.weight": [64, 4],
      "blk.0.ssm_a": [64, 16],
      "blk.0.ssm_d": [64],
      "blk.0.ssm_dt.bias": [64],
      "blk.1.ssm_x.weight": [34, 64],
    },
    "mamba2-tiny": { "blk.0.ssm_a": [4, 1], "blk.0.ssm_d": [4, 1], "blk.0.ssm_dt.bias": [4] },
    "falcon-h1-tiny": { "blk.0.ffn_norm": [32] },
    "lfm2-tiny": { "token_embd_norm.weight": [32], "blk.0.shortconv.conv.weight": [32, 3] },
    "qwen3.5-tiny": { "blk.0.ssm_a": [4], "blk.0.ssm_norm.weight": [8], "blk.3.post_attention_norm.weight": [32] },
  };
  it.each(Object.keys(expected))("%s", async (name) => {
    const { entries } = await open(`${name}.gguf`);
    for (const [key, shape] of Object.entries(expected[name]!)) expect(entries.get(key)?.shape, key).toEqual(shape);
  });

  it("decays are negative and norms stand around 1", async () => {
    const mamba = await (await open("mamba-tiny.gguf")).read("blk.0.ssm_a");
    expect(new Float32Array(mamba.bytes.buffer).every((x) => x < 0)).toBe(true);
    const qwen = await fromPretrained(join(folder, "qwen3.5-tiny.gguf"));
    const written = new Float32Array((await (await open("qwen3.5-tiny.gguf")).read("output_norm.weight")).bytes.buffer);
    const own = await qwen.parameter("norm_f.weight").read();
    expect(written).toEqual(own.map((x) => x + 1));
    qwen.dispose();
  });

  it.each(UNKNOWN)("%s is refused", async (name) => {
    const model = await fromPretrained(folderSource(new URL(`${name}/`, golden)));
    await expect(saveGguf(model, join(folder, "no.gguf"))).rejects.toThrow(
      "GGUF: llama.cpp has no architecture for this model",
    );
    model.dispose();
  });

  it("no architecture for a model: what each lacks is told", async () => {
    const olmo = await fromPretrained(folderSource(new URL("olmo-hybrid-tiny/", golden)));
    await expect(saveGguf(olmo, join(folder, "no.gguf"))).rejects.toThrow(
      /no architecture for this model \(layers of gated/,
    );
    olmo.dispose();
    const wide = { model_type: "mamba", vocab_size: 64, hidden_size: 32, num_hidden_layers: 1, intermediate_size: 96 };
    const model = new Model(parseModelConfig(wide), 1);
    await expect(saveGguf(model, join(folder, "no.gguf"))).rejects.toThrow("mamba: cannot express dInner = 96");
    model.dispose();
    expect(readdirSync(folder).some((name) => name.startsWith("no.gguf"))).toBe(false);
  });
});

describe("a model with its text, in one file", () => {
  const config = { model_type: "mamba2", vocab_size: 288, hidden_size: 64, num_hidden_layers: 2, num_heads: 4, head_dim: 32, n_groups: 1, state_size: 16 }; // prettier-ignore
  const files = {
    ...tokenizerFiles(new ByteTokenizer({ special: ["<end>"] })),
    "chat_template.jinja": "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}",
    "generation_config.json": JSON.stringify({ do_sample: true, temperature: 0.7, top_k: 20 }),
  };
  const path = (name: string): string => join(folder, name);
  let model: Model;
  beforeAll(() => (model = new Model(parseModelConfig({ ...config, eos_token_id: 256 }), 5)));
  afterAll(() => model.dispose());

  it("load, by path, by address of a file, of dropped files and of bytes: tokenizer, template, defaults, ends of text", async () => {
    await saveGguf(model, path("text.gguf"), { files });
    const bytes = await readFile(path("text.gguf"));
    const places = [
      path("text.gguf"),
      new URL(`file://${path("text.gguf")}`),
      [new File([bytes], "text.gguf")],
      { "text.gguf": bytes },
    ];
    for (const place of places) {
      const lm = await load(place);
      expect(lm.tokenizer!.encode("hi")).toEqual(Int32Array.of(104, 105));
      expect(lm.tokenizer!.eosId).toBe(256);
      expect(lm.template!.render([{ role: "user", content: "x" }])).toBe("<user>x\n");
      expect(lm.defaults).toEqual({ greedy: false, temperature: 0.7, topK: 20 });
      expect(lm.model.resolved.eosTokenIds).toEqual([256]);
      expect(await lm.complete("a", { maxNewTokens: 3, greedy: true })).toBeTypeOf("string");
      lm.dispose();
    }
  });

  it("what is loaded is saved again, as a GGUF file and as a folder", async () => {
    const lm = await load(path("text.gguf"));
    await lm.saveGguf(path("again.gguf"), { name: "x" });
    const [first, again] = [await open("text.gguf"), await open("again.gguf")];
    const plain = (file: GgufFile): unknown =>
      [...file.values].map(([key, { value }]: [string, GgufValue]) => [
        key,
        value instanceof GgufStrings ? value.toArray() : value,
      ]);
    expect(plain(again)).toEqual((plain(first) as [string, unknown][]).map(([key, value]) => [key, key === "general.name" ? "x" : value])); // prettier-ignore
    for (const key of first.entries.keys())
      // A goes there and back through its logarithm.
      if (!key.endsWith("ssm_a")) expect((await again.read(key)).bytes, key).toEqual((await first.read(key)).bytes);
    await lm.save(path("folder"));
    const there = await load(path("folder"));
    expect(there.model.config.family).toBe("mamba2");
    expect(there.tokenizer!.encode("hi")).toEqual(Int32Array.of(104, 105));
    expect(furthest(await logitsOf(there.model), await logitsOf(lm.model))).toBeLessThan(1e-5);
    there.dispose();
    lm.dispose();
  });

  it.each([
    ["f16", "F16", "f32"],
    ["bf16", "BF16", "f32"],
    ["q8", "Q8_0", "q8"],
    ["q4", "Q4_0", "q4"],
  ] as const)("weights as %s are stored as %s, and kept in memory as %s unless told", async (weights, dtype, kept) => {
    await saveGguf(model, path("w.gguf"), { weights, files });
    const { entries } = await open("w.gguf");
    expect(entries.get("blk.0.ssm_in.weight")!.dtype).toBe(dtype);
    for (const key of ["blk.0.ssm_conv1d.weight", "blk.0.ssm_a", "output_norm.weight"])
      expect(entries.get(key)!.dtype, key).toBe("F32");
    const back = await fromPretrained(path("w.gguf"));
    const inProj = back.parameter("layers.0.mixer.in_proj.weight");
    expect(back.formats.get(inProj) ?? "f32").toBe(kept);
    // The blocks of the file are those in memory: no value was rounded twice.
    if (kept !== "f32") {
      const packed = new Model(model.config, 5);
      await packed.quantize(kept);
      expect(await inProj.read()).toEqual(await packed.parameter("layers.0.mixer.in_proj.weight").read());
      packed.dispose();
    }
    const plain = await fromPretrained(path("w.gguf"), { weights: "f32" });
    expect(plain.formats.size).toBe(0);
    expect(await plain.parameter("layers.0.mixer.in_proj.weight").read()).toEqual(await inProj.read());
    plain.dispose();
    back.dispose();
  });

  it("the mix of Q4_K and Q6_K; rows that are no whole blocks have more bits", async () => {
    const wide = new Model(parseModelConfig({ ...config, hidden_size: 256, num_heads: 16 }), 5);
    await saveGguf(wide, path("k.gguf"), { weights: "q4_k_m" });
    const { entries } = await open("k.gguf");
    const dtypeOf = (key: string): string => entries.get(key)!.dtype;
    expect([dtypeOf("output.weight"), dtypeOf("token_embd.weight"), dtypeOf("blk.0.ssm_in.weight")]).toEqual([
      "Q6_K",
      "Q4_K",
      "Q4_K",
    ]);
    await saveGguf(model, path("narrow.gguf"), { weights: "q4_k_m" });
    expect((await open("narrow.gguf")).entries.get("blk.0.ssm_in.weight")!.dtype).toBe("Q8_0");
    const back = await fromPretrained(path("k.gguf"), { weights: "f32" });
    const [a, b] = [await logitsOf(wide), await logitsOf(back)];
    const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    // Four bits for each of 256 random weights: the error of a logit is about a tenth of it, whoever rounds.
    expect(furthest(a, b)).toBeLessThan(0.25 * scale);
    expect(furthest(a, b)).toBeGreaterThan(0);
    back.dispose();
    wide.dispose();
  }, 240_000);

  it("as a Blob, with progress up to all of it", async () => {
    const seen: number[] = [];
    let total = 0;
    const blob = await ggufBlob(model, { files, progress: (told) => (seen.push(told.loaded), (total = told.total)) });
    expect(Buffer.from(await blob.arrayBuffer()).equals(await readFile(path("text.gguf")))).toBe(true);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(total).toBe(blob.size);
  });

  it("options that are not known, formats that are none, and an abort", async () => {
    await expect(saveGguf(model, path("x.gguf"), { dtype: "f16" } as object)).rejects.toThrow(/dtype.*weights/);
    await expect(saveGguf(model, path("x.gguf"), { weights: "q8_0" } as object)).rejects.toThrow('did you mean "q8"?');
    await expect(saveGguf(model, path("x.gguf"), { weights: "int3" } as object)).rejects.toThrow(ArgumentError);
    await expect(saveGguf(model, path("x.gguf"), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(readdirSync(folder).filter((name) => name.startsWith("x.gguf"))).toEqual([]);
  });

  it("as tools of llama.cpp write it again: without axes of one element in front", async () => {
    const file = await open("text.gguf");
    expect(file.entries.get("blk.0.ssm_norm.weight")!.shape).toEqual([1, 128]);
    const tensors = new Map(
      [...file.entries].map(([key, { dtype, shape }]) => [
        key,
        {
          dtype,
          shape: shape.slice(shape.findIndex((size) => size > 1)),
          read: async () => (await file.read(key)).bytes,
        },
      ]),
    );
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const chunk of layoutGguf(file.values, tensors).chunks()) parts.push(await chunk);
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    const written = (await openGguf(memorySource({ "m.gguf": bytes }), "m.gguf"))!;
    expect(written.entries.get("blk.0.ssm_norm.weight")!.shape).toEqual([128]);
    const lm = await load({ "m.gguf": bytes });
    expect(furthest(await logitsOf(lm.model), await logitsOf(model))).toBe(0);
    lm.dispose();
  });

  it("what is wrong with a file is told by its name, the key or the tensor", async () => {
    await expect(load(path("none.gguf"))).rejects.toThrow("none.gguf is missing");
    const made = async (
      change: (values: Map<string, GgufValue>, tensors: Map<string, never>) => void,
    ): Promise<unknown> => {
      const file = await open("text.gguf");
      const values = new Map(file.values);
      const tensors = new Map(
        [...file.entries].map(([key, { dtype, shape }]) => [
          key,
          { dtype, shape, read: async () => (await file.read(key)).bytes },
        ]),
      );
      change(values, tensors as unknown as Map<string, never>);
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for (const chunk of layoutGguf(values, tensors).chunks()) parts.push(await chunk);
      const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
      return load({ "m.gguf": bytes }).catch((error: unknown) => error);
    };
    const fails = async (change: Parameters<typeof made>[0], message: RegExp): Promise<void> => {
      const error = await made(change);
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(message);
    };
    const set = (key: string, value: GgufValue) => (values: Map<string, GgufValue>) => void values.set(key, value);
    await fails(
      set("general.architecture", { type: "string", value: "llama" }),
      /"general.architecture" must be one of mamba, .*got "llama"/,
    );
    await fails((values) => void values.delete("mamba2.ssm.state_size"), /state_size/);
    await fails(
      set("mamba2.ssm.inner_size", { type: "uint32", value: 7 }),
      /^m.gguf: mamba2.ssm.time_step_rank must divide ssm.inner_size = 7/,
    );
    await fails((_, tensors) => void tensors.delete("blk.1.ssm_a"), /"blk.1.ssm_a" is missing/);
    await fails(
      set("tokenizer.ggml.model", { type: "string", value: "bert" }),
      /"tokenizer.ggml.model" must be "gpt2"/,
    );
    await fails(
      set("tokenizer.ggml.pre", { type: "string", value: "new" }),
      /"tokenizer.ggml.pre" must be one of gpt-2/,
    );
  });
});
