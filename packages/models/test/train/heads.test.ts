import { capture, memory, Rng, setBackend, tensor, tidy, writeInto, type Tensor } from "@statespace/core";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeEach, describe, expect, it } from "vitest";
import {
  modelObjective,
  Model,
  train,
  type HeadConfig,
  type LayerSettings,
  type LossResult,
  type ModelConfig,
  type TrainingBatch,
  type TrainingStream,
} from "../../src/index.ts";

beforeEach(() => setBackend(cpuBackend()));

const s4d: LayerSettings = { kind: "s4d", dState: 8 };
const config = (
  head: HeadConfig,
  layers: readonly LayerSettings[] = [s4d],
  more: Partial<ModelConfig> = {},
): ModelConfig => ({
  modelType: "sequence",
  dModel: 8,
  encoder: { kind: "linear", channels: 1 },
  layers,
  head,
  ...more,
});
const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);
const context = { carried: undefined, rng: new Rng(1) };

/** Sine waves of two frequencies at random phases, labelled by frequency. */
class Waves implements TrainingStream {
  #rng = new Rng(3);

  nextBatch(): TrainingBatch {
    const [b, l] = [16, 24];
    const targets = Int32Array.from({ length: b }, () => this.#rng.integer(2));
    const phases = Array.from(targets, () => this.#rng.uniform(0, 2 * Math.PI));
    const inputs = Float32Array.from({ length: b * l }, (_, i) =>
      Math.sin((targets[Math.floor(i / l)] === 0 ? 0.4 : 0.9) * (i % l) + phases[Math.floor(i / l)]!),
    );
    return { inputs, shape: [b, l, 1], targets, targetShape: [b] };
  }

  state(): readonly number[] {
    return this.#rng.state();
  }

  restore(state: unknown): void {
    this.#rng = Rng.fromState(state as number[]);
  }
}

describe("training", () => {
  it.each<LayerSettings>([
    s4d,
    { kind: "s4", dState: 8, kernelLength: 24 },
    { kind: "s5", dState: 8 },
    { kind: "gru" },
  ])("$kind learns to tell two frequencies apart", async (layer) => {
    const model = new Model(config({ kind: "classification", classes: 2 }, [layer]), 1);
    const objective = modelObjective(model);
    for await (const event of train(objective, new Waves(), { steps: 150, optimizer: { learningRate: 0.02 } }))
      if (event.kind === "end") expect(event.reason).toBe("steps");
    const { loss, accuracy } = objective.measure!(new Waves().nextBatch(), context);
    // Chance is 0.5 and log 2 = 0.69.
    expect(values(accuracy!)[0]).toBeGreaterThan(0.9);
    expect(values(loss)[0]).toBeLessThan(0.4);
    model.dispose();
  });

  it("squared errors count where the mask says", () => {
    const model = new Model(config({ kind: "regression", outputs: 1, pooling: "none" }), 1);
    const batch = {
      inputs: Float32Array.of(1, 2, 3, 4),
      shape: [2, 2, 1],
      targets: Float32Array.of(0, 0, 0, 0),
      targetShape: [2, 2, 1],
    };
    const outputs = values(model.forward(tensor(batch.inputs, batch.shape)).output);
    const loss = (mask?: Float32Array): number =>
      values((modelObjective(model).loss({ ...batch, ...(mask && { mask }) }, context) as LossResult).loss)[0]!;
    expect(loss()).toBeCloseTo(outputs.reduce((total, x) => total + x * x, 0) / 4, 5);
    expect(loss(Float32Array.of(0, 1, 1, 0))).toBeCloseTo((outputs[1]! ** 2 + outputs[2]! ** 2) / 2, 5);
    model.dispose();
  });

  it("dropout drops whole channels, keeps the mean, and repeats with its generator", () => {
    const model = new Model(
      config({ kind: "regression", outputs: 4, pooling: "none" }, [s4d, s4d], { dropout: 0.5 }),
      1,
    );
    const u = tensor(
      Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      [2, 6, 1],
    );
    const run = (rng?: Rng): number[] => values(model.forward(u, { rng }).output);
    expect(run(new Rng(5))).toEqual(run(new Rng(5)));
    expect(run(new Rng(5))).not.toEqual(run(new Rng(6)));
    expect(run()).toEqual(run());
    expect(run()).not.toEqual(run(new Rng(5)));
    model.dispose();
  });
});

describe("memory and capture", () => {
  const kinds: readonly LayerSettings[] = [
    s4d,
    { kind: "s4", dState: 8, kernelLength: 16 },
    { kind: "s4", dState: 8, stepMode: "dense" },
    { kind: "s5", dState: 8 },
    { kind: "lssl", dState: 4 },
    { kind: "gru" },
    { kind: "lstm" },
  ];

  it.each(kinds)("%o: nothing is left of forward passes, steps and losses", (layer) => {
    const before = memory();
    const model = new Model(config({ kind: "classification", classes: 2 }, [layer, layer]), 1);
    const objective = modelObjective(model);
    const batch = new Waves().nextBatch();
    const once = (): void => {
      tidy(() => {
        const { loss } = objective.loss(batch, context) as LossResult;
        loss.dispose();
      });
      const u = tensor(batch.inputs, batch.shape);
      const { output, state } = model.forward(u, { returnState: true });
      const token = tensor(new Float32Array(16), [16, 1]);
      const answer = model.step(token, state!);
      for (const t of [u, output, token, answer]) t.dispose();
      state!.dispose();
    };
    once();
    const settled = memory();
    once();
    expect(memory()).toEqual(settled);
    model.dispose();
    expect(memory()).toEqual(before);
  });

  it.each(kinds)("%o: a captured step replays as the eager one", (layer) => {
    const model = new Model(config({ kind: "classification", classes: 2, pooling: "last" }, [layer]), 1);
    const token = tensor(Float32Array.of(0.5), [1, 1]);
    const eager = model.initialState(1);
    const captured = model.initialState(1);
    model.step(token, model.initialState(1)).dispose(); // what is derived from the weights is made outside the graph
    const graph = capture(() => model.step(token, captured));
    expect(values(graph.result)).toEqual(values(model.step(token, eager)));
    for (const x of [0.3, -1, 2]) {
      writeInto(token, Float32Array.of(x));
      graph.replay();
      expect(values(graph.result)).toEqual(values(model.step(token, eager)));
    }
    graph.dispose();
    model.dispose();
  });
});
