import { cpuBackend } from "@statespace/backend-cpu";
import { memory, registerBackend, setBackend, tensor, tidy, type Tensor } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { inspect, mixerKinds, Model, type MambaMixerConfig, type ModelConfig } from "../../src/index.ts";
import { convolve, matVec, softplus } from "../../src/mixers/mamba/minimal.ts";
import { float64Backend } from "../float64Backend.ts";

const values = (t: Tensor): number[] => Array.from(t.dataSync() as ArrayLike<number>);
const IDS = [3, 1, 4, 1, 5, 9];
const config: ModelConfig = {
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 11 },
  layers: [
    { kind: "mamba", dState: 3, dtRank: 2 },
    {
      mixers: [
        { kind: "mamba2", dState: 4, headDim: 4, timeStepLimit: [0.01, 0.05], inputMultiplier: 2 },
        { kind: "attention", nHeads: 2 },
      ],
    },
    { kind: "mamba3", dState: 8, headDim: 4 },
    "gru",
  ],
  head: { kind: "language" },
  norm: "rms",
  mlp: 6,
};

describe("what is inside", () => {
  beforeAll(() => setBackend(float64Backend()));

  it("hidden states lead to the output; steps and selections have their shapes; all is freed", () => {
    const before = memory().tensors;
    const model = new Model(config, 2);
    const ids = tensor(Int32Array.from(IDS), [1, IDS.length]);
    const inside = inspect(model, ids);
    expect(inside.hidden.map(({ shape }) => shape)).toEqual(Array.from({ length: 5 }, () => [1, 6, 8]));
    tidy(() => {
      const output = model.head.apply(model.normF.apply(inside.hidden.at(-1)!));
      expect(values(output)).toEqual(values(model.forward(ids).output));
    });
    const shapes = inside.mixers.map((told) =>
      Object.fromEntries(Object.entries(told).map(([name, t]) => [name, t.shape])),
    );
    expect(shapes).toEqual([
      { delta: [1, 6, 16], B: [1, 6, 3], C: [1, 6, 3] },
      { delta: [1, 6, 4], B: [1, 6, 1, 4], C: [1, 6, 1, 4] },
      { attention: [1, 2, 6, 6] },
      { delta: [1, 6, 4], B: [1, 6, 4, 1, 8], C: [1, 6, 4, 1, 8] },
      {},
    ]);
    for (const delta of values(inside.mixers[1]!["delta"]!)) expect(delta).toBeGreaterThanOrEqual(0.01);
    for (const delta of values(inside.mixers[1]!["delta"]!)) expect(delta).toBeLessThanOrEqual(0.05);
    for (const delta of values(inside.mixers[3]!["delta"]!)) expect(delta).toBeGreaterThan(0);
    inside.dispose();
    ids.dispose();
    model.dispose();
    expect(memory().tensors).toBe(before);
  });

  it("delta, B and C of Mamba are those of its plain loops", async () => {
    const model = new Model(config, 2);
    const ids = tensor(Int32Array.from(IDS), [1, IDS.length]);
    const inside = inspect(model, ids);
    const weights = await model.weights();
    const weight = (name: string): Float64Array => Float64Array.from(weights.get(`layers.0.mixer.${name}`)!.values);
    const { dInner, dState, dtRank } = model.resolved.layers[0]!.mixers[0]!.config as MambaMixerConfig;
    const normed = values(tidy(() => model.blocks[0]!.mixerInput(inside.hidden[0]!)));
    const x = IDS.map((_, t) => matVec(weight("in_proj.weight"), Float64Array.from(normed.slice(8 * t, 8 * t + 8))));
    const u = convolve(
      x.map((token) => token.slice(0, dInner)),
      weight("conv1d.weight"),
      weight("conv1d.bias"),
    );
    const parts = u.map((token) => matVec(weight("x_proj.weight"), token));
    const steps = parts.map((p) =>
      matVec(weight("dt_proj.weight"), p.slice(0, dtRank), weight("dt_proj.bias")).map(softplus),
    );
    const want = {
      delta: steps.flatMap((step) => Array.from(step)),
      B: parts.flatMap((p) => Array.from(p.slice(dtRank, dtRank + dState))),
      C: parts.flatMap((p) => Array.from(p.slice(dtRank + dState))),
    };
    for (const [name, expected] of Object.entries(want))
      values(inside.mixers[0]![name]!).forEach((got, i) => expect(got).toBeCloseTo(expected[i]!, 11));
    inside.dispose();
    ids.dispose();
    model.dispose();
  });
});

describe("every kind of mixer, in one model", () => {
  const layers = mixerKinds.map((kind) => (kind === "dss" ? { kind, kernelLength: 16 } : { kind }));
  const all = (head: ModelConfig["head"]): ModelConfig => ({
    dModel: 32,
    encoder: { kind: "embedding", vocabSize: 17 },
    layers,
    head,
    mlp: 32,
  });
  beforeAll(() => setBackend(cpuBackend()));

  it("is packed: close to float32, and no weight is packed that an op takes whole", async () => {
    const model = new Model(all({ kind: "classification", classes: 3 }), 5);
    const ids = tensor(Int32Array.from(IDS), [1, IDS.length]);
    const full = values(model.forward(ids).output);
    await model.quantize("q8");
    const packed = values(model.forward(ids).output);
    const peak = Math.max(...full.map(Math.abs));
    // Half of 1/127 of a block's largest a weight, averaged over sums of 32 to 64 of them, through twelve layers of two branches.
    packed.forEach((x, i) => expect(Math.abs(x - full[i]!)).toBeLessThan(0.1 * peak));
    expect(packed).not.toEqual(full);
    const names = model.parameters.filter((p) => model.formats.has(p)).map(({ name }) => name);
    for (const name of ["in_proj", "fc1", "weight_ih_l0", "weight_hh_l0", "output_linear", "out1", "encoder"])
      expect(
        names.some((own) => own.includes(name)),
        name,
      ).toBe(true);
    expect(names.filter((name) => /A_log|inv_dt|log_step|A_real|\.D$/.test(name))).toEqual([]);
    for (const x of [ids, model]) x.dispose();
  });

  it("moves to another backend in the middle of a text, state and packed weights with it", async () => {
    registerBackend({ ...cpuBackend(), name: "cpu-moved" });
    for (const head of [{ kind: "language" }, { kind: "classification", classes: 3 }] as const) {
      const before = memory().tensors;
      const model = new Model(all(head), 5);
      await model.quantize("f16");
      const run = async (move: boolean): Promise<number[]> => {
        const state = model.initialState();
        const out: number[] = [];
        for (const [t, id] of IDS.entries()) {
          if (move && t === 3) await model.to("cpu-moved", state);
          const input = tensor(Int32Array.of(id), [1], { backend: model.backend });
          const answer = model.step(input, state);
          out.push(...values(answer));
          for (const x of [input, answer]) x.dispose();
        }
        state.dispose();
        return out;
      };
      const here = await run(false);
      expect(await run(true)).toEqual(here);
      expect(model.backend.name).toBe("cpu-moved");
      await setBackend("cpu");
      model.dispose();
      expect(memory().tensors).toBe(before);
    }
  });
});
