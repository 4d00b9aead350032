import { Rng, setBackend, tensor, type Tensor } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, modelObjective, predict, type LossResult, type ModelConfig } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);
const context = { carried: undefined, rng: new Rng(1) };
const forecaster = (more: Partial<ModelConfig>): ModelConfig => ({
  dModel: 8,
  encoder: { kind: "linear", channels: 2 },
  layers: [{ kind: "s4d", dState: 4 }],
  head: { kind: "forecasting", horizon: 3, channels: 2 },
  ...more,
});
const series = (rows: number, l: number): number[] => {
  const rng = new Rng(7);
  return Array.from({ length: rows * l * 2 }, () => rng.normal());
};

describe("units", () => {
  it("of a sequence: levels and units are the same to the model, and answers are in them", () => {
    const model = new Model(forecaster({ normalize: "sequence" }), 1);
    const x = series(1, 12);
    const scaled = x.map((value, i) => (i % 2 === 0 ? 1000 + 50 * value : 0.001 * value));
    const [plain, large] = [x, scaled].map((each) =>
      values(model.forward(tensor(Float32Array.from(each), [1, 12, 2])).output),
    ) as [number[], number[]];
    plain.forEach((value, i) => {
      if (i % 2 === 0) expect(large[i]!).toBeCloseTo(1000 + 50 * value, 1); // 1000 has 3e-5 between two float32
      else expect(large[i]! * 1000).toBeCloseTo(value, 3);
    });
    model.dispose();
  });

  it("of a sequence: a channel that does not change stays where it is", () => {
    const model = new Model(forecaster({ normalize: "sequence" }), 1);
    const flat = tensor(new Float32Array(24).fill(1e5), [1, 12, 2]);
    for (const value of values(model.forward(flat).output)) expect(Math.abs(value - 1e5)).toBeLessThan(10);
    model.dispose();
  });

  it.each(["refuse", "mask"] as const)("padding counts for nothing in a row's mean, missing: %s", (missing) => {
    const config = forecaster({ normalize: "sequence", encoder: { kind: "linear", channels: 2, missing } });
    const model = new Model(config, 1);
    const width = missing === "mask" ? 4 : 2;
    const x = Float32Array.from({ length: 2 * 9 * width }, (_, i) => (i % width < 2 ? 5 + Math.sin(i) : 1));
    const [, short] = [9, 6];
    const both = values(model.forward(tensor(x, [2, 9, width]), { lengths: Int32Array.of(9, short) }).output);
    const alone = values(model.forward(tensor(x.slice(9 * width, (9 + short) * width), [1, short, width])).output);
    alone.forEach((value, i) => expect(both[6 + i]!).toBeCloseTo(value, 4));
    model.dispose();
  });

  it("of the data: steps agree with the whole, and the loss is in units of the layers", () => {
    const model = new Model(forecaster({ normalize: "data" }), 1);
    const { inputMean, inputStd, outputMean, outputStd } = model.units;
    inputMean!.assign(Float32Array.of(10, -3));
    inputStd!.assign(Float32Array.of(2, 0.5));
    outputMean!.assign(Float32Array.of(10, -3));
    outputStd!.assign(Float32Array.of(2, 0.5));
    const x = Float32Array.from(series(1, 5), (value, i) => (i % 2 === 0 ? 10 + 2 * value : -3 + 0.5 * value));
    const whole = values(model.forward(tensor(x, [1, 5, 2])).output);
    const state = model.initialState(1);
    let last: number[] = [];
    for (let t = 0; t < 5; t++) last = values(model.step(tensor(x.slice(2 * t, 2 * t + 2), [1, 2]), state));
    last.forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 4));
    const targets = Float32Array.from({ length: 6 }, (_, i) => whole[i]! + (i % 2 === 0 ? 2 : 1));
    const batch = { inputs: x, shape: [1, 5, 2], targets, targetShape: [1, 3, 2] };
    // Half the errors are 1 deviation, half are 2: (1 + 4) / 2.
    const { loss } = modelObjective(model).loss(batch, context) as LossResult;
    expect(values(loss)[0]).toBeCloseTo(2.5, 4);
    model.dispose();
  });

  it.each<[string, Partial<ModelConfig>, RegExp]>([
    ["ids", { encoder: { kind: "embedding", vocabSize: 4 }, normalize: "data" }, /needs an encoder of kind "linear"/],
    [
      "answers of other channels",
      { normalize: "sequence", head: { kind: "forecasting", horizon: 1, channels: 1 } },
      /needs answers of the encoder's 2 channels, the head has 1/,
    ],
    [
      "quantiles that do not ascend",
      { head: { kind: "forecasting", horizon: 1, channels: 2, quantiles: [0.5, 0.1] } },
      /head\.quantiles must be a list of ascending numbers/,
    ],
    ["another word", { normalize: "batch" as "data" }, /normalize must be one of "none", "data", "sequence"/],
  ])("refuses %s", (_, more, message) => {
    expect(() => new Model(forecaster(more), 1)).toThrow(message);
  });

  it("a model that needs the whole sequence has no step", () => {
    const model = new Model(forecaster({ normalize: "sequence" }), 1);
    const state = model.initialState(1);
    expect(() => model.step(tensor([1, 2], [1, 2]), state)).toThrow(/needs the whole sequence/);
    expect(() => model.forward(tensor([1, 2], [1, 1, 2]), { returnState: true })).toThrow(/needs the whole sequence/);
    model.dispose();
  });
});

