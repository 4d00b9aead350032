import { cpuBackend, fit, memoryStore, Model, setBackend, type FitOptions, type TrainingEvent } from "statespace";
import { ByteTokenizer } from "@statespace/text";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(() => setBackend(cpuBackend()));

const wave = (length: number, speed: number, phase: number): number[] =>
  Array.from({ length }, (_, t) => Math.sin(phase + speed * t));

const classifier = (): Model =>
  new Model({
    dModel: 8,
    encoder: { kind: "linear", channels: 1 },
    layers: ["s4d"],
    head: { kind: "classification", classes: 2 },
  });

const language = (vocabSize = 257): Model =>
  new Model({
    dModel: 16,
    encoder: { kind: "embedding", vocabSize },
    layers: ["mamba"],
    head: { kind: "language", tie: true },
  });

describe("fit", () => {
  it("classifies series of different lengths, and keeps a part of them apart", async () => {
    const targets = Array.from({ length: 60 }, (_, i) => i % 2);
    const inputs = targets.map((kind, i) => wave(20 + (i % 7), kind === 0 ? 0.2 : 1.1, i));
    const events: TrainingEvent[] = [];
    const options: FitOptions = { steps: 40, learningRate: 0.02, seed: 1, onEvent: (event) => void events.push(event) };
    const result = await fit(classifier(), { inputs, targets }, options);
    expect(result.steps).toBe(40);
    expect(result.heldOut!.targets).toBe(6);
    expect(result.heldOut!.accuracy).toBe(1);
    expect(events.filter(({ kind }) => kind === "step")).toHaveLength(40);
  });

  it("learns a text with its tokenizer, documents, and ids", async () => {
    const tokenizer = new ByteTokenizer({ special: ["<|endoftext|>"] });
    const text = "abcd".repeat(200);
    const options: FitOptions = { steps: 25, batchSize: 2, seqLen: 16, learningRate: 0.03 };
    const one = await fit({ model: language(), tokenizer }, text, options);
    expect(one.heldOut!.loss).toBeLessThan(1);
    const many = await fit(
      { model: language(), tokenizer },
      Array.from({ length: 20 }, () => "abcdabcd"),
      options,
    );
    expect(many.heldOut!.loss).toBeLessThan(2.5);
    const ids = await fit(
      language(5),
      Int32Array.from({ length: 400 }, (_, i) => i % 4),
      options,
    );
    expect(ids.heldOut!.loss).toBeLessThan(1);
  });

  it("forecasts series, cutting the windows itself", async () => {
    const model = new Model({
      dModel: 8,
      encoder: { kind: "linear", channels: 1 },
      layers: ["s4d"],
      head: { kind: "forecasting", horizon: 2, channels: 1 },
    });
    const series = [0, 1, 2, 3].map((phase) => wave(120, 0.5, phase));
    const { heldOut } = await fit(model, { series }, { seqLen: 12, heldOut: 0.2, steps: 60, learningRate: 0.02 });
    expect(heldOut!.targets).toBe(4 * 11); // of each series the last 24 steps
    expect(heldOut!.loss).toBeLessThan(0.1); // the variance of a sine is 0.5
  });

  it("answers each step of rows of different lengths; padding does not count", async () => {
    const model = new Model({
      dModel: 4,
      encoder: { kind: "linear", channels: 1 },
      layers: ["gru"],
      head: { kind: "regression", outputs: 1, pooling: "none" },
    });
    const inputs = [3, 5, 4, 6].map((length, i) => wave(length, 0.7, i));
    const result = await fit(
      model,
      { inputs, targets: inputs },
      { steps: 150, batchSize: 4, heldOut: 0, learningRate: 0.05 },
    );
    expect(result.loss).toBeLessThan(0.02);
    expect(result.heldOut).toBeUndefined();
  });

  it("goes on from a checkpoint, and not with other data", async () => {
    const checkpoints = memoryStore();
    const inputs = Array.from({ length: 12 }, (_, i) => wave(8, 0.3, i));
    const targets = inputs.map((_, i) => i % 2);
    const options: FitOptions = { steps: 2, checkpoints, resume: true, heldOut: 0 };
    await fit(classifier(), { inputs, targets }, options);
    expect((await fit(classifier(), { inputs, targets }, { ...options, steps: 4 })).steps).toBe(4);
    await expect(
      fit(classifier(), { inputs, targets: targets.toReversed() }, { ...options, steps: 6 }),
    ).rejects.toThrow(/data\.examples was/);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "an unknown option",
      () => fit(classifier(), { inputs: [[1]], targets: [0] }, { epoch: 1 } as FitOptions),
      /has no option epoch; epochs may be meant/,
    ],
    [
      "steps and epochs",
      () => fit(classifier(), { inputs: [[1]], targets: [0] }, { steps: 1, epochs: 1 }),
      /steps or epochs, not both/,
    ],
    [
      "a class that is not there",
      () => fit(classifier(), { inputs: [[1]], targets: [2] }),
      /targets\[0\] must be a class in \[0, 2\), got 2/,
    ],
    ["an empty sequence", () => fit(classifier(), { inputs: [[]], targets: [0] }), /inputs\[0\] is empty/],
    [
      "a missing value",
      () => fit(classifier(), { inputs: [[1, Number.NaN]], targets: [0] }),
      /inputs\[0\]: must be finite, got NaN at 1/,
    ],
    [
      "unequal numbers",
      () => fit(classifier(), { inputs: [[1]], targets: [] }),
      /targets must be as many as inputs, 1, got 0/,
    ],
    ["texts for a classifier", () => fit(classifier(), "text"), /its? head is classification|head is classification/],
    ["texts without a tokenizer", () => fit(language(), "text"), /need a tokenizer/],
    [
      "ids outside the vocabulary",
      () => fit(language(4), Int32Array.of(0, 1, 2, 3, 4, 5)),
      /id must be in \[0, 4\), got 4/,
    ],
    [
      "a text of one token",
      () => fit({ model: language(), tokenizer: new ByteTokenizer() }, "a"),
      /empty|2 tokens at least/,
    ],
    [
      "series that are too short",
      () =>
        fit(
          new Model({
            dModel: 4,
            encoder: { kind: "linear", channels: 1 },
            layers: ["gru"],
            head: { kind: "forecasting", horizon: 4, channels: 1 },
          }),
          { series: [[1, 2, 3]] },
        ),
      /seqLen \+ horizon = 1 \+ 4 steps must fit in what a series has to train on, the longest 3/,
    ],
  ])("refuses %s before the first step", async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });
});
