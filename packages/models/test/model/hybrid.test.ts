import { ArgumentError, FormatError, memory, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import type { JsonValue } from "@statespace/files";
import { cpuBackend } from "@statespace/backend-cpu";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  Decoder,
  familyConfig,
  familyNamed,
  fromPretrained,
  generate,
  Model,
  ModelState,
  parseModelConfig,
  prefill,
  publishedTensors,
  savePretrained,
  type LayerSettings,
  type MixerKind,
  type ModelConfig,
  type SharedSettings,
} from "../../src/index.ts";
import type { AttentionMixerConfig } from "../../src/mixers/attention/config.ts";
import { attentionMixer } from "../../src/mixers/attention/minimal.ts";
import type { MambaMixerConfig } from "../../src/mixers/mamba/config.ts";
import {
  gatedMlp,
  mambaMixer,
  minimalLanguageModel,
  type Lookup,
  type Sequence,
} from "../../src/mixers/mamba/minimal.ts";
import type { Mamba2MixerConfig } from "../../src/mixers/mamba2/config.ts";
import { mamba2Mixer } from "../../src/mixers/mamba2/minimal.ts";
import type { Mamba3MixerConfig } from "../../src/mixers/mamba3/config.ts";
import { mamba3Mixer } from "../../src/mixers/mamba3/minimal.ts";
import { expectMinimalEqualsFast } from "../minimalEqualsFast.ts";

type Kind = Extract<MixerKind, "mamba" | "mamba2" | "mamba3" | "attention" | "mlp">;

const small = {
  mamba: { dState: 3, dtRank: 2 },
  mamba2: { dState: 4, nHeads: 4, headDim: 4, chunkSize: 4 },
  mamba3: { dState: 6, nHeads: 4, headDim: 4, nRopeAngles: 2, chunkSize: 4 },
  attention: { nHeads: 2, nHeadsKv: 1, headDim: 4, softmaxScale: 0.5, rotaryDim: 4 },
  mlp: { hidden: 6 },
};
const everything: readonly Kind[] = ["mamba", "attention", "mlp", "mamba2", "mamba3", "attention"];
const hybrid = (layers: readonly LayerSettings[], more: Partial<ModelConfig> = {}): ModelConfig => ({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 17 },
  layers,
  head: { kind: "language", tie: true },
  norm: "rms",
  ...more,
});
const stack = (kinds: readonly Kind[], more: Partial<ModelConfig> = {}): ModelConfig =>
  hybrid(
    kinds.map((kind) => ({ kind, ...small[kind] })),
    { initializerRange: 0.5, ...more },
  );
