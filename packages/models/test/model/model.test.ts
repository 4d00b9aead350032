import { Rng, reshape, setBackend, stack, tensor, tidy, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { cpuBackend } from "@statespace/backend-cpu";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  fromPretrained,
  inspect,
  ModelState,
  savePretrained,
  Model,
  type HeadConfig,
  type LayerSettings,
  type MixerSettings,
  type MixerKind,
  type ModelConfig,
} from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const settings: Readonly<Record<MixerKind, MixerSettings>> = {
  lssl: { kind: "lssl", dState: 4 },
  s4: { kind: "s4", dState: 4, kernelLength: 16 },
  s4d: { kind: "s4d", dState: 4, init: "inv" },
  dss: { kind: "dss", dState: 4, kernelLength: 16 },
  s5: { kind: "s5", dState: 8, blocks: 2 },
  mamba: { kind: "mamba", dState: 4 },
  mamba2: { kind: "mamba2", dState: 4, headDim: 4, chunkSize: 4 },
  mamba3: { kind: "mamba3", dState: 8, headDim: 4, chunkSize: 4, mimo: true },
  gatedDelta: { kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 },
  shortConv: { kind: "shortConv" },
  rgLru: { kind: "rgLru", nHeads: 2 },
  gru: { kind: "gru" },
  lstm: { kind: "lstm", dHidden: 6 },
  attention: { kind: "attention", nHeads: 2 },
  mlp: { kind: "mlp", hidden: 6 },
};
const kinds = Object.keys(settings) as MixerKind[];

const language = (layers: readonly LayerSettings[], more: Partial<ModelConfig> = {}): ModelConfig => ({
  modelType: "sequence",
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 11 },
  layers,
  head: { kind: "language" },
  ...more,
});
const signal = (head: HeadConfig, layers: readonly LayerSettings[] = [settings.s4d, settings.gru]): ModelConfig => ({
  modelType: "sequence",
  dModel: 8,
  encoder: { kind: "linear", channels: 3 },
  layers,
  head,
});

it("the factor of an MLP in a mixer's place counts once", () => {
  const add = (outputMultiplier: number): Float32Array => {
    const layer: MixerSettings = { ...settings.mlp, outputMultiplier };
    const model = new Model(signal({ kind: "regression", outputs: 2, pooling: "none" }, [layer]), 3);
    const x = tensor(new Float32Array(3).fill(0.5), [1, 1, 3]);
    const inside = inspect(model, x);
    const [before, after] = inside.hidden.map(values) as [number[], number[]];
    inside.dispose();
    model.dispose();
    return Float32Array.from(after, (value, i) => value - before[i]!);
  };
  const [once, thrice] = [add(1), add(3)];
  once.forEach((value, i) => expect(thrice[i]).toBeCloseTo(3 * value, 5));
});

const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);
/** Whole sequence and steps order their sums differently: a few hundred roundings of 2^-24 through two layers (S4's filter table is the worst). */
const CLOSE = 5e-5;
function expectClose(got: Tensor, want: Tensor): void {
  expect(got.shape).toEqual(want.shape);
  const [a, b] = [values(got), values(want)];
  const peak = Math.max(...b.map(Math.abs), 1e-3);
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / peak).toBeLessThan(CLOSE);
}
const floats = (rng: Rng, shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  );

