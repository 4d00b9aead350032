import type { JsonValue } from "@statespace/files";
import { ArgumentError, FormatError, memory, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  Decoder,
  fromPretrained,
  generate,
  hybridConfig,
  hybridFromJson,
  hybridToJson,
  LanguageModel,
  ModelState,
  parseModelConfig,
  prefill,
  savePretrained,
  tensorShapes,
  type HybridConfig,
  type LanguageConfig,
  type LayerKind,
} from "../../src/index.ts";
import { attentionMixer } from "../../src/mixers/attention/minimal.ts";
import {
  gatedMlp,
  mambaMixer,
  minimalLanguageModel,
  type Lookup,
  type Sequence,
} from "../../src/mixers/mamba/minimal.ts";
import { mamba2Mixer } from "../../src/mixers/mamba2/minimal.ts";
import { mamba3Mixer } from "../../src/mixers/mamba3/minimal.ts";
import { expectMinimalEqualsFast } from "../minimalEqualsFast.ts";

const small = {
  mamba: { dState: 3, dtRank: 2 },
  mamba2: { dState: 4, nHeads: 4, headDim: 4, chunkSize: 4 },
  mamba3: { dState: 6, nHeads: 4, headDim: 4, nRopeAngles: 2, chunkSize: 4 },
  attention: { nHeads: 2, nHeadsKv: 1, headDim: 4, softmaxScale: 0.5, rotaryDim: 4 },
  mlp: { hidden: 6 },
};
const everything: readonly LayerKind[] = ["mamba", "attention", "mlp", "mamba2", "mamba3", "attention"];
const configs: Readonly<Record<string, LanguageConfig>> = {
  "every kind in one stack": hybridConfig({
    vocabSize: 17,
    dModel: 8,
    layers: everything,
    settings: small,
    initializerRange: 0.5,
  }),
  "states of constant size, so that steps are captured": hybridConfig({
    vocabSize: 17,
    dModel: 8,
    layers: ["mamba2", "mlp", "mamba3", "mamba"],
    settings: small,
    initializerRange: 0.5,
  }),
  "several inputs a head": hybridConfig({
    vocabSize: 17,
    dModel: 8,
    layers: ["mamba3", "mamba3"],
    settings: { mamba3: { ...small.mamba3, mimo: true, mimoRank: 2, outProjNorm: true } },
    initializerRange: 0.5,
  }),
  "an MLP after each mixer": hybridConfig({
    vocabSize: 17,
    dModel: 8,
    layers: ["attention", "mamba2"],
    settings: small,
    dIntermediate: 12,
    initializerRange: 0.5,
    tieEmbeddings: false,
  }),
  "attention layers of mamba_ssm": parseModelConfig({
    d_model: 8,
    n_layer: 3,
    vocab_size: 16,
    d_intermediate: 16,
    ssm_cfg: { layer: "Mamba2", d_state: 4, headdim: 4, chunk_size: 4 },
    attn_layer_idx: [1],
    attn_cfg: {
      causal: true,
      d_conv: 4,
      head_dim: 4,
      num_heads: 2,
      out_proj_bias: false,
      qkv_proj_bias: false,
      rotary_emb_dim: 2,
    },
  }),
};
const IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5];

/** Some roundings a layer, relative to the largest logit; a wrong token differs by all of it. */
const BOUND = 1e-5;

function logitsOf(model: LanguageModel, ids: readonly number[]): number[][] {
  return tidy(() => rows(model.forward(tensor(Int32Array.from(ids), [1, ids.length])).logits, model.config.vocabSize));
}

function rows(logits: Tensor, width: number): number[][] {
  const values = Array.from(logits.dataSync() as ArrayLike<number>);
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
}

function expectRow(got: ArrayLike<number>, want: readonly number[], what: string): void {
  const peak = Math.max(...want.map(Math.abs));
  expect(peak).toBeGreaterThan(0);
  expect(Math.max(...want.map((x, i) => Math.abs(x - got[i]!))) / peak, what).toBeLessThan(BOUND);
}

const argMax = (row: ArrayLike<number>): number =>
  Array.from(row).reduce((best, x, i, all) => (x > all[best]! ? i : best), 0);

