import { AdamW, readFloats, tensor, valueAndGrads, writeInto, type PackedFormat } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { Model, nextTokenTargets, parseModelConfig } from "@statespace/models";
import type { WebGpuBackend } from "../src/index.ts";
import { uniform } from "./random.ts";
import { kernelTable, median, type Report } from "./report.ts";

const mamba130m = { model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, vocab_size: 50_280 };

export const modelName = (small: boolean): string => (small ? "a small Mamba" : "mamba-130m");

/** Device time by kernel, where the device tells. */
export async function kernelTimes(run: () => void | Promise<void>, top: number): Promise<string[]> {
  const backend = currentBackend() as WebGpuBackend;
  return backend.traits.timestamps ? kernelTable(await backend.profile(run), top) : [];
}

/** A mamba-130m with random weights, or a small one where the device is software. */
export function makeModel(small: boolean): Model {
  const model = new Model(
    parseModelConfig(
      small ? { ...mamba130m, hidden_size: 64, num_hidden_layers: 2, vocab_size: 256, time_step_rank: 8 } : mamba130m,
    ),
    "empty",
  );
  model.parameters.forEach((parameter, i) => writeInto(parameter.value, uniform(i + 1, parameter.size, -0.04, 0.04)));
  return model;
}

/** Reading a prompt in one go, the logits of its last token read back. */
export async function benchPrefill(
  small: boolean,
  format: "f32" | PackedFormat,
  length: number,
  report: Report,
): Promise<void> {
  const model = makeModel(small);
  if (format !== "f32") await model.quantize(format);
  const ids = tensor(
    Int32Array.from({ length }, (_, i) => (i * 7919) % model.vocabSize),
    [1, length],
  );
  const once = async (): Promise<void> => {
    const { output: logits, state } = model.forward(ids, { returnState: true, lastOnly: true });
    const values = await readFloats(logits);
    if (!values.every(Number.isFinite)) throw new Error("prefill: logits are not finite");
    logits.dispose();
    state!.dispose();
  };
  await once();
  await once();
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  }
  const ms = median(times);
  report({
    bench: `prefill ${format}`,
    shape: `${modelName(small)}, ${length} tokens`,
    figures: `${ms.toFixed(1)} ms, ${((1000 * length) / ms).toFixed(0)} tok/s`,
    parts: await kernelTimes(once, 14),
  });
  ids.dispose();
  model.dispose();
}

/** A whole training step: loss, gradients, AdamW, the loss read back. */
export async function benchTrain(small: boolean, batch: number, length: number, report: Report): Promise<void> {
  const backend = currentBackend() as WebGpuBackend;
  const model = makeModel(small);
  const optimizer = new AdamW(model.parameters, { learningRate: 1e-4 });
  const row = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % model.vocabSize);
  const ids = tensor(row, [batch, length]);
  const targets = tensor(nextTokenTargets(row, length), [batch, length]);
  const once = async (): Promise<number> => {
    const { value, grads } = valueAndGrads(
      () => model.loss(ids, targets),
      optimizer.parameters.map((p) => p.value),
    );
    optimizer.step(grads);
    for (const t of grads) t?.dispose();
    const [loss] = await readFloats(value);
    value.dispose();
    return loss!;
  };
  const losses = [await once(), await once(), await once()];
  const inUse = backend.memory().tensorBytes;
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    losses.push(await once());
    times.push(performance.now() - start);
  }
  const ms = median(times);
  const { heldBytes, tensorBytes } = backend.memory();
  const { dispatches, peakBytes, peakHeldBytes } = backend.counters;
  const start = performance.now();
  const pending = once();
  const encode = performance.now() - start;
  await pending;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2);
  report({
    bench: "train",
    shape: `${modelName(small)} b=${batch} l=${length}`,
    figures: `${ms.toFixed(1)} ms, ${((1000 * batch * length) / ms).toFixed(0)} tok/s; device memory held ${gigabytes(heldBytes)} GB, at most ${gigabytes(peakHeldBytes)}, of which ${gigabytes(peakBytes)} in use; leak ${tensorBytes - inUse} bytes; JavaScript ${encode.toFixed(1)} ms, ${backend.counters.dispatches - dispatches} dispatches; losses ${losses.map((x) => x.toFixed(3)).join(" ")}`,
    parts: await kernelTimes(async () => void (await once()), 22),
  });
  for (const t of [ids, targets]) t.dispose();
  optimizer.dispose();
  model.dispose();
}
