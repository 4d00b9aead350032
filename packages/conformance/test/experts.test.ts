import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { packWeight, readFloats, readInts, Rng, setBackend, tensor, tidy, type PackedFormat } from "@statespace/core";
import { expertLinear, topK } from "@statespace/core/ops";
import { beforeEach, describe, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const FORMATS: readonly PackedFormat[] = ["q4", "q8", "f16", "bf16"];
/** Rounding x to 8 bits a block, as integer products may do: a part in 127 of a block's largest, averaged over 64 terms. */
const OF_INTEGERS = 0.02;
const [E, K] = [5, 64];

for (const backend of [cpuBackend(), wasmBackend({ threads: 2 }), webGpuBackend()])
  await describeOn(backend, () => {
    beforeEach(() => setBackend(backend));

    describe.each(FORMATS)("experts packed as %s", (format) => {
      // Few choices and many; matrices whose rows are groups of four, and not.
      it.each([
        [1, 2, 8],
        [3, 1, 7],
        [70, 2, 12],
        [90, 1, 9],
      ])("give what the unpacked ones give: %i rows, %i of 5, %i outputs", async (rows, s, n) => {
        const rng = new Rng(rows + n);
        const weight = packWeight(Float32Array.from(rng.normals(E * n * K)), [E, n, K], format);
        const plain = tensor(await readFloats(weight), [E, n, K]);
        const x = tensor(Float32Array.from(rng.normals(rows * K)), [rows, K]);
        const ids = tensor(
          Int32Array.from({ length: rows * s }, () => rng.integer(E)),
          [rows, s],
          "int32",
        );
        const [packed, floats] = tidy(() => [
          expertLinear({ x, weight, ids }).y,
          expertLinear({ x, weight: plain, ids }).y,
        ]);
        const [actual, expected] = [await readFloats(packed!), await readFloats(floats!)];
        const scale = Math.max(...expected.map(Math.abs));
        const allowed = (format === "q8" || format === "q4" ? OF_INTEGERS : 1e-6) * scale;
        expect(Math.max(...actual.map((y, i) => Math.abs(y - expected[i]!)))).toBeLessThan(allowed);
        for (const t of [weight, plain, x, ids, packed!, floats!]) t.dispose();
      });
    });

    it.each([3, 50])("a choice that is no expert's gives zeros, %i rows", async (rows) => {
      const ids = Int32Array.from({ length: rows }, (_, i) => [0, -1, 5, 1 << 30, 4][i % 5]!);
      const x = tensor(new Float32Array(rows * K).fill(1), [rows, K]);
      const weight = tensor(new Float32Array(E * 4 * K).fill(1), [E, 4, K]);
      const y = expertLinear({ x, weight, ids: tensor(ids, [rows, 1], "int32") }).y;
      expect([...(await readFloats(y))]).toEqual([...ids].flatMap((id) => Array(4).fill(id >= 0 && id < E ? K : 0)));
    });

    it("topK refuses to choose more than there are, and none", async () => {
      const x = tensor([3, 1, 2], [3]);
      expect([...(await readInts(topK(x, 2)))]).toEqual([0, 2]);
      expect(() => topK(x, 4)).toThrow("topK: k must be a whole number in 1..n = 3, got 4");
      expect(() => topK(x, 0)).toThrow("got 0");
    });
  });