describe.each(Object.entries(configs))("a hybrid: %s", (_, config) => {
  beforeAll(() => setBackend(cpuBackend()));
  const make = (): LanguageModel => new LanguageModel(config, 7);

  it("token by token = whole, and a state forked, saved and rolled back goes on as it would have; nothing leaks", async () => {
    const before = memory().tensors;
    const model = make();
    const whole = logitsOf(model, IDS);
    const half = await prefill(model, [IDS.slice(0, 4)]);
    expectRow(half.logits, whole[3]!, "after the prompt");
    const fork = half.state.clone();
    const decoder = new Decoder(model, half.state, 1);
    for (let t = 4; t < IDS.length; t++) expectRow(await decoder.next([IDS[t]!]), whole[t]!, `token ${t}`);
    expect(decoder.state.position).toBe(IDS.length);
    expect(decoder.launches).toBeGreaterThan(0);
    const restored = ModelState.fromBytes(await fork.toBytes());
    decoder.state.copyFrom(restored);
    expect(decoder.state.position).toBe(4);
    for (let t = 4; t < IDS.length; t++) expectRow(await decoder.next([IDS[t]!]), whole[t]!, `token ${t} again`);
    const empty = model.initialState();
    decoder.state.copyFrom(empty);
    for (let t = 0; t < 3; t++) expectRow(await decoder.next([IDS[t]!]), whole[t]!, `token ${t} from the start`);
    for (const thing of [fork, restored, empty, decoder, model]) thing.dispose();
    expect(memory().tensors - before).toBe(0);
  });

  it("prompts of unequal length run as one batch, each as if alone", async () => {
    const model = make();
    const prompts = [IDS.slice(0, 3), IDS, IDS.slice(2, 8)];
    const made = prompts.map((prompt) => [...prompt]);
    for await (const { sequence, id } of generate(model, prompts, { greedy: true, maxNewTokens: 5, eosTokenIds: [] }))
      made[sequence]!.push(id);
    made.forEach((ids, i) => {
      const from = prompts[i]!.length;
      const whole = logitsOf(model, ids);
      expect(ids.slice(from)).toEqual(whole.slice(from - 1, -1).map(argMax));
    });
    model.dispose();
  });
});

describe("a hybrid is what its layers are, one after the other", () => {
  it("equals the plain loops of every minimal.ts", () => {
    const config = configs["every kind in one stack"] as HybridConfig;
    const { settings, layers } = config;
    const mixers: Readonly<Record<LayerKind, (x: Sequence, weight: Lookup) => Sequence>> = {
      mamba: (x, weight) => mambaMixer(x, weight, settings.mamba),
      mamba2: (x, weight) => mamba2Mixer(x, weight, settings.mamba2),
      mamba3: (x, weight) => mamba3Mixer(x, weight, settings.mamba3),
      attention: (x, weight) => attentionMixer(x, weight, settings.attention),
      mlp: gatedMlp,
    };
    // Attention's table of positions is float32 on the fast path.
    return expectMinimalEqualsFast(
      config,
      (weights, same, ids) =>
        minimalLanguageModel(weights, same, ids, (x, weight, layer) => mixers[layers[layer]!](x, weight)),
      1e-6,
    );
  });
});