describe("every mixer fits the same model", () => {
  it.each(kinds)("%s: steps = whole, carried state = whole, state through bytes", async (kind) => {
    const model = new Model(language([settings[kind], settings[kind]], { mlp: 12 }), 7);
    const ids = tensor(Int32Array.from([3, 1, 4, 1, 5, 9, 2, 6, 5, 3]), [2, 5], "int32");
    const whole = model.forward(ids, { returnState: true });
    const state = model.initialState(2);
    const steps = tidy(() =>
      stack(
        Array.from({ length: 5 }, (_, t) => model.step(reshape(sliceAxis(ids, 1, t, 1), [2]), state)),
        1,
      ),
    );
    expectClose(steps, whole.output);
    expect(state.position).toBe(5);

    const first = model.forward(sliceAxis(ids, 1, 0, 2), { returnState: true });
    const restored = ModelState.fromBytes(await first.state!.toBytes());
    expectClose(
      model.forward(sliceAxis(ids, 1, 2, 3), { initialState: restored }).output,
      sliceAxis(whole.output, 1, 2, 3),
    );
    model.dispose();
  });

  it.each(kinds)("%s: saved and loaded, the same answers", async (kind) => {
    const folder = await mkdtemp(join(tmpdir(), "sequence-"));
    try {
      const model = new Model(language([settings[kind]], { norm: "rms" }), 3);
      await savePretrained(model, folder);
      const loaded = await fromPretrained(folder);
      const ids = tensor(Int32Array.from([3, 1, 4, 1]), [1, 4], "int32");
      expect(values(loaded.forward(ids).output)).toEqual(values(model.forward(ids).output));
      expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))).toEqual(model.config);
      model.dispose();
      loaded.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("heads", () => {
  const rng = new Rng(2);
  it.each<HeadConfig>([
    { kind: "classification", classes: 4 },
    { kind: "classification", classes: 4, pooling: "last" },
    { kind: "regression", outputs: 2, pooling: "mean" },
    { kind: "forecasting", horizon: 5, channels: 3 },
  ])("%o: the answer after every token = that to the prefix", (head) => {
    const model = new Model(signal(head), 1);
    const u = floats(rng, [2, 6, 3]);
    const state = model.initialState(2);
    for (let t = 0; t < 6; t++) {
      const answer = model.step(reshape(sliceAxis(u, 1, t, 1), [2, 3]), state);
      expectClose(answer, model.forward(sliceAxis(u, 1, 0, t + 1)).output);
    }
    const first = model.forward(sliceAxis(u, 1, 0, 4), { returnState: true });
    expectClose(model.forward(sliceAxis(u, 1, 4, 2), { initialState: first.state }).output, model.forward(u).output);
  });

  it("regression without pooling answers every token, a tied language head shares the table", () => {
    expect(
      new Model(signal({ kind: "regression", outputs: 2, pooling: "none" })).forward(floats(rng, [2, 6, 3])).output
        .shape,
    ).toEqual([2, 6, 2]);
    const tied = new Model(language([settings.s4d], { head: { kind: "language", tie: true } }));
    expect(tied.head.weight).toBe(tied.encoder.weight);
    expect(tied.parameters.filter(({ name }) => name.startsWith("head"))).toEqual([]);
  });

  it.each(["mean", "last"] as const)("padding does not count (%s)", (pooling) => {
    const model = new Model(signal({ kind: "classification", classes: 4, pooling }), 1);
    const u = floats(rng, [2, 6, 3]);
    const padded = model.forward(u, { lengths: Int32Array.of(4, 6) }).output;
    expectClose(sliceAxis(padded, 0, 0, 1), model.forward(sliceAxis(sliceAxis(u, 0, 0, 1), 1, 0, 4)).output);
    expectClose(sliceAxis(padded, 0, 1, 1), model.forward(sliceAxis(u, 0, 1, 1)).output);
  });
});

describe("a bad config is told by its key", () => {
  const bad: readonly [what: string, config: unknown, message: RegExp][] = [
    ["no object", 3, /config: must be an object/],
    [
      "a projection that the layer lacks",
      { ...language([{ ...settings.mamba, projections: { in_prj: { bias: true } } }]) },
      /config: layers\.0: projections\.in_prj: the layer has no such projection; it has in_proj, x_proj, dt_proj, out_proj/,
    ],
    [
      "factors for another number of rows",
      { ...language([{ ...settings.mamba, projections: { x_proj: { factors: [[3, 2]] } } }]) },
      /config: layers\.0: projections\.x_proj\.factors: the parts must add up to \d+ rows, got 3/,
    ],
    [
      "a setting of a projection that there is not",
      { ...language([{ ...settings.mamba, projections: { x_proj: { factor: 2 } as object } }]) },
      /config: layers\.0\.projections\.x_proj\.factor is not a known setting; did you mean factors\?/,
    ],
    ["an unknown key", { ...language([settings.gru]), depth: 3 }, /config: depth is not a known setting/],
    ["no layers", language([]), /config: layers must be a list/],
    [
      "an unknown kind",
      language([{ kind: "rwkv" } as unknown as LayerSettings]),
      /config: layers\.0\.kind must be one of "lssl"/,
    ],
    [
      "a layer's unknown setting",
      language([settings.gru, { ...settings.s4d, hidden: 3 }]),
      /config: layers\.1\.hidden is not a known setting/,
    ],
    ["a layer's bad size", language([{ kind: "s4d", dState: -4 }]), /config: layers\.0\.dState must be a whole number/],
    [
      "settings that do not fit",
      language([{ kind: "s4d", dState: 5 }]),
      /config: layers\.0: s4: dState must be even, got 5/,
    ],
    ["DSS without a length", language([{ kind: "dss" }]), /config: layers\.0: .*kernelLength/],
    [
      "heads that do not divide",
      language([{ kind: "attention", nHeads: 3 }]),
      /config: layers\.0\.nHeads must divide dModel = 8/,
    ],
    [
      "too many angles",
      language([{ kind: "mamba3", dState: 8, headDim: 4, nRopeAngles: 9 }]),
      /config: layers\.0\.nRopeAngles must be at most dState \/ 2 = 4/,
    ],
    [
      "an odd rotation",
      language([{ kind: "attention", nHeads: 2, rotaryDim: 3 }]),
      /config: layers\.0\.rotaryDim must be even/,
    ],
    [
      "a wrong choice",
      language([{ kind: "s5", discretization: "euler" }]),
      /config: layers\.0\.discretization must be one of "zoh", "bilinear"/,
    ],
    [
      "a nested one",
      language([{ ...settings.s4, learningRates: { E: 1 } }]),
      /config: layers\.0\.learningRates\.E is not a known setting/,
    ],
    ["no encoder", { ...language([settings.gru]), encoder: undefined }, /config: encoder\.kind must be one of/],
    [
      "a head without its size",
      signal({ kind: "classification" } as HeadConfig),
      /config: head\.classes must be a whole number/,
    ],
    [
      "a language head over vectors",
      signal({ kind: "language" }),
      /head\.kind "language" needs an encoder of kind "embedding"/,
    ],
    ["dropout of everything", language([settings.gru], { dropout: 1 }), /config: dropout must be a number/],
  ];
  it.each(bad)("%s", (_, config, message) => {
    expect(() => new Model(config as ModelConfig)).toThrow(message);
  });

  it("and a bad file by its tensor", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sequence-"));
    try {
      const model = new Model(language([settings.gru]));
      await savePretrained(model, folder);
      const config = { ...model.config, dModel: 9 };
      await writeFile(join(folder, "config.json"), JSON.stringify(config));
      await expect(fromPretrained(folder)).rejects.toThrow(
        /tensor "encoder\.weight": shape must be \[11, 9\] by config\.json, got \[11, 8\]/,
      );
      await writeFile(
        join(folder, "config.json"),
        JSON.stringify({ ...model.config, layers: [settings.gru, settings.gru] }),
      );
      await expect(fromPretrained(folder)).rejects.toThrow(/tensor "layers\.1\..*" is missing/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
