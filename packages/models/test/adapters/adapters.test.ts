import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { memory, readFloats, Rng, setBackend, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import {
  activeAdapter,
  adapterFiles,
  addAdapter,
  Decoder,
  fromPretrained,
  loadAdapter,
  Model,
  nextTokenTargets,
  parseModelConfig,
  saveAdapter,
  type Adapter,
  type AdapterOptions,
} from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const golden = new URL("../../../conformance/golden/", import.meta.url);
const hybrid = new URL("hf/granite-h-tiny", golden);
const qwen = new URL("hf/qwen3.5-tiny", golden);
const experts = new URL("hf/qwen3-next-tiny", golden);
const mamba = new URL("hf/mamba-tiny", golden);
const IDS = Int32Array.from({ length: 20 }, (_, i) => (7 * i + 3) % 96);

async function logitsOf(model: Model): Promise<Float32Array> {
  const x = tensor(IDS, [2, 10]);
  const { output } = model.forward(x);
  const values = await readFloats(output);
  for (const t of [x, output]) t.dispose();
  return values;
}

/** Gives every B, magnitude and whole weight values that change something. */
function disturb(adapter: Adapter, seed = 1): Adapter {
  const rng = new Rng(seed);
  for (const { B } of adapter.lowRanks) B.assign(Float32Array.from({ length: B.size }, () => rng.normal(0, 0.1)));
  return adapter;
}

/** Two orders of the same sums: the layers of the delta rule alone account for 280 roundings (see the golden comparison). */
const ROUNDINGS = 512 * 2 ** -24;
const largest = (a: Float32Array): number => a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

describe("which layers an adapter changes", () => {
  const namesOf = async (from: URL, options: AdapterOptions): Promise<string[]> => {
    const model = await fromPretrained(from);
    const adapter = await addAdapter(model, { ...options, rank: 2 });
    const names = adapter.modules.map(({ name }) => name);
    model.dispose();
    return names;
  };

  it("all but the head, and less what PEFT refuses and what has no effect, unless told", async () => {
    expect(await namesOf(mamba, {})).toEqual([
      "backbone.layers.0.mixer.in_proj",
      "backbone.layers.0.mixer.x_proj",
      "backbone.layers.1.mixer.in_proj",
      "backbone.layers.1.mixer.x_proj",
    ]);
    const names = await namesOf(hybrid, { targetModules: "all-linear" });
    expect(names).toContain("model.layers.1.self_attn.k_proj");
    expect(names).toContain("model.layers.0.mamba.out_proj");
    expect(names).not.toContain("lm_head");
  });

  it.each<[string, AdapterOptions, string[]]>([
    ["ends of names", { targetModules: ["q_proj", "self_attn.v_proj"] }, ["1.self_attn.q_proj", "1.self_attn.v_proj"]],
    [
      "a regular expression",
      { targetModules: ".*\\.mamba\\.(?P<which>in|out)_proj" },
      ["0.mamba.in_proj", "0.mamba.out_proj", "2.mamba.in_proj", "2.mamba.out_proj"],
    ],
    ["layers", { targetModules: ["in_proj"], layersToTransform: [2] }, ["2.mamba.in_proj"]],
    [
      "layers by a pattern",
      { targetModules: ["in_proj"], layersToTransform: 0, layersPattern: "layers" },
      ["0.mamba.in_proj"],
    ],
    [
      "all but some",
      { targetModules: ["in_proj", "q_proj"], excludeModules: ["0.mamba.in_proj"] },
      ["1.self_attn.q_proj", "2.mamba.in_proj"],
    ],
    ["the head by its name", { targetModules: ["lm_head"] }, ["lm_head"]],
  ])("by %s", async (_, options, expected) => {
    const short = (await namesOf(hybrid, options)).map((name) => name.replace("model.layers.", ""));
    expect(short).toEqual(expected);
  });

  it.each<[string, AdapterOptions, RegExp]>([
    ["an unknown option", { r: 4 } as AdapterOptions, /has no option r; rank may be meant/],
    ["a rank that is none", { rank: 0 }, /rank must be a whole number >= 1, got 0/],
    ["a module that is not there", { targetModules: ["q_prj"] }, /no module q_prj; q_proj may be meant/],
    ["a convolution", { targetModules: ["conv1d"] }, /conv1d is no linear layer; modulesToSave trains it whole/],
    ["a broken expression", { targetModules: "(" }, /\( is no regular expression/],
    ["a module to save that is not there", { modulesToSave: ["score"] }, /has no module score/],
    [
      "a part of a joined weight",
      { targetModules: ["in_proj"], modulesToSave: ["q_proj"] },
      /q_proj.weight is kept in one with others/,
    ],
  ])("refuses %s", async (_, options, message) => {
    const model = await fromPretrained(hybrid);
    await expect(addAdapter(model, options)).rejects.toThrow(message);
    expect(activeAdapter(model)).toBeUndefined();
    model.dispose();
  });

  it("tells what PEFT refuses, and what has no effect", async () => {
    const model = await fromPretrained(mamba);
    const told: string[] = [];
    await addAdapter(model, { targetModules: ["out_proj", "dt_proj"], notice: (line) => void told.push(line) });
    expect(told).toEqual([
      "adapter: PEFT refuses out_proj of mamba models, and so a saved adapter that has it",
      "adapter: as in transformers, what is on dt_proj of mamba models has no effect before it is merged",
    ]);
    model.dispose();
  });
});

describe.each<[string, AdapterOptions]>([
  ["LoRA", { rank: 3, alpha: 6 }],
  [
    "rsLoRA with ranks and alphas of some",
    { rank: 4, useRslora: true, rankPattern: { "self_attn\\..*": 2 }, alphaPattern: { in_proj: 5 } },
  ],
  ["DoRA", { rank: 2, useDora: true, init: "gaussian" }],
  [
    "a part of a weight, and weights that are trained whole",
    { targetModules: ["v_proj", "k_proj"], modulesToSave: ["embed_tokens", "input_layernorm"] },
  ],
])("%s", (_, options) => {
  it.each([
    ["granite", hybrid],
    ["qwen", qwen],
  ])("on %s: changes nothing at first, and merged is the same as beside", async (_name, from) => {
    const model = await fromPretrained(from);
    const plain = await logitsOf(model);
    const adapter = await addAdapter(model, options);
    expect(largestDifference(await logitsOf(model), plain)).toBeLessThan(ROUNDINGS * largest(plain));
    disturb(adapter);
    const changed = await logitsOf(model);
    expect(largestDifference(changed, plain)).toBeGreaterThan(1e-4);
    await adapter.merge();
    expect(largestDifference(await logitsOf(model), changed)).toBeLessThan(ROUNDINGS * largest(changed));
    adapter.unmerge();
    expect(await logitsOf(model)).toEqual(changed);
    adapter.off();
    expect(await logitsOf(model)).toEqual(plain);
    model.dispose();
  });

  it("is saved as PEFT's files, and loads with the same answers, beside another one", async () => {
    const model = await fromPretrained(qwen);
    const plain = await logitsOf(model);
    const first = disturb(await addAdapter(model, { ...options, seed: 5 }));
    const answers = await logitsOf(model);
    const folder = mkdtempSync(join(tmpdir(), "adapter-"));
    await saveAdapter(first, folder, { baseModel: "owner/base" });
    const second = disturb(await addAdapter(model, { targetModules: ["down_proj"] }), 9);
    expect(await logitsOf(model)).not.toEqual(answers);
    const loaded = await loadAdapter(model, folder);
    expect(loaded.modules.map(({ name }) => name)).toEqual(first.modules.map(({ name }) => name));
    expect(await logitsOf(model)).toEqual(answers);
    second.on();
    expect(first.isOn || loaded.isOn).toBe(false);
    first.on();
    expect(await logitsOf(model)).toEqual(answers);
    for (const adapter of [first, second, loaded]) adapter.dispose();
    expect(await logitsOf(model)).toEqual(plain);
    model.dispose();
  });
});

describe("on packed weights", () => {
  it.each([
    ["q8", hybrid],
    ["q4", hybrid],
    ["q8", experts],
  ] as const)("of %s: gradients are those of the same numbers as float32", async (format, from) => {
    const packed = await fromPretrained(from, { weights: format });
    const plain = new Model(packed.config, "empty");
    for (const parameter of plain.parameters) parameter.assign(await packed.parameter(parameter.name).read());
    const [x, y] = [tensor(IDS, [2, 10]), tensor(nextTokenTargets(IDS, 10), [2, 10])];
    const gradients = async (model: Model): Promise<Float32Array[]> => {
      const adapter = disturb(await addAdapter(model, { rank: 2 }));
      const { value, grads } = valueAndGrads(
        () => model.loss(x, y),
        adapter.parameters.map((parameter) => parameter.value),
      );
      const read = await Promise.all([value, ...(grads as Tensor[])].map((t) => readFloats(t)));
      for (const t of [value, ...grads]) t?.dispose();
      return read;
    };
    const [a, b] = [await gradients(packed), await gradients(plain)];
    expect(a).toHaveLength(b.length);
    a.forEach((gradient, i) => {
      const scale = b[i]!.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
      expect(scale).toBeGreaterThan(0);
      expect(largestDifference(gradient, b[i]!)).toBeLessThan(2 ** -16 * scale);
    });
    for (const t of [x, y]) t.dispose();
    for (const model of [packed, plain]) model.dispose();
  });

  it("of q8: merging packs them anew, unmerging brings back the very bytes", async () => {
    const model = await fromPretrained(hybrid, { weights: "q8" });
    const plain = await logitsOf(model);
    const adapter = disturb(await addAdapter(model, {}));
    const beside = await logitsOf(model);
    await adapter.merge();
    expect(model.formats.get(model.parameter("layers.0.mlp.fc1.weight"))).toBe("q8");
    const merged = await logitsOf(model);
    expect(merged).not.toEqual(beside);
    expect(largestDifference(merged, beside)).toBeLessThan(0.1 * largestDifference(beside, plain));
    adapter.off();
    expect(await logitsOf(model)).toEqual(plain);
    model.dispose();
  });
});

describe("on a running model", () => {
  it("is switched between two tokens, though steps are captured", async () => {
    const model = await fromPretrained(mamba);
    const adapter = disturb(await addAdapter(model, {}));
    const steps = async (switched: readonly boolean[]): Promise<Float32Array> => {
      const decoder = new Decoder(model, model.initialState(1), 1);
      let logits: Float32Array = new Float32Array();
      for (const [i, on] of switched.entries()) {
        if (on) adapter.on();
        else adapter.off();
        logits = Float32Array.from(await decoder.next([IDS[i]!]));
      }
      decoder.dispose();
      return logits;
    };
    const stepped = await steps([true, true, false, false, true]);
    const layerwise = async (): Promise<Float32Array> => {
      const state = model.initialState(1);
      let logits: Float32Array = new Float32Array();
      for (const [i, on] of [true, true, false, false, true].entries()) {
        if (on) adapter.on();
        else adapter.off();
        const id = tensor(IDS.slice(i, i + 1), [1]);
        const output = model.step(id, state);
        logits = await readFloats(output);
        for (const t of [id, output]) t.dispose();
      }
      state.dispose();
      return logits;
    };
    expect(stepped).toEqual(await layerwise());
    expect(stepped).not.toEqual(await steps([true, true, true, true, true]));
    model.dispose();
  });

  it("leaves nothing behind when it is disposed, and what is merged when it was merged", async () => {
    const model = await fromPretrained(hybrid);
    await logitsOf(model);
    const before = memory().bytes;
    const adapter = disturb(await addAdapter(model, { useDora: true, modulesToSave: ["norm"] }));
    await logitsOf(model);
    await adapter.merge();
    const merged = await logitsOf(model);
    adapter.dispose();
    expect(await logitsOf(model)).toEqual(merged);
    expect(memory().bytes).toBe(before);
    expect(() => adapter.on()).toThrow(/was disposed/);
    model.dispose();
  });
});

describe("files", () => {
  it.each<[string, (files: Map<string, Uint8Array>) => void, RegExp]>([
    ["another kind of adapter", (files) => edit(files, { peft_type: "IA3" }), /peft_type must be "LORA", got "IA3"/],
    ["what is not computed", (files) => edit(files, { lora_bias: true }), /lora_bias = true is not supported/],
    [
      "a rank that is not the weights'",
      (files) => edit(files, { r: 3 }),
      /lora_A.weight": must be \[3, 32\] for rank 3, got \[8, 32\]/,
    ],
    ["a setting of another type", (files) => edit(files, { target_modules: 3 }), /target_modules cannot be 3/],
    [
      "a missing tensor",
      (files) => void rename(files, "q_proj.lora_B", "q_proj.lora_C"),
      /q_proj.lora_C.weight" is no part/,
    ],
    [
      "a module of another model",
      (files) => void rename(files, "q_proj.lora_A", "r_proj.lora_A"),
      /has no linear layer "model.layers.1.self_attn.r_proj"/,
    ],
    ["no configuration", (files) => void files.delete("adapter_config.json"), /has no adapter_config.json/],
    [
      "no weights",
      (files) => void files.delete("adapter_model.safetensors"),
      /has neither adapter_model.safetensors nor/,
    ],
  ])("refuses %s", async (_, change, message) => {
    const model = await fromPretrained(hybrid);
    const made = await addAdapter(model, { targetModules: ["q_proj"] });
    const files = new Map<string, Uint8Array>();
    for (const [name, chunks] of await adapterFiles(made))
      files.set(name, new Uint8Array(await new Blob([...chunks()] as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
    made.dispose();
    change(files);
    const before = memory().bytes;
    await expect(loadAdapter(model, Object.fromEntries(files))).rejects.toThrow(message);
    expect(memory().bytes).toBe(before);
    expect(activeAdapter(model)).toBeUndefined();
    model.dispose();
  });

  it("says of the configuration what was read, what changed, and where the base is", async () => {
    const model = new Model(
      parseModelConfig({ model_type: "mamba", hidden_size: 8, num_hidden_layers: 1, vocab_size: 7 }),
    );
    const adapter = await addAdapter(model, { rank: 2, targetModules: ["in_proj"], alphaPattern: { in_proj: 3 } });
    const files = await adapterFiles(adapter, { baseModel: "owner/base" });
    const text = new TextDecoder().decode([...files.get("adapter_config.json")!()][0]);
    expect(JSON.parse(text)).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      r: 2,
      lora_alpha: 8,
      target_modules: ["in_proj"],
      alpha_pattern: { in_proj: 3 },
      base_model_name_or_path: "owner/base",
      modules_to_save: null,
    });
    model.dispose();
  });
});

function edit(files: Map<string, Uint8Array>, change: object): void {
  const config = JSON.parse(new TextDecoder().decode(files.get("adapter_config.json"))) as object;
  files.set("adapter_config.json", new TextEncoder().encode(JSON.stringify({ ...config, ...change })));
}

/** Renames a tensor to a name of the same length. */
function rename(files: Map<string, Uint8Array>, from: string, to: string): void {
  const bytes = files.get("adapter_model.safetensors")!;
  const text = new TextDecoder("latin1").decode(bytes);
  const at = text.indexOf(from);
  bytes.set(new TextEncoder().encode(to), at);
}
