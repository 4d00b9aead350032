import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { causalConv1d, cumsum, readFloats, readInts, setBackend, tensor } from "@statespace/core";
import { pow, segmentSum } from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";
import { minimalBackend } from "./minimal/definition.ts";

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend(), minimalBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it("running sums of int32 are int32, and wrap around", async () => {
      const sums = cumsum(tensor(Int32Array.of(0, 0, 1, 0, 1, 0, 2 ** 31 - 1), [7]));
      expect(sums.dtype).toBe("int32");
      expect([...(await readInts(sums))]).toEqual([0, 0, 1, 1, 2, 2, -(2 ** 31) + 1]);
      const back = cumsum(tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), 0, { exclusive: true, reverse: true });
      expect([...(await readInts(back))]).toEqual([4, 5, 6, 0, 0, 0]);
    });

    it("int32 rows are added by id as int32", async () => {
      const x = tensor(
        Int32Array.from({ length: 15 }, (_, i) => i + 2 ** 24),
        [3, 5],
      );
      const sums = segmentSum(x, tensor(Int32Array.of(1, 0, 1), [3]), 2);
      expect(sums.dtype).toBe("int32");
      const of = (row: number): number[] => Array.from({ length: 5 }, (_, i) => 5 * row + i + 2 ** 24);
      expect([...(await readInts(sums))]).toEqual([...of(1), ...of(0).map((v, i) => v + of(2)[i]!)]);
    });

    it("powers of int32 wrap around, and are cut toward zero", async () => {
      const bases = tensor(Int32Array.of(3, -3, 7, 0, 0, 1, -1, -1, 2, 46341, -2), [11]);
      const exponents = tensor(Int32Array.of(4, 3, 30, 0, 5, -9, -9, -8, -1, 2, 31), [11]);
      const powers = pow(bases, exponents);
      expect(powers.dtype).toBe("int32");
      expect([...(await readInts(powers))]).toEqual([
        81,
        -27,
        1_878_557_649,
        1,
        0,
        1,
        -1,
        1,
        0,
        -2_147_479_015,
        -(2 ** 31),
      ]);
      expect([...(await readInts(pow(2, tensor(Int32Array.of(0, 10, 31, 32), [4]))))]).toEqual([
        1,
        1024,
        -(2 ** 31),
        0,
      ]);
    });

    it("powers of a negative number have the sign of a whole exponent, and are no number else", async () => {
      const powers = pow(tensor([-2, -2, -2, -2, 0, 0, 4], [7]), tensor([3, 2, -1, 0.5, 0, 2, 0.5], [7]));
      const found = await readFloats(powers);
      const right = [-8, 4, -0.5, Number.NaN, 1, 0, 2];
      expect([...found].map((value) => Number(value.toFixed(5)))).toEqual(right);
    });

    it("a convolution does not reach over a boundary to an id that was there before", async () => {
      const values = Float32Array.from({ length: 12 }, (_, i) => i + 1);
      const { y } = causalConv1d({
        x: tensor(values, [1, 6, 2]),
        weight: tensor(new Float32Array(8).fill(1), [2, 4]),
        seqIdx: tensor(Int32Array.of(0, 1, 0, 1, 0, 1), [1, 6]),
      });
      expect(await readFloats(y)).toEqual(values);
    });
  });
