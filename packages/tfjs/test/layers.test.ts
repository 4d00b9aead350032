import { wasmBackend } from "@statespace/backend-wasm";
import { memory, stopBackend } from "@statespace/core";
import { layers, sequential, type LayersModel } from "@tensorflow/tfjs-layers";
import { afterAll, describe, expect, it } from "vitest";
import { registerTfBackend, TfBackend } from "../src/index.ts";
import { tf } from "./tf.ts";

const wasm = registerTfBackend(wasmBackend({ threads: 2 }));
afterAll(async () => {
  await tf.setBackend("cpu");
  stopBackend("wasm");
});

/** A model, and a batch it can learn. */
interface Program {
  readonly name: string;
  build(): LayersModel;
  batch(): { xs: tf.Tensor; ys: tf.Tensor };
  readonly steps: number;
}

const wave = (i: number): number => Math.sin(1.7 * i) + Math.cos(0.3 * i * i);
const series = (rows: number, l: number, channels: number): tf.Tensor3D =>
  tf.tensor3d(
    Float32Array.from({ length: rows * l * channels }, (_, i) => wave(i)),
    [rows, l, channels],
  );

const programs: Program[] = [
  {
    name: "a classifier of dense layers",
    steps: 40,
    build: () => {
      const model = sequential();
      model.add(layers.dense({ units: 32, activation: "relu", inputShape: [4] }));
      model.add(layers.dense({ units: 16, activation: "tanh" }));
      model.add(layers.dense({ units: 3, activation: "softmax" }));
      model.compile({ optimizer: tf.train.adam(0.01), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
      return model;
    },
    batch: () => ({
      xs: tf.tensor2d(
        Float32Array.from({ length: 24 * 4 }, (_, i) => wave(i)),
        [24, 4],
      ),
      ys: tf.oneHot(
        tf.tensor1d(
          Int32Array.from({ length: 24 }, (_, i) => i % 3),
          "int32",
        ),
        3,
      ),
    }),
  },
  {
    name: "a GRU",
    steps: 40,
    build: () => {
      const model = sequential();
      model.add(layers.gru({ units: 12, inputShape: [7, 3], returnSequences: true }));
      model.add(layers.gru({ units: 8 }));
      model.add(layers.dense({ units: 2 }));
      model.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
      return model;
    },
    batch: () => ({
      xs: series(8, 7, 3),
      ys: tf.tensor2d(
        Float32Array.from({ length: 16 }, (_, i) => wave(i) / 3),
        [8, 2],
      ),
    }),
  },
  {
    name: "an LSTM with layer norm",
    steps: 30,
    build: () => {
      const model = sequential();
      model.add(layers.lstm({ units: 10, inputShape: [6, 3] }));
      model.add(layers.layerNormalization());
      model.add(layers.dense({ units: 2, activation: "sigmoid" }));
      model.compile({ optimizer: tf.train.rmsprop(0.01), loss: "binaryCrossentropy" });
      return model;
    },
    batch: () => ({
      xs: series(8, 6, 3),
      ys: tf.tensor2d(
        Float32Array.from({ length: 16 }, (_, i) => Number(wave(i) > 0)),
        [8, 2],
      ),
    }),
  },
];

type Weights = readonly (readonly [shape: number[], values: Float32Array])[];

const weightsOf = (model: LayersModel): Weights =>
  model.getWeights().map((w) => [w.shape, w.dataSync() as Float32Array] as const);

/** Losses of some steps from given weights, under the backend that is set. */
async function train({ build, batch, steps }: Program, weights: Weights): Promise<number[]> {
  const model = build();
  tf.tidy(() => model.setWeights(weights.map(([shape, values]) => tf.tensor(values, shape))));
  const { xs, ys } = batch();
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const result = await model.trainOnBatch(xs, ys);
    losses.push(Array.isArray(result) ? result[0]! : result);
  }
  tf.dispose([xs, ys]);
  model.dispose();
  return losses;
}

describe.each(programs)("$name of tf.layers on our threads", (program) => {
  it("trains as it does on tfjs's own cpu backend", async () => {
    await tf.setBackend("cpu");
    const model = program.build();
    const weights = weightsOf(model);
    model.dispose();
    const want = await train(program, weights);
    await tf.setBackend(wasm);
    expect(tf.backend()).toBeInstanceOf(TfBackend);
    const got = await train(program, weights);
    expect(got.at(-1)).toBeLessThan(0.8 * got[0]!);
    // One step is a few hundred roundings; Adam divides by gradients' own size, so differences grow with the steps.
    got.forEach((loss, i) =>
      expect(Math.abs(loss - want[i]!), `step ${i}`).toBeLessThan((1e-5 + 2e-4 * i) * Math.max(1, want[i]!)),
    );
  });

  it("initialises, predicts and evaluates there, and leaves behind what it leaves on tfjs's own", async () => {
    await tf.setBackend(wasm);
    const run = async (): Promise<void> => {
      const model = program.build();
      const { xs, ys } = program.batch();
      const history = await model.fit(xs, ys, { epochs: 2, batchSize: 4, verbose: 0 });
      expect(history.history["loss"]!.every((loss) => Number.isFinite(loss as number))).toBe(true);
      const predicted = model.predict(xs) as tf.Tensor;
      expect((await predicted.data()).every(Number.isFinite)).toBe(true);
      tf.dispose([xs, ys, predicted]);
      (model as unknown as { optimizer: tf.Optimizer }).optimizer.dispose();
      model.dispose();
    };
    const growth = async (): Promise<{ tensors: number; buffers: number; own: number }> => {
      const before = { tf: tf.memory(), own: memory() };
      await run();
      return {
        tensors: tf.memory().numTensors - before.tf.numTensors,
        buffers: tf.memory().numDataBuffers - before.tf.numDataBuffers,
        own: memory().tensors - before.own.tensors,
      };
    };
    const first = await growth();
    // What tfjs itself keeps of a model (a seed, a learning rate), and one tensor of ours for each of its buffers.
    expect(first.own).toBe(first.buffers);
    await tf.setBackend("cpu");
    expect(await growth()).toEqual({ tensors: first.tensors, buffers: first.buffers, own: 0 });
  });
});
