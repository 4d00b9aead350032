import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, FormatError, memory, mul, NonFiniteError, setBackend } from "@statespace/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  folderStore,
  modelObjective,
  memoryStore,
  train,
  type CheckpointStore,
  type LossResult,
  type Trainable,
} from "@statespace/models";
import { collect, countingStream, heldOut, tinyModel } from "./tinyRun.ts";

let folder: string;
beforeEach(async () => {
  await setBackend(cpuBackend());
  folder = await mkdtemp(join(tmpdir(), "training-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("stops at a loss that is not finite, keeps the last good checkpoint and frees everything", async () => {
  const before = memory();
  const model = tinyModel();
  const objective = modelObjective(model);
  let calls = 0;
  const poisoned: Trainable = {
    ...objective,
    loss(batch, context) {
      const { loss } = objective.loss(batch, context) as LossResult;
      return ++calls === 6 ? mul(loss, Number.NaN) : loss;
    },
  };
  const store = memoryStore();
  const { events, error } = await collect(
    train(poisoned, countingStream(1), { steps: 20, checkpoints: { store, every: 2, keep: 9 } }),
  );
  expect(error).toBeInstanceOf(NonFiniteError);
  expect((error as Error).message).toBe("train: the loss of step 6 is NaN");
  expect(events.filter(({ kind }) => kind === "step")).toHaveLength(5);
  expect(await store.names()).toEqual(["step-000000002", "step-000000004"]);
  model.dispose();
  expect(memory()).toEqual(before);
});

it("stops at gradients that are not finite though the loss is", async () => {
  const model = tinyModel();
  const objective = modelObjective(model);
  model.parameters[0]!.assign(new Float32Array(model.parameters[0]!.size).fill(3e38));
  const { error } = await collect(
    train(
      { ...objective, loss: (batch, context) => mul((objective.loss(batch, context) as LossResult).loss, 1) },
      countingStream(1),
      { steps: 3 },
    ),
  );
  expect(error).toBeInstanceOf(NonFiniteError);
  model.dispose();
});

it("says before the first step that a folder cannot be written", async () => {
  await writeFile(join(folder, "file"), "");
  const model = tinyModel();
  let drawn = 0;
  const stream = countingStream(1);
  const { error, events } = await collect(
    train(
      modelObjective(model),
      { ...stream, nextBatch: () => (drawn++, stream.nextBatch()) },
      { steps: 2, checkpoints: { store: folderStore(join(folder, "file", "below")) } },
    ),
  );
  expect((error as NodeJS.ErrnoException).code).toMatch(/ENOTDIR|EEXIST/);
  expect([events.length, drawn]).toEqual([0, 0]);
  model.dispose();
});

/** A disk with room for some checkpoints: the file that no longer fits is cut off in the middle. */
function fullAfter(store: CheckpointStore, writes: number): CheckpointStore {
  let written = 0;
  return {
    ...store,
    write: (name, files, signal) =>
      ++written <= writes
        ? store.write(name, files, signal)
        : store.write(
            name,
            new Map([
              [
                "model.safetensors",
                function* () {
                  yield new Uint8Array(10);
                  throw new Error("ENOSPC: no space left on device");
                },
              ],
            ]),
            signal,
          ),
  };
}

it("goes on when the disk is full, tells it, loses nothing saved, and fails at the end", async () => {
  const model = tinyModel();
  const store = folderStore(folder);
  const { events, error } = await collect(
    train(modelObjective(model), countingStream(1), {
      steps: 7,
      checkpoints: { store: fullAfter(store, 1), every: 2 },
    }),
  );
  expect(events.filter(({ kind }) => kind === "checkpointFailed").map(({ step }) => step)).toEqual([4, 6]);
  expect(events.filter(({ kind }) => kind === "step")).toHaveLength(7);
  expect((error as Error).message).toMatch(/ENOSPC/);
  expect(await readdir(folder)).toEqual(["step-000000002"]);
  const again = await collect(
    train(modelObjective(model), countingStream(1), { steps: 7, resume: true, checkpoints: { store } }),
  );
  expect([again.error, again.events[0]]).toEqual([undefined, { kind: "resumed", step: 2, name: "step-000000002" }]);
  model.dispose();
});

it("removes what a killed run left half written", async () => {
  await mkdir(join(folder, "step-000000004.abc.unfinished"));
  const store = folderStore(folder);
  await store.prepare();
  expect(await readdir(folder)).toEqual([]);
});

it.each([
  ["training.json", "{", /training.json is not JSON/],
  ["training.json", "{}", /not a training state/],
  ["model.safetensors", "short", /model.safetensors/],
  ["optimizer.safetensors", "short", /optimizer.safetensors/],
])("refuses a checkpoint whose %s is damaged and changes nothing", async (file, content, message) => {
  const model = tinyModel();
  const store = folderStore(folder);
  await collect(train(modelObjective(model), countingStream(1), { steps: 1, checkpoints: { store } }));
  await writeFile(join(folder, "step-000000001", file), content);
  const other = tinyModel(8);
  const before = await other.parameters[0]!.read();
  const { error } = await collect(
    train(modelObjective(other), countingStream(1), { steps: 2, resume: true, checkpoints: { store } }),
  );
  expect(error).toBeInstanceOf(FormatError);
  expect((error as Error).message).toMatch(message);
  expect(await other.parameters[0]!.read()).toEqual(before);
  for (const m of [model, other]) m.dispose();
});

it("refuses the checkpoint of another model, naming the weight", async () => {
  const model = tinyModel();
  const store = memoryStore();
  await collect(train(modelObjective(model), countingStream(1), { steps: 1, checkpoints: { store } }));
  const changed = { ...modelObjective(model), parameters: model.parameters.slice(1) };
  const fewer = await collect(train(changed, countingStream(1), { steps: 2, resume: true, checkpoints: { store } }));
  expect(fewer.error).toBeUndefined(); // a part of the weights may go on
  const missing = new Map([...model.parameters.entries()].map(([i, p]) => [p.name, i]));
  expect(missing.size).toBe(model.parameters.length);
  await store.remove("step-000000002");
  Object.defineProperty(model.parameters[0], "name", { value: "unknown.weight" });
  const { error } = await collect(
    train(modelObjective(model), countingStream(1), { steps: 3, resume: true, checkpoints: { store } }),
  );
  expect((error as Error).message).toMatch(/unknown.weight must be \[11, 16\], got nothing/);
  model.dispose();
});

it.each([
  [{}, /steps or maxMinutes must be given/],
  [{ steps: 0 }, /steps must be an integer >= 1, got 0/],
  [{ steps: 1, accumulate: 1.5 }, /accumulate must be an integer >= 1/],
  [{ maxMinutes: Number.NaN }, /maxMinutes must be > 0/],
  [{ steps: 1, clipNorm: 0 }, /clipNorm must be > 0 or null/],
  [{ steps: 1, evaluation: { every: 0, batches: () => heldOut() } }, /evaluation.every/],
])("refuses %j", async (options, message) => {
  const model = tinyModel();
  const { error } = await collect(train(modelObjective(model), countingStream(1), options));
  expect(error).toBeInstanceOf(ArgumentError);
  expect((error as Error).message).toMatch(message);
  model.dispose();
});

it("keeps the files of the last checkpoint whole", async () => {
  const model = tinyModel();
  await collect(
    train(modelObjective(model), countingStream(1), { steps: 3, checkpoints: { store: folderStore(folder) } }),
  );
  const files = await readdir(join(folder, "step-000000003"));
  expect(files.sort()).toEqual(["model.safetensors", "optimizer.safetensors", "training.json"]);
  const state = JSON.parse(await readFile(join(folder, "step-000000003", "training.json"), "utf8")) as {
    step: number;
    optimizerSteps: number;
  };
  expect([state.step, state.optimizerSteps]).toEqual([3, 3]);
  model.dispose();
});
