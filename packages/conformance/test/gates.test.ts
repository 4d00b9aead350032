import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  ArgumentError,
  embedding,
  packWeight,
  readFloats,
  setBackend,
  ShapeError,
  tensor,
  type Tensor,
} from "@statespace/core";
import { runKernel } from "@statespace/core/backend";
import { crossEntropy, gather, oneHot, reshape, rmsNorm, segmentSum, split, tile } from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const ids = (...values: number[]): Tensor => tensor(Int32Array.from(values), [values.length]);
const floats = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape);

for (const backend of [
  cpuBackend(),
  wasmBackend(),
  { ...wasmBackend({ worker: true }), name: "wasm-worker" },
  webGpuBackend(),
])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it("ids from outside the table are refused by name", () => {
      const weight = floats(7, 2);
      expect(() => embedding({ ids: ids(0, 6, 7), weight })).toThrow(
        new ArgumentError("embedding: ids must be in [0, 7), got 7"),
      );
      expect(() => embedding({ ids: reshape(ids(0, -2), [1, 2]), weight })).toThrow("got -2");
      expect(() => embedding({ ids: ids(1e8), weight })).toThrow("got 100000000");
      expect(() => gather(weight, ids(2), 1)).toThrow("gather: indices must be in [0, 2), got 2");
      expect(() => segmentSum(weight, ids(0, 1, 2, 3, 0, 1, 2), 3)).toThrow("segmentSum: ids must be in [0, 3), got 3");
      const logits = floats(3, 5);
      expect(() => crossEntropy({ logits, targets: ids(0, 5, -100) })).toThrow(
        "crossEntropy: targets must be in [0, 5), or -100 for none, got 5",
      );
      expect(() => crossEntropy({ logits, targets: ids(0, -100, -2) })).toThrow("got -2");
      expect(crossEntropy({ logits, targets: ids(0, -100, 4) }).losses.shape).toEqual([3]);
      expect(crossEntropy({ logits, targets: ids(0, 255, 4) }, { ignoreIndex: 255 }).losses.shape).toEqual([3]);
    });

    it("kernels that only a device can tell stay inside, and answer NaN", async () => {
      const bad = ids(1, 7, -1, 1e8);
      const table = tensor(
        Float32Array.from({ length: 7 * 32 }, (_, i) => i),
        [7, 32],
      );
      const packed = packWeight(new Float32Array(7 * 32).fill(1), [7, 32], "q8");
      const half = packWeight(new Float32Array(7 * 3).fill(1), [7, 3], "f16");
      const first = async (name: string, inputs: Record<string, Tensor>, attrs = {}): Promise<number[]> => [
        ...(await readFloats(runKernel(name, inputs, attrs)[0]!)),
      ];
      for (const [weight, d] of [
        [table, 32],
        [packed, 32],
        [half, 3],
      ] as const) {
        const y = await first("embedding", { ids: bad, weight });
        expect(y.slice(0, d).every(Number.isFinite)).toBe(true);
        expect(y.slice(d).every(Number.isNaN)).toBe(true);
      }
      expect((await first("gather", { x: table, indices: bad }, { axis: 0 })).slice(32).every(Number.isNaN)).toBe(true);
      expect(await first("segmentSum", { x: floats(4, 1), ids: bad }, { count: 3 })).toEqual([0, 1, 0]);
      const dWeight = await first("embeddingGrad", { ids: bad, weight: floats(3, 2), dY: floats(4, 2) });
      expect(dWeight).toEqual([0, 0, 1, 1, 0, 0]);
      const targets = ids(1, 5, -2, -100);
      const logits = floats(4, 5);
      const losses = await first("crossEntropy", { logits, targets }, { ignoreIndex: -100 });
      expect(losses.map(Number.isNaN)).toEqual([false, true, true, false]);
      const dLogits = await first("crossEntropyGrad", { logits, targets, dLosses: floats(4) }, { ignoreIndex: -100 });
      expect(dLogits.map(Number.isNaN)).toEqual(Array.from({ length: 20 }, (_, i) => i >= 5 && i < 15));
    });

    it("whole numbers are whole", () => {
      expect(() => tensor([1.5], [1], "int32")).toThrow(
        "tensor: int32 values must be whole numbers of 32 bits, got 1.5",
      );
      expect(() => tensor([2 ** 32 + 1], [1], "int32")).toThrow("got 4294967297");
      expect(() => tensor([Number.NaN], [1], "bool")).toThrow("got NaN");
      expect(() => oneHot(ids(0), 2.5)).toThrow(new ShapeError("oneHot: depth must be whole, got 2.5"));
      expect(() => oneHot(ids(0), -1)).toThrow("oneHot: extents must be integers >= 0, got [1, -1]");
      expect(() => tile(floats(2), [1.5])).toThrow("tile: reps must be whole, got 1.5");
      expect(() => tile(floats(2), [-1])).toThrow("tile: extents must be integers >= 0, got [-2]");
      expect(() => reshape(floats(6), [-2, -3])).toThrow("does not fit [-2, -3]");
      expect(() => reshape(floats(1), [-1, -1])).toThrow("does not fit");
      expect(() => split(floats(3), [1.5, 1.5])).toThrow(ShapeError);
      expect(() => rmsNorm({ x: floats(4) }, { groupSize: 0.5 })).toThrow("rmsNorm: groupSize must be whole, got 0.5");
      expect(() => rmsNorm({ x: floats(4) }, { eps: "1e-5" as never })).toThrow(
        'rmsNorm: eps must be a number, got "1e-5"',
      );
    });
  });
