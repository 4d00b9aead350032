import { setBackend, tensor, tidy } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { familyConfig, Model, parseModelConfig, type ModelConfig } from "../../src/index.ts";
import { rotaryFrequencies, type RotaryScaling } from "../../src/mixers/attention/scaling.ts";
import { minimalTransformer } from "../../src/mixers/attention/minimal.ts";
import { expectMinimalEqualsFast, withSettings } from "../minimalEqualsFast.ts";

interface Case {
  readonly rope: Readonly<Record<string, number | string>>;
  readonly length: number;
  readonly dim: number;
  readonly frequencies: readonly number[];
  readonly gain: number;
}
const fixture = new URL("fixtures/ropeFrequencies.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, "utf8")) as { cases: readonly Case[] };

const falcon = {
  model_type: "falcon_h1",
  vocab_size: 32,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 32,
  mamba_d_ssm: 32,
  mamba_n_heads: 4,
  mamba_d_state: 8,
  max_position_embeddings: 64,
};

function attentionOf(config: ModelConfig): { rotaryBase: number; rotaryScaling?: RotaryScaling } {
  const [{ mixers }] = config.layers as [{ mixers: { kind: string }[] }];
  return mixers.find(({ kind }) => kind === "attention") as never;
}

describe("scaled rotary positions", () => {
  it.each(cases.map((c) => [JSON.stringify(c.rope), c] as const))("%s as transformers has them", (_, c) => {
    const { rotaryBase, rotaryScaling } = attentionOf(parseModelConfig({ ...falcon, rope_parameters: c.rope }));
    const own = rotaryFrequencies(c.dim, rotaryBase, rotaryScaling, c.length);
    // theirs are float32: a power, a division and, for yarn, a blend
    own.forEach((x, i) => expect(Math.abs(x / c.frequencies[i]! - 1)).toBeLessThan(8 * 2 ** -24));
    expect(own.length).toBe(c.frequencies.length);
    expect(rotaryScaling!.gain).toBeCloseTo(c.gain, 12);
  });

  it.each(cases.map((c) => [JSON.stringify(c.rope), c] as const))("%s is written as it was read", (_, { rope }) => {
    const read = parseModelConfig({ ...falcon, rope_parameters: rope });
    expect(attentionOf(parseModelConfig(familyConfig(read, "falcon_h1")))).toEqual(attentionOf(read));
    // our own form too
    expect(attentionOf(new Model(read, "empty").config)).toEqual(attentionOf(read));
  });

  it("the older spelling is the same", () => {
    const { rope_theta, ...scaling } = { rope_theta: 5e5, factor: 4, original_max_position_embeddings: 16 };
    const now = parseModelConfig({ ...falcon, rope_parameters: { rope_theta, rope_type: "yarn", ...scaling } });
    for (const key of ["type", "rope_type"])
      expect(parseModelConfig({ ...falcon, rope_theta, rope_scaling: { [key]: "yarn", ...scaling } })).toEqual(now);
    const { factor: _, ...ofLengths } = scaling;
    expect(parseModelConfig({ ...falcon, rope_theta, rope_scaling: { type: "yarn", ...ofLengths } })).toEqual(now);
  });

  it("what is not known, or missing, is told by name", () => {
    const read = (rope: object) => () => parseModelConfig({ ...falcon, rope_scaling: rope });
    expect(read({ type: "longrope" })).toThrow(
      'config: rope_scaling.type must be one of "default", "linear", "dynamic", "yarn", "llama3", got "longrope"',
    );
    expect(read({ type: "linear" })).toThrow("config: rope_scaling.factor must be a number");
    expect(read({ rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 1 })).toThrow(
      "config: rope_scaling.high_freq_factor must be at least low_freq_factor = 4, got 1",
    );
  });

  const plain = parseModelConfig({
    d_model: 16,
    n_layer: 1,
    vocab_size: 32,
    attn_layer_idx: [0],
    attn_cfg: { causal: true, num_heads: 2, rotary_emb_dim: 8 },
  });
  for (const rotaryScaling of [
    { type: "linear", factor: 4 },
    { type: "dynamic", factor: 3, trainedLength: 4 },
    { type: "yarn", factor: 4, trainedLength: 8 },
    { type: "llama3", factor: 8, trainedLength: 16 },
  ])
    // The fast path's table of positions is float32: 2^-24 of an angle's sine.
    it(`${rotaryScaling.type}: the plain loops equal the fast path`, () =>
      expectMinimalEqualsFast(withSettings(plain, { rotaryScaling }), minimalTransformer, 1e-6));
  it("packed rows longer than the text was are refused where that changes the frequencies", async () => {
    await setBackend(cpuBackend());
    const rotaryScaling = { type: "dynamic", factor: 3, trainedLength: 4 };
    const model = new Model(withSettings(plain, { rotaryScaling }), 1);
    const run = (l: number) => () =>
      tidy(() => {
        const ids = tensor(new Int32Array(l), [1, l]);
        model.forward(ids, {
          seqIdx: tensor(
            Int32Array.from({ length: l }, (_, i) => Number(i > 1)),
            [1, l],
          ),
        });
      });
    expect(run(4)).not.toThrow();
    expect(run(5)).toThrow(
      "packed rows must be at most trainedLength = 4 tokens long where rotaryScaling is dynamic, got 5",
    );
    model.dispose();
  });
  it("settings are checked where they are given", () => {
    const scaled =
      (rotaryScaling: object, more: object = {}) =>
      () =>
        new Model(withSettings(plain, { rotaryScaling, ...more }), "empty");
    expect(scaled({ type: "yarn" })).toThrow("config: layers.0.rotaryScaling.factor must be a number");
    expect(scaled({ type: "yarn", factor: 2, betaFast: 3 })).toThrow("rotaryScaling.betaFast is not a known setting");
    expect(scaled({ type: "dynamic", factor: 2 }, { window: 4 })).toThrow(
      "must not be dynamic where there is a window",
    );
  });
});
