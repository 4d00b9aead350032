import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, memory, setBackend } from "@statespace/core";
import { readPacked, type WeightFormat } from "@statespace/core/backend";
import { openCheckpoint, openSource } from "@statespace/files";
import { beforeEach, describe, expect, it } from "vitest";
import {
  familyNamed,
  fromPretrained,
  loadWeights,
  publishedTensors,
  savePretrained,
  type LoadProgress,
} from "../../src/index.ts";

const golden = new URL("../../../conformance/golden/hf/mamba-tiny", import.meta.url).pathname;

let before: number;
beforeEach(async () => {
  await setBackend(cpuBackend());
  before = memory().tensors;
});
const expectNoLeak = (): void => expect(memory().tensors).toBe(before);

describe("loading", () => {
  it("tells how far loading has come, and leaves nothing behind when it is aborted in the middle", async () => {
    const told: LoadProgress[] = [];
    const model = await fromPretrained(golden, { weights: "q8", progress: (progress) => told.push(progress) });
    const keys = publishedTensors(model, familyNamed("mamba").weights).map(({ key }) => key);
    expect(told.map(({ tensor: name }) => name).sort()).toEqual(keys.sort());
    expect(told.at(-1)!.loaded).toBe(told[0]!.total);
    expect(told.every(({ loaded }, i) => i === 0 || loaded > told[i - 1]!.loaded)).toBe(true);
    expect(new Set(told.map(({ total }) => total)).size).toBe(1);
    model.dispose();
    for (const last of [0, 5, told.length - 1]) {
      const stop = new AbortController();
      const loading = fromPretrained(golden, {
        signal: stop.signal,
        progress: ({ loaded }) => loaded >= told[last]!.loaded && stop.abort(),
      });
      await expect(loading).rejects.toMatchObject({ name: "AbortedError" });
      expectNoLeak();
    }
  });

  it.each([
    ["int8", 'got "int8"; did you mean "q8"?'],
    ["fp16", 'got "fp16"; did you mean "f16"?'],
    ["Q8", 'got "Q8"; did you mean "q8"?'],
    ["q5", "weights must be one of f32, f16, bf16, q8, q4"],
    [8, "got 8"],
  ])("refuses weights as %j by name", async (format, message) => {
    await expect(fromPretrained(golden, { weights: format as WeightFormat })).rejects.toThrow(message);
    const model = await fromPretrained(golden, { weights: "f32" });
    expect(model.formats.size).toBe(0);
    await expect(loadWeights(model, golden, { weights: format as WeightFormat })).rejects.toThrow(message);
    await expect(model.quantize(format as WeightFormat)).rejects.toThrow(message);
    await expect(model.quantize(format as WeightFormat)).rejects.toThrow(ArgumentError);
    model.dispose();
    expectNoLeak();
  });

  it.each(["F16", "BF16"] as const)("half floats of a file in %s stay as they are", async (dtype) => {
    const model = await fromPretrained(golden);
    const folder = await mkdtemp(join(tmpdir(), "statespace-"));
    try {
      await savePretrained(model, folder, { dtype });
      const checkpoint = await openCheckpoint(openSource(folder));
      const half = await fromPretrained(folder, { weights: dtype === "F16" ? "f16" : "bf16" });
      for (const { key, parameter } of publishedTensors(half, familyNamed("mamba").weights))
        if (half.formats.has(parameter))
          expect(await readPacked(parameter.value), key).toEqual((await checkpoint.read(key)).bytes);
      expect(half.formats.size).toBeGreaterThan(8);
      half.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
    model.dispose();
    expectNoLeak();
  });
});
