import { fit, load, Model, models, predict, setBackend, stopBackend, wasmBackend } from "statespace";
import { expect, it } from "vitest";

const series = [0, 1, 2, 3].map((phase) =>
  Array.from({ length: 120 }, (_, t) => 5000 + 300 * Math.sin(0.5 * t + phase)),
);

/** As a page that was handed the files of a model's folder. */
async function filesOf(model: Model): Promise<File[]> {
  return [...(await models.pretrainedBlobs(model))].map(([name, blob]) => new File([blob], name));
}

it("a model that was saved with its units answers in them", async () => {
  await setBackend(wasmBackend({ worker: true, threads: 1 }));
  const config = {
    dModel: 8,
    encoder: { kind: "linear", channels: 1 },
    layers: ["s4d"],
    head: { kind: "forecasting", horizon: 2, channels: 1 },
    normalize: "data",
  } as const;
  const model = new Model(config, 1);
  await fit(model, { series }, { seqLen: 12, heldOut: 0.2, steps: 80, learningRate: 0.02 });
  const asked = [series[0]!.slice(50, 62), series[1]!.slice(30, 42)];
  const before = await predict(model, asked);
  const files = await filesOf(model);
  model.dispose();
  expect(files.map(({ name }) => name).sort()).toEqual(["config.json", "model.safetensors"]);
  const loaded = await load(files);
  const after = await loaded.predict(asked);
  expect(after.map(({ values }) => values)).toEqual(before.map(({ values }) => values));
  // A third of the swing at most, 5,000 away from what a model without its units would say.
  expect(Math.abs(after[0]!.values[0]! - series[0]![62]!)).toBeLessThan(120);
  expect(Math.abs(after[1]!.values[1]! - series[1]![43]!)).toBeLessThan(120);
  loaded.dispose();
  stopBackend("wasm");
});
