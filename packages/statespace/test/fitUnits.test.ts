import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend, fit, load, Model, models, predict, setBackend, type ModelConfig } from "statespace";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const make = (head: ModelConfig["head"], more: Partial<ModelConfig> = {}): Model =>
  new Model({ dModel: 8, encoder: { kind: "linear", channels: 1 }, layers: ["s4d"], head, ...more }, 1);
const swing = (l: number, phase: number): number[] => Array.from({ length: l }, (_, t) => Math.sin(0.5 * t + phase));

describe("fit, in the data's own units", () => {
  it("forecasts far from zero, and says so after the model was saved and loaded", async () => {
    const model = make({ kind: "forecasting", horizon: 2, channels: 1 }, { normalize: "data" });
    const series = [0, 1, 2, 3].map((phase) => swing(120, phase).map((value) => 5000 + 300 * value));
    await fit(model, { series }, { seqLen: 12, heldOut: 0.2, steps: 80, learningRate: 0.02 });
    expect((await model.units.inputMean!.read())[0]).toBeCloseTo(5000, -2);
    expect((await model.units.outputStd!.read())[0]).toBeCloseTo(300 / Math.SQRT2, -1);
    const folder = await mkdtemp(join(tmpdir(), "units-"));
    try {
      await models.savePretrained(model, folder);
      const loaded = await load(folder);
      const [told] = await loaded.predict([series[0]!.slice(50, 62)]);
      expect(Math.abs(told!.values[0]! - series[0]![62]!)).toBeLessThan(120);
      expect(Math.abs(told!.values[1]! - series[0]![63]!)).toBeLessThan(120);
      loaded.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("foretells quantiles that lie around what comes", async () => {
    const head = { kind: "forecasting", horizon: 1, channels: 1, quantiles: [0.1, 0.5, 0.9] } as const;
    const model = make(head, { normalize: "sequence" });
    let seed = 1;
    const noise = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5;
    const series = [Array.from({ length: 400 }, () => 100 + 20 * noise())]; // even in [90, 110]
    await fit(model, { series }, { seqLen: 24, steps: 100, learningRate: 0.03 });
    const [told] = await predict(model, [series[0]!.slice(0, 24)]);
    const { values } = told!;
    // 92, 100 and 108, with what a small model makes of 24 numbers.
    expect(Math.abs(values[0]! - 92)).toBeLessThan(4);
    expect(Math.abs(values[1]! - 100)).toBeLessThan(4);
    expect(Math.abs(values[2]! - 108)).toBeLessThan(4);
  });

  it("labels each step of rows of different lengths, some labels unknown", async () => {
    const model = make({ kind: "classification", classes: 2, pooling: "none" });
    const inputs = [9, 12, 7, 10, 11, 8].map((l, i) => swing(l, i));
    const targets = inputs.map((row, r) => row.map((value, t) => (r === 0 && t < 3 ? Number.NaN : Number(value > 0))));
    const result = await fit(model, { inputs, targets }, { steps: 120, learningRate: 0.03, heldOut: 0.2 });
    expect(result.heldOut!.accuracy).toBeGreaterThan(0.8);
    await expect(fit(model, { inputs, targets: targets.map((row) => row.slice(1)) })).rejects.toThrow(
      /targets\[0\] must be \[9\], got \[8\]/,
    );
    const unknown = inputs.map((row) => row.map(() => Number.NaN));
    await expect(fit(model, { inputs, targets: unknown })).rejects.toThrow(/no target is known/);
  });

  it("removes noise, with gaps in what it sees and in what it is told", async () => {
    const encoder = { kind: "linear", channels: 1, missing: "mask" } as const;
    const model = make({ kind: "regression", outputs: 1, pooling: "none" }, { encoder, normalize: "data" });
    const clean = [0, 1, 2, 3, 4, 5, 6, 7].map((phase) => swing(24, phase).map((value) => 40 + 10 * value));
    const inputs = clean.map((row, r) => row.map((value, t) => ((t * 7 + r) % 5 === 0 ? Number.NaN : value)));
    const targets = clean.map((row, r) => row.map((value, t) => ((t + r) % 6 === 0 ? Number.NaN : value)));
    const { heldOut } = await fit(model, { inputs, targets }, { steps: 100, learningRate: 0.03, heldOut: 0.25 });
    expect(heldOut!.targets).toBe(2 * 20); // a sixth of the two rows of 24 is not known
    expect(heldOut!.loss).toBeLessThan(0.3); // 1 is the mean of the data
  });

  it("keeps its units when it goes on learning elsewhere", async () => {
    const model = make({ kind: "regression", outputs: 1 }, { normalize: "data" });
    const rows = (level: number): number[][] => [1, 2, 3, 4].map((i) => swing(8, i).map((value) => level + value));
    await fit(model, { inputs: rows(100), targets: [1, 2, 3, 4] }, { steps: 2, heldOut: 0 });
    const before = await model.units.inputMean!.read();
    expect(before[0]).toBeCloseTo(100, 0);
    await fit(model, { inputs: rows(-7), targets: [1, 2, 3, 4] }, { steps: 2, heldOut: 0 });
    expect(await model.units.inputMean!.read()).toEqual(before);
  });
});
