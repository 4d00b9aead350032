import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  ArgumentError,
  memory,
  packWeight,
  readFloats,
  Rng,
  setBackend,
  stopBackend,
  tensor,
  type PackedFormat,
} from "@statespace/core";
import { packFromF32, readPacked, startBackend, WeightWriter, type WeightFormat } from "@statespace/core/backend";
import { Model, parseModelConfig } from "@statespace/models";
import { expect, beforeEach, describe, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const FORMATS: readonly PackedFormat[] = ["q4", "q8", "f16", "bf16"];
const normals = (seed: number, length: number): Float32Array =>
  Float32Array.from(new Rng(seed).normals(length, 0, 0.1));

/** Parts of so many rows, in an order that is not theirs. */
function parts(rows: number): [from: number, until: number][] {
  const cuts = [0, 1, 4, 5, 11, 12, rows - 3, rows].filter(
    (cut, i, all) => cut <= rows && (i === 0 || cut > all[i - 1]!),
  );
  const found = cuts.slice(1).map((until, i): [number, number] => [cuts[i]!, until]);
  return [...found.filter((_, i) => i % 2 === 1), ...found.filter((_, i) => i % 2 === 0)];
}

for (const backend of [cpuBackend(), wasmBackend({ threads: 2 }), webGpuBackend()])
  await describeOn(backend, () => {
    beforeEach(() => setBackend(backend));

    it.each(FORMATS)("a weight of %s that came in parts, in any order, is the one that came whole", async (format) => {
      for (const rows of [30, 31, 32, 33]) {
        const [k, values] = [64, normals(rows, 64 * rows)];
        const writer = new WeightWriter([rows, k], format);
        for (const [from, until] of parts(rows)) {
          expect(writer.complete).toBe(false);
          writer.write(from, values.subarray(from * k, until * k));
        }
        const [written, whole] = [writer.finish(), packWeight(values, [rows, k], format)];
        expect(await readPacked(written)).toEqual(packFromF32(values, [rows, k], format));
        expect(await readFloats(written)).toEqual(await readFloats(whole));
        for (const t of [written, whole]) t.dispose();
      }
    });

    it("takes plain weights in parts, and half floats as they are", async () => {
      const values = normals(1, 33 * 5);
      const bias = new WeightWriter([165], "f32");
      for (const [from, until] of parts(165)) bias.write(from, values.subarray(from, until));
      expect(await readFloats(bias.finish())).toEqual(values);
      const matrix = new WeightWriter([33, 5], "f32");
      for (const [from, until] of parts(33)) matrix.write(from, values.subarray(5 * from, 5 * until));
      expect(await readFloats(matrix.finish())).toEqual(values);
      const canonical = packFromF32(values, [33, 5], "bf16");
      const half = new WeightWriter([33, 5], "bf16");
      for (const [from, until] of parts(33)) half.writePacked(from, canonical.subarray(10 * from, 10 * until));
      expect(await readPacked(half.finish())).toEqual(canonical);
    });

    it("a weight larger than what is arranged at once is the same", async () => {
      const values = normals(2, 1030 * 2048);
      const packed = packWeight(values, [1030, 2048], "q4");
      expect(await readPacked(packed)).toEqual(packFromF32(values, [1030, 2048], "q4"));
      packed.dispose();
    });

    it("refuses rows that are not of the weight, or did not come, and gives up what is not finished", async () => {
      const { tensorBytes } = (await startBackend(backend.name)).memory();
      const writer = new WeightWriter([4, 32], "q8");
      expect(() => writer.write(3, new Float32Array(64))).toThrow(
        "rows must be whole ones of [4, 32], got 2 from row 3 on",
      );
      expect(() => writer.write(0, new Float32Array(33))).toThrow("got 1.03125 from row 0 on");
      expect(() => writer.finish()).toThrow("4 rows of [4, 32] did not come");
      expect(() => new WeightWriter([4, 33], "q8")).toThrow("the last axis must be a multiple of 32");
      expect(() => new WeightWriter([4, 32], "int8" as WeightFormat)).toThrow(ArgumentError);
      expect(() => packWeight(new Float32Array(32), [1, 32], "fp16" as PackedFormat)).toThrow(
        "format must be one of f16, bf16, q8, q4, got fp16",
      );
      writer.dispose();
      expect((await startBackend(backend.name)).memory().tensorBytes).toBe(tensorBytes);
    });

    it("tells the memory that packed weights take", async () => {
      const model = new Model(
        parseModelConfig({ model_type: "mamba", hidden_size: 128, num_hidden_layers: 2, vocab_size: 1024 }),
        1,
      );
      const here = model.backend;
      const plain = { all: memory().bytes, here: here.memory().tensorBytes, matrices: 0, packed: 0 };
      for (const parameter of model.matrices) {
        plain.matrices += 4 * parameter.size;
        plain.packed += model.packs(parameter, "q4") ? (parameter.size / 32) * 18 : 4 * parameter.size;
      }
      await model.quantize("q4");
      const saved = plain.matrices - plain.packed;
      expect(saved).toBeGreaterThan(0.8 * plain.matrices);
      // Groups of rows and words are filled up.
      expect(Math.abs(plain.all - memory().bytes - saved)).toBeLessThan(0.001 * saved);
      expect(Math.abs(plain.here - here.memory().tensorBytes - saved)).toBeLessThan(0.001 * saved);
      const { bytes } = memory();
      await model.quantize("f32");
      expect(memory().bytes).toBe(plain.all);
      expect(bytes).toBeLessThan(plain.all);
      model.dispose();
    });
  });

describe("a packed model that moves", () => {
  it.each(FORMATS)("keeps its weights of %s bit for bit, and nothing stays where it was", async (format) => {
    await setBackend(cpuBackend());
    const model = await new Model(
      parseModelConfig({ model_type: "mamba", hidden_size: 64, num_hidden_layers: 2, vocab_size: 96 }),
      1,
    ).quantize(format);
    const bits = (): Promise<Uint8Array[]> => Promise.all([...model.formats.keys()].map((p) => readPacked(p.value)));
    const [before, cpu] = [await bits(), model.backend];
    const { tensors } = cpu.memory();
    await model.to("wasm");
    expect(await bits()).toEqual(before);
    expect(tensors - cpu.memory().tensors).toBe(model.parameters.length);
    await model.to("cpu");
    expect(await bits()).toEqual(before);
    model.dispose();
  });

  it("goes back where it was when it does not fit", async () => {
    await setBackend(cpuBackend());
    const model = new Model(
      parseModelConfig({ model_type: "mamba", hidden_size: 256, num_hidden_layers: 4, vocab_size: 4096 }),
      1,
    );
    const weights = await model.weights();
    const small = { ...wasmBackend({ threads: 1, maxBytes: 12 << 20 }), name: "small" };
    const there = await startBackend(small);
    const before = there.memory().tensors;
    await expect(model.to("small")).rejects.toMatchObject({ name: "OutOfMemoryError" });
    expect(model.parameters.every(({ backend }) => backend === model.backend && backend.name === "cpu")).toBe(true);
    expect(there.memory().tensors).toBe(before);
    expect(await model.weights()).toEqual(weights);
    const ids = tensor(Int32Array.of(1, 2), [1, 2]);
    model.forward(ids).output.dispose();
    stopBackend("small");
    model.dispose();
  });
});