const mimo = { kind: "mamba3", ...small.mamba3, mimo: true, mimoRank: 2, outProjNorm: true } as const;
const configs: Readonly<Record<string, ModelConfig>> = {
  "every kind in one stack": stack(everything),
  "states of constant size, so that steps are captured": stack(["mamba2", "mlp", "mamba3", "mamba"]),
  "several inputs a head": hybrid([mimo, mimo], { initializerRange: 0.5 }),
  "an MLP after each mixer": stack(["attention", "mamba2"], { mlp: 12, head: { kind: "language", tie: false } }),
  "mixers side by side, with factors, and an MLP of another kind": hybrid(
    [
      {
        mixers: [
          { kind: "mamba2", ...small.mamba2, inputMultiplier: 0.5, outputMultiplier: 2 },
          { kind: "attention", ...small.attention, inputMultiplier: 1.5 },
          { kind: "mamba", ...small.mamba, outputMultiplier: 0.25 },
        ],
        mlp: { hidden: 6, activation: "gelu", useBias: true, gateMultiplier: 0.7, outputMultiplier: 1.3 },
      },
      { kind: "mamba3", ...small.mamba3, mlp: { hidden: 5, gated: false, activation: "relu2" } },
    ],
    {
      initializerRange: 0.5,
      encoder: { kind: "embedding", vocabSize: 17, multiplier: 3 },
      head: { kind: "language", multiplier: 0.5, logitCap: 4 },
      residualMultiplier: 0.8,
      normOffset: 1,
    },
  ),
  "norms behind the mixers": stack(["mamba2", "attention"], { mlp: 12, normPlacement: "after" }),
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
const sharedBlock = (block: number): SharedSettings => ({
  block,
  attention: { nHeads: 4, rotaryDim: 4 },
  mlp: { hidden: 6, activation: "gelu" },
  mlpRank: 2,
  attentionRank: 1,
});
const moreConfigs: Readonly<Record<string, ModelConfig>> = {
  "two blocks that layers share": hybrid(
    [
      { kind: "mamba2", ...small.mamba2, shared: sharedBlock(0) },
      { kind: "mamba2", ...small.mamba2, shared: sharedBlock(1) },
      { kind: "mamba", ...small.mamba },
      { kind: "mamba2", ...small.mamba2, shared: sharedBlock(0), mlp: 6 },
    ],
    { initializerRange: 0.5 },
  ),
  "gated linear recurrences, attention over a window": hybrid(
    [
      { kind: "rgLru", nHeads: 2 },
      { kind: "attention", ...small.attention, window: 3 },
      { kind: "attention", ...small.attention, window: 20 },
    ],
    { initializerRange: 0.5, mlp: { hidden: 6, activation: "geluTanh" } },
  ),
};
const IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5];

/** Some roundings a layer, relative to the largest logit; a wrong token differs by all of it. */
const BOUND = 1e-5;

