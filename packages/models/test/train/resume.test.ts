import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { AbortedError, memory, setBackend } from "@statespace/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  folderStore,
  modelObjective,
  memoryStore,
  train,
  type CheckpointStore,
  type TrainingEvent,
  type TrainingStream,
  type TrainOptions,
} from "@statespace/models";
import { collect, countingStream, curve, heldOut, tinyModel } from "./tinyRun.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "training-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Calls `tick` wherever a run touches the world: each batch, each held-out batch, each file of a checkpoint. */
async function sitting(
  store: CheckpointStore,
  tick: () => void,
  signal?: AbortSignal,
): Promise<{ events: TrainingEvent[]; error: unknown; weights: Float32Array[] }> {
  const model = tinyModel();
  const stream = countingStream(5);
  const data: TrainingStream = { ...stream, nextBatch: () => (tick(), stream.nextBatch()) };
  const ticking: CheckpointStore = {
    ...store,
    write: (name, files, abort) =>
      store.write(name, new Map([...files].map(([file, chunks]) => [file, () => (tick(), chunks())])), abort),
  };
  const options: TrainOptions = {
    steps: 9,
    accumulate: 2,
    optimizer: { learningRate: 0.01 },
    evaluation: {
      every: 3,
      *batches() {
        for (const batch of heldOut()) {
          tick();
          yield batch;
        }
      },
    },
    checkpoints: { store: ticking, every: 2 },
    resume: true,
    ...(signal && { signal }),
  };
  const outcome = await collect(train(modelObjective(model, { carryState: true }), data, options));
  const weights = await Promise.all(model.parameters.map((parameter) => parameter.read()));
  model.dispose();
  return { ...outcome, weights };
}

async function reference(): Promise<{ ticks: number; points: Map<string, string>; weights: Float32Array[] }> {
  let ticks = 0;
  const { events, error, weights } = await sitting(memoryStore(), () => void ticks++);
  expect(error).toBeUndefined();
  return { ticks, points: curve(events), weights };
}

describe.each([
  ["cpu", cpuBackend()],
  ["wasm", wasmBackend()],
])("%s: a run that is stopped and resumed", (_name, backend) => {
  beforeEach(() => setBackend(backend));

  it("has bit for bit the losses, evaluations and weights of one that was not, wherever it is aborted", async () => {
    const whole = await reference();
    expect(whole.points.size).toBe(12); // 9 steps, 3 evaluations
    for (let at = 1; at <= whole.ticks; at += 2) {
      const store = folderStore(join(folder, `abort-${at}`));
      const controller = new AbortController();
      let ticks = 0;
      const first = await sitting(store, () => ++ticks === at && controller.abort(), controller.signal);
      // The last checkpoint may be under way when the abort comes: then the run simply ends.
      if (first.error !== undefined) expect(first.error).toBeInstanceOf(AbortedError);
      const second = await sitting(store, () => {});
      expect(second.error).toBeUndefined();
      for (const [key, value] of [...curve(first.events), ...curve(second.events)])
        expect(`${at} ${key} ${value}`).toBe(`${at} ${key} ${whole.points.get(key)}`);
      expect(new Set([...curve(first.events).keys(), ...curve(second.events).keys()]).size).toBe(whole.points.size);
      expect(second.weights).toEqual(whole.weights);
    }
  });

  it("and wherever it crashes, going on from the last whole checkpoint", async () => {
    const whole = await reference();
    for (let at = 2; at <= whole.ticks; at += 3) {
      const store = folderStore(join(folder, `crash-${at}`));
      let ticks = 0;
      const first = await sitting(store, () => {
        if (++ticks === at) throw new Error("power cut");
      });
      const second = await sitting(store, () => {});
      expect(second.error).toBeUndefined();
      for (const [key, value] of [...curve(first.events), ...curve(second.events)])
        expect(`${at} ${key} ${value}`).toBe(`${at} ${key} ${whole.points.get(key)}`);
      expect(second.weights).toEqual(whole.weights);
      expect((await readdir(join(folder, `crash-${at}`))).filter((name) => !name.startsWith("step-"))).toEqual([]);
    }
  });

  it("leaves nothing allocated, ended or aborted", async () => {
    const before = memory();
    const controller = new AbortController();
    let ticks = 0;
    await sitting(memoryStore(), () => ++ticks === 12 && controller.abort(), controller.signal);
    await sitting(memoryStore(), () => {});
    expect(memory()).toEqual(before);
  });
});

it("keeps the newest checkpoints only, and refuses to overwrite a run that is not resumed", async () => {
  await setBackend(cpuBackend());
  const store = folderStore(folder);
  await sitting(store, () => {});
  expect(await store.names()).toEqual(["step-000000008", "step-000000009"]);
  const model = tinyModel();
  const { error } = await collect(
    train(modelObjective(model), countingStream(5), { steps: 1, checkpoints: { store } }),
  );
  expect((error as Error).message).toMatch(/checkpoints already \(step-000000009\)/);
  model.dispose();
});
