import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, FormatError, setBackend, ShapeError } from "@statespace/core";
import { beforeEach, describe, expect, it } from "vitest";
import {
  cosineSchedule,
  countedTargets,
  countTargets,
  evaluate,
  modelObjective,
  memoryStore,
  Model,
  train,
  type CheckpointStore,
  type TrainingBatch,
  type TrainingStream,
  type TrainOptions,
} from "@statespace/models";
import { collect, countingStream, tinyModel } from "./tinyRun.ts";

beforeEach(() => setBackend(cpuBackend()));

const base: TrainOptions = { steps: 2, optimizer: { learningRate: 0.01, eps: 1e-8 }, seed: 1 };
const stream = (ids = "a"): TrainingStream => ({ ...countingStream(5), identity: () => ({ kind: "counting", ids }) });

async function run(store: CheckpointStore, options: TrainOptions, data = stream()): ReturnType<typeof collect> {
  const model = tinyModel();
  const outcome = await collect(
    train(modelObjective(model), data, { ...options, checkpoints: { store }, resume: options.resume ?? true }),
  );
  model.dispose();
  return outcome;
}

describe("a checkpoint is resumed by its own run", () => {
  it.each<[string, TrainOptions, TrainingStream | undefined, RegExp]>([
    [
      "epsilon",
      { ...base, optimizer: { ...base.optimizer, eps: 1e-5 } },
      undefined,
      /optimizer\.eps was 1e-8, is 0\.00001/,
    ],
    ["seed", { ...base, seed: 2 }, undefined, /seed was 1, is 2/],
    ["batches to a step", { ...base, accumulate: 2 }, undefined, /accumulate was 1, is 2/],
    ["clipping", { ...base, clipNorm: null }, undefined, /clipNorm was 1, is null/],
    ["schedule", { ...base, schedule: cosineSchedule({ warmUp: 0.5 }) }, undefined, /schedule was \[/],
    ["data", base, stream("b"), /data\.ids was "a", is "b"/],
    [
      "recipe",
      { ...base, identity: { model: { width: 8 } } },
      undefined,
      /identity was null, is \{"model":\{"width":8\}\}/,
    ],
  ])("another %s is refused by name, and goes on if told", async (_, options, data, message) => {
    const store = memoryStore();
    expect((await run(store, base)).error).toBeUndefined();
    const refused = await run(store, { ...options, steps: 4 }, data);
    expect(refused.error).toBeInstanceOf(FormatError);
    expect((refused.error as Error).message).toMatch(message);
    const { events, error } = await run(store, { ...options, steps: 4, resume: "changed" }, data);
    expect(error).toBeUndefined();
    expect(events[0]).toMatchObject({ kind: "resumed", step: 2, changed: [expect.stringMatching(message)] });
    expect(events.at(-1)).toMatchObject({ kind: "end", step: 4 });
  });

  it("more steps are the same run", async () => {
    const store = memoryStore();
    await run(store, base);
    const { events, error } = await run(store, { ...base, steps: 3 });
    expect(error).toBeUndefined();
    expect(events[0]).toEqual({ kind: "resumed", step: 2, name: "step-000000002" });
  });

  it("a step of 2^31 batches is refused before any is made", async () => {
    const { error } = await run(memoryStore(), { ...base, accumulate: 2 ** 31 });
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toBe("train: accumulate must be at most 65536, got 2147483648");
  });
});

describe("a mask without ignored targets", () => {
  const ids = Int32Array.of(1, 2, 3, 4, 5, 6);
  const targets = Int32Array.of(2, 3, 4, 5, 6, 7);
  const mask = Float32Array.of(0, 0, 1, 1, 0, 1);
  const shape = [1, 6];
  const batch: TrainingBatch = { inputs: ids, targets, shape, targetShape: shape, mask };
  const ignoring: TrainingBatch = { ...batch, targets: Int32Array.of(-100, -100, 4, 5, -100, 7) };

  it("counts as -100 does, in the loss and in what it is a mean of", async () => {
    const objective = modelObjective(tinyModel());
    const masked = await evaluate(objective, [batch]);
    const { mask: _, ...bare } = ignoring;
    expect(masked).toEqual(await evaluate(objective, [bare]));
    expect(masked.targets).toBe(3);
    expect(masked.loss).not.toBeCloseTo((await evaluate(objective, [{ ...bare, targets }])).loss, 3);
  });

  it("counts in classification too", async () => {
    const model = new Model({
      modelType: "sequence",
      dModel: 4,
      encoder: { kind: "linear", channels: 1 },
      head: { kind: "classification", classes: 3 },
      layers: [{ kind: "gru" }],
    });
    const signals: TrainingBatch = {
      inputs: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
      shape: [3, 4, 1],
      targets: Int32Array.of(0, 1, 2),
      targetShape: [3],
    };
    const masked = await evaluate(modelObjective(model), [{ ...signals, mask: Float32Array.of(1, 0, 1) }]);
    expect(masked).toEqual(await evaluate(modelObjective(model), [{ ...signals, targets: Int32Array.of(0, -100, 2) }]));
    expect(masked.targets).toBe(2);
  });

  it("of another size is refused", () => {
    expect(() => countedTargets({ ...batch, mask: Float32Array.of(1) })).toThrow(ShapeError);
    expect(countTargets(batch)).toBe(3);
  });
});