describe("answers", () => {
  it("quantiles have the pinball loss, over what is known", () => {
    const quantiles = [0.1, 0.5, 0.9];
    const head = { kind: "forecasting", horizon: 2, channels: 1, quantiles } as const;
    const model = new Model(forecaster({ encoder: { kind: "linear", channels: 1 }, head }), 1);
    const inputs = Float32Array.of(1, 2, 3);
    const { output } = model.forward(tensor(inputs, [1, 3, 1]));
    expect(output.shape).toEqual([1, 2, 1, 3]);
    const targets = Float32Array.of(0.3, -4);
    const loss = (mask?: Float32Array): number => {
      const batch = { inputs, shape: [1, 3, 1], targets, targetShape: [1, 2, 1], ...(mask && { mask }) };
      return values((modelObjective(model).loss(batch, context) as LossResult).loss)[0]!;
    };
    const pinball = values(output).map((answer, i) => {
      const [q, e] = [quantiles[i % 3]!, targets[Math.floor(i / 3)]! - answer];
      return Math.max(q * e, (q - 1) * e);
    });
    const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b) / numbers.length;
    expect(loss()).toBeCloseTo(mean(pinball), 5);
    expect(loss(Float32Array.of(0, 1))).toBeCloseTo(mean(pinball.slice(3)), 5);
    model.dispose();
  });

  it("quantiles are in order where they are told", async () => {
    const head = { kind: "forecasting", horizon: 4, channels: 1, quantiles: [0.1, 0.5, 0.9] } as const;
    const model = new Model(forecaster({ encoder: { kind: "linear", channels: 1 }, head }), 3);
    const [answer] = await predict(model, [[1, 5, 2]]);
    const { values: told, shape } = answer!;
    expect(shape).toEqual([4, 1, 3]);
    for (let at = 0; at < 12; at += 3) expect(told.slice(at, at + 3)).toEqual(told.slice(at, at + 3).sort());
    model.dispose();
  });

  it("classes of each token are told with their probabilities", async () => {
    const head = { kind: "classification", classes: 3, pooling: "none" } as const;
    const model = new Model(forecaster({ encoder: { kind: "linear", channels: 1 }, head }), 2);
    const [answer] = await predict(model, [[1, -2, 3, 4]]);
    expect(answer!.labels).toHaveLength(4);
    expect(answer!.label).toBeUndefined();
    for (let t = 0; t < 4; t++) {
      const own = answer!.probabilities!.slice(3 * t, 3 * t + 3);
      expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(own.indexOf(Math.max(...own))).toBe(answer!.labels![t]);
    }
    model.dispose();
  });
});

describe("missing values", () => {
  const answer = async (missing: "mask" | "interpolate", input: readonly number[], seed = 1): Promise<number[]> => {
    const model = new Model(
      forecaster({ encoder: { kind: "linear", channels: 1, missing }, head: { kind: "regression", outputs: 1 } }),
      seed,
    );
    const [told] = await predict(model, [input]);
    model.dispose();
    return [...told!.values];
  };

  it("are put on the line between their neighbours", async () => {
    expect(await answer("interpolate", [Number.NaN, 1, Number.NaN, Number.NaN, 4, Number.NaN])).toEqual(
      await answer("interpolate", [1, 1, 2, 3, 4, 4]),
    );
  });

  it("are told from zeros by a mask", async () => {
    const missing = await answer("mask", [1, Number.NaN, 4]);
    expect(missing).not.toEqual(await answer("mask", [1, 0, 4]));
    expect(missing.every(Number.isFinite)).toBe(true);
  });

  it("are refused where nobody said what becomes of them, and infinity always", async () => {
    const plain = new Model(
      forecaster({ encoder: { kind: "linear", channels: 1 }, head: { kind: "regression", outputs: 1 } }),
      1,
    );
    await expect(predict(plain, [[1, Number.NaN]])).rejects.toThrow(/got NaN at 1 \(an encoder with missing "mask"/);
    plain.dispose();
    await expect(answer("mask", [1, Infinity])).rejects.toThrow(/must be finite, got Infinity at 1/);
    await expect(answer("interpolate", [Number.NaN, Number.NaN])).rejects.toThrow(/channel 0 has no value/);
  });
});