describe("hybrid configs", () => {
  beforeAll(() => setBackend(cpuBackend()));
  it("a model has the tensors that its published config names", () => {
    const base = { d_model: 16, n_layer: 2, vocab_size: 32 };
    const published = [
      {
        ...base,
        ssm_cfg: { layer: "Mamba2", d_state: 8, headdim: 8, ngroups: 2, rmsnorm: false, D_has_hdim: true, bias: true },
        d_intermediate: 128,
        rms_norm: false,
      },
      { ...base, ssm_cfg: { layer: "Mamba3", d_state: 8, headdim: 8 } },
      {
        ...base,
        ssm_cfg: {
          layer: "Mamba3",
          d_state: 8,
          headdim: 8,
          is_mimo: true,
          mimo_rank: 2,
          is_outproj_norm: true,
          rope_fraction: 1,
        },
        attn_layer_idx: [0],
        attn_cfg: { causal: true, num_heads: 2, mlp_dim: 256, d_conv: 3 },
      },
    ];
    for (const config of published.map((fields) => parseModelConfig(fields))) {
      const model = new LanguageModel(config, "empty");
      const made = new Map(model.parameters.map(({ name, shape }) => [name, [...shape]]));
      expect(Object.fromEntries(made)).toEqual(
        Object.fromEntries([...tensorShapes(config)].map(([name, shape]) => [name, [...shape]])),
      );
      model.dispose();
    }
  });
  it("a hybrid is saved, and loaded as it was", async () => {
    const config = configs["every kind in one stack"] as HybridConfig;
    const model = new LanguageModel(config, 11);
    const folder = await mkdtemp(join(tmpdir(), "hybrid-"));
    try {
      await savePretrained(model, folder);
      const loaded = await fromPretrained(folder);
      expect(loaded.config).toEqual(config);
      expect(logitsOf(loaded, IDS)).toEqual(logitsOf(model, IDS));
      loaded.dispose();
    } finally {
      model.dispose();
      await rm(folder, { recursive: true });
    }
  });
  it("a hybrid's file with a wrong setting is refused by its name", () => {
    const good = JSON.parse(JSON.stringify(hybridToJson(configs["every kind in one stack"] as HybridConfig))) as Record<
      string,
      JsonValue
    >;
    expect(hybridFromJson(good)).toEqual(configs["every kind in one stack"]);
    const settings = good["settings"] as Record<string, Record<string, JsonValue>>;
    const wrong: readonly [RegExp, Record<string, JsonValue>][] = [
      [/vocabSize/, { ...good, vocabSize: -1 }],
      [/layers/, { ...good, layers: "mamba" }],
      [/mamba7/, { ...good, layers: ["mamba7"] }],
      [/nLayer/, { ...good, nLayer: 1e6 }],
      [/norm/, { ...good, norm: "batch" }],
      [/unheard/, { ...good, unheard: 1 }],
      [/eosTokenIds/, { ...good, eosTokenIds: [0.5] }],
      [/settings must/, { ...good, settings: 3 }],
      [/settings.mamba.dState/, { ...good, settings: { ...settings, mamba: { ...settings["mamba"], dState: 1.5 } } }],
      [
        /settings.mamba2.timeStepLimit/,
        { ...good, settings: { ...settings, mamba2: { ...settings["mamba2"], timeStepLimit: [0] } } },
      ],
      [
        /settings.mamba3.aActivation/,
        { ...good, settings: { ...settings, mamba3: { ...settings["mamba3"], aActivation: "relu" } } },
      ],
      [/settings.__proto__/, { ...good, settings: JSON.parse('{"__proto__": {}}') as JsonValue }],
      [/nHeads/, { ...good, settings: { ...settings, mamba2: { ...settings["mamba2"], nHeads: 5 } } }],
    ];
    for (const [message, file] of wrong) {
      expect(() => hybridFromJson(file), String(message)).toThrow(FormatError);
      expect(() => hybridFromJson(file), String(message)).toThrow(message);
    }
  });
  it("says what is wrong", () => {
    expect(() => hybridConfig({ vocabSize: 4, dModel: 8, layers: [] })).toThrow(ArgumentError);
    expect(() => hybridConfig({ vocabSize: 4, dModel: 8, layers: ["mamba4" as LayerKind] })).toThrow(
      /mamba4.*mamba, mamba2/,
    );
    expect(() =>
      hybridConfig({ vocabSize: 4, dModel: 8, layers: ["mamba2"], settings: { mamba2: { nHeads: 3 } } }),
    ).toThrow(/nHeads/);
    const ahead = parseModelConfig({
      d_model: 8,
      n_layer: 1,
      vocab_size: 8,
      attn_layer_idx: [0],
      attn_cfg: { num_heads: 2 },
    });
    expect(() => new LanguageModel(ahead)).toThrow(FormatError);
  });
});

describe("what a hybrid starts from", () => {
  it("Mamba-3 turns half of whatever state it is given", () => {
    const config = hybridConfig({ vocabSize: 17, dModel: 8, layers: ["mamba3"], settings: { mamba3: { dState: 8 } } });
    expect(config.settings.mamba3.nRopeAngles).toBe(2);
    const model = new LanguageModel(config, 1);
    expect(logitsOf(model, IDS)).toHaveLength(IDS.length);
    model.dispose();
  });

  it("every projection onto the residual stream is divided by the root of how often that is added to, an MLP's too", () => {
    const largest = (config: HybridConfig, name: string): number => {
      const model = new LanguageModel(config, 1);
      const peak = (model.parameters.find((p) => p.name.endsWith(name))!.value.dataSync() as Float32Array).reduce(
        (max, x) => Math.max(max, Math.abs(x)),
        0,
      );
      model.dispose();
      return peak;
    };
    const base = { vocabSize: 17, dModel: 8, settings: small } as const;
    for (const [options, name] of [
      [{ ...base, layers: ["attention", "mlp", "attention", "mlp"] }, "fc2.weight"],
      [{ ...base, layers: ["mamba2", "attention"], dIntermediate: 12 }, "fc2.weight"],
      [{ ...base, layers: ["mamba2", "attention"], dIntermediate: 12 }, "out_proj.weight"],
    ] as const) {
      const ratio =
        largest(hybridConfig(options), name) /
        largest(hybridConfig({ ...options, rescalePrenormResidual: false }), name);
      expect(ratio).toBeCloseTo(1 / 2, 6); // four additions in each
    }
  });
});