function logitsOf(model: Model, ids: readonly number[]): number[][] {
  return tidy(() => rows(model.forward(tensor(Int32Array.from(ids), [1, ids.length])).output, model.vocabSize));
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

describe.each(Object.entries({ ...configs, ...moreConfigs }))("a hybrid: %s", (_, config) => {
  beforeAll(() => setBackend(cpuBackend()));
  const make = (): Model => new Model(config, 7);

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
  const mixers: Readonly<Record<Kind, (x: Sequence, weight: Lookup, config: object) => Sequence>> = {
    mamba: (x, weight, config) => mambaMixer(x, weight, config as MambaMixerConfig),
    mamba2: (x, weight, config) => mamba2Mixer(x, weight, config as Mamba2MixerConfig),
    mamba3: (x, weight, config) => mamba3Mixer(x, weight, config as Mamba3MixerConfig),
    attention: (x, weight, config) => attentionMixer(x, weight, config as AttentionMixerConfig),
    mlp: gatedMlp,
  };
  it("equals the plain loops of every minimal.ts", () =>
    // Attention's table of positions is float32 on the fast path.
    expectMinimalEqualsFast(
      configs["every kind in one stack"]!,
      (weights, model, ids) =>
        minimalLanguageModel(weights, model, ids, (x, weight, config, layer) =>
          mixers[everything[layer]!](x, weight, config),
        ),
      1e-6,
    ));
  it("mixers side by side add up, each with its factors", () => {
    const parts = [
      { kind: "mamba2", ...small.mamba2, inputMultiplier: 0.5, outputMultiplier: 2 },
      { kind: "mamba", ...small.mamba, outputMultiplier: 0.25 },
    ] as const;
    const config = hybrid([{ mixers: parts }], { initializerRange: 0.5 });
    return expectMinimalEqualsFast(config, (weights, model, ids) =>
      minimalLanguageModel(weights, model, ids, (x, weight) => {
        const outputs = parts.map(({ kind, outputMultiplier }, k) => {
          const input = x.map((token) => token.map((value) => value * (k === 0 ? 0.5 : 1)));
          const { config: own } = model.layers[0]!.mixers[k]!;
          const y = mixers[kind](input, (name) => weight(`${k}.${name}`), own);
          return y.map((token) => token.map((value) => value * outputMultiplier));
        });
        return outputs[0]!.map((token, t) => token.map((value, i) => value + outputs[1]![t]![i]!));
      }),
    );
  });
});

describe("hybrid configs", () => {
  beforeAll(() => setBackend(cpuBackend()));
  it("a model of a published config is saved in the same form, and loaded as it was", async () => {
    const base = { d_model: 16, n_layer: 2, vocab_size: 32 };
    const published = [
      {
        ...base,
        ssm_cfg: { layer: "Mamba2", d_state: 8, headdim: 8, ngroups: 2, rmsnorm: false, D_has_hdim: true, bias: true },
        d_intermediate: 128,
        rms_norm: false,
      },
      { ...base, ssm_cfg: { layer: "Mamba1", d_conv: 3, dt_rank: 5 }, tie_embeddings: false },
      { ...base, ssm_cfg: { layer: "Mamba2", d_state: 8, headdim: 8, dt_limit: [0.01, 0.5] } },
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
      expect(parseModelConfig(JSON.stringify(familyConfig(config, "mamba_ssm")))).toEqual(config);
      await expectSaved(config);
    }
  });
  it.each(Object.entries({ ...configs, ...moreConfigs }))("%s: saved, and loaded as it was", (_, config) =>
    expectSaved(config),
  );
  it("an older hybrid's file is read: layers by name, settings by kind", () => {
    const { layers: _, encoder: __, head: ___, ...model } = stack(everything);
    const old = {
      model_type: "statespace_hybrid",
      ...model,
      vocabSize: 17,
      tieEmbeddings: true,
      dIntermediate: 0,
      nLayer: 6,
      dialect: "mamba_ssm",
      attnLayers: [],
      layers: everything,
      settings: { ...small, mamba2: { ...small.mamba2, timeStepLimit: [0, { __float__: "Infinity" }] } },
    };
    const read = new Model(parseModelConfig(old), 11);
    const made = new Model(stack(everything), 11);
    expect(logitsOf(read, IDS)).toEqual(logitsOf(made, IDS));
    const names = publishedTensors(read, familyNamed("statespace_hybrid").weights).map(({ key }) => key);
    expect(names).toContain("backbone.layers.0.mixer.in_proj.weight");
    for (const model of [read, made]) model.dispose();
    for (const [message, change] of [
      [/vocabSize/, { vocabSize: -1 }],
      [/layers/, { layers: "mamba" }],
      [/nLayer/, { nLayer: 7 }],
      [/unheard/, { unheard: 1 }],
      [/settings must/, { settings: 3 }],
    ] as const)
      expect(() => parseModelConfig({ ...old, ...change }), String(message)).toThrow(message);
  });
  it("a file with a wrong setting is refused by its name", () => {
    const good = JSON.parse(JSON.stringify(familyConfig(configs["every kind in one stack"]!, "statespace"))) as Record<
      string,
      JsonValue
    >;
    const layers = good["layers"] as Record<string, JsonValue>[];
    const at = (layer: number, change: Record<string, JsonValue>): JsonValue[] =>
      layers.map((own, i) => (i === layer ? { ...own, ...change } : own));
    const wrong: readonly [RegExp, Record<string, JsonValue>][] = [
      [/encoder.vocabSize/, { encoder: { kind: "embedding", vocabSize: -1 } }],
      [/layers/, { layers: "mamba" }],
      [/mamba7/, { layers: ["mamba7"] }],
      [/norm/, { norm: "batch" }],
      [/unheard/, { unheard: 1 }],
      [/eosTokenIds/, { eosTokenIds: [0.5] }],
      [/layers.3 must/, { layers: [...layers.slice(0, 3), 3] }],
      [/layers.0.dState/, { layers: at(0, { dState: 1.5 }) }],
      [/layers.3.timeStepLimit/, { layers: at(3, { timeStepLimit: [0] }) }],
      [/layers.4.aActivation/, { layers: at(4, { aActivation: "relu" }) }],
      [/layers.1.__proto__/, { layers: [layers[0]!, JSON.parse('{"kind": "mlp", "__proto__": {}}') as JsonValue] }],
      [/layers.3.nHeads/, { layers: at(3, { nHeads: 5 }) }],
      [/layers.0.mlp/, { layers: at(0, { mlp: -1 }) }],
      [/layers.0.mlp.wide/, { layers: at(0, { mlp: { wide: 1 } }) }],
      [/layers.0.mixers.1.dState/, { layers: [{ mixers: [{ kind: "mlp" }, { kind: "mamba", dState: 0 }] }] }],
      [/layers.0.mixers must be a list/, { layers: [{ mixers: [] }] }],
      [/layers.0.dState is not a known setting/, { layers: [{ mixers: [{ kind: "mlp" }], dState: 3 }] }],
    ];
    for (const [message, change] of wrong) {
      expect(() => new Model({ ...good, ...change } as unknown as ModelConfig), String(message)).toThrow(FormatError);
      expect(() => new Model({ ...good, ...change } as unknown as ModelConfig), String(message)).toThrow(message);
    }
  });
  it("says what is wrong", () => {
    expect(() => new Model(hybrid([]))).toThrow(FormatError);
    expect(() => new Model(hybrid(["mamba4" as MixerKind]))).toThrow(/"mamba", "mamba2".*mamba4/);
    expect(() => new Model(hybrid([{ kind: "mamba2", nHeads: 3 }]))).toThrow(/nHeads/);
    expect(() => familyConfig(stack(everything), "mamba")).toThrow(ArgumentError);
    const ahead = parseModelConfig({
      d_model: 8,
      n_layer: 1,
      vocab_size: 8,
      attn_layer_idx: [0],
      attn_cfg: { num_heads: 2 },
    });
    expect(() => new Model(ahead)).toThrow(FormatError);
  });
});

/** Saved in the form it is of by itself, and loaded: the same config, the same logits. */
async function expectSaved(config: ModelConfig): Promise<void> {
  const model = new Model(config, 11);
  const folder = await mkdtemp(join(tmpdir(), "hybrid-"));
  try {
    await savePretrained(model, folder);
    const loaded = await fromPretrained(folder);
    const asFile = (own: ModelConfig): unknown => JSON.parse(JSON.stringify(familyConfig(own, "statespace")));
    expect(asFile(loaded.config)).toEqual(asFile(config));
    const ids = IDS.map((id) => id % model.vocabSize);
    expect(logitsOf(loaded, ids)).toEqual(logitsOf(model, ids));
    loaded.dispose();
  } finally {
    model.dispose();
    await rm(folder, { recursive: true });
  }
}

describe("what a hybrid starts from", () => {
  it("Mamba-3 turns half of whatever state it is given", () => {
    const model = new Model(hybrid([{ kind: "mamba3", dState: 8 }]), 1);
    expect((model.resolved.layers[0]!.mixers[0]!.config as Mamba3MixerConfig).nRopeAngles).toBe(2);
    expect(logitsOf(model, IDS)).toHaveLength(IDS.length);
    model.dispose();
  });

  it("every projection onto the residual stream is divided by the root of how often that is added to, an MLP's too", () => {
    const largest = (config: ModelConfig, name: string): number => {
      const model = new Model(config, 1);
      const peak = (model.parameters.find((p) => p.name.endsWith(name))!.value.dataSync() as Float32Array).reduce(
        (max, x) => Math.max(max, Math.abs(x)),
        0,
      );
      model.dispose();
      return peak;
    };
    for (const [config, name] of [
      [stack(["attention", "mlp", "attention", "mlp"]), "fc2.weight"],
      [stack(["mamba2", "attention"], { mlp: 12 }), "fc2.weight"],
      [stack(["mamba2", "attention"], { mlp: 12 }), "out_proj.weight"],
    ] as const) {
      const ratio = largest(config, name) / largest({ ...config, rescalePrenormResidual: false }, name);
      expect(ratio).toBeCloseTo(1 / 2, 6); // four additions in each
    }
  });
});
