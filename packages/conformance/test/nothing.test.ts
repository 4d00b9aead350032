import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  causalConv1d,
  linear,
  matMul,
  readFloats,
  selectiveScan,
  setBackend,
  ssdScan,
  sum,
  tensor,
  valueAndGrads,
  zeros,
  type Tensor,
} from "@statespace/core";
import { argMax, cast, concat, fftConv, max, pad, segmentSum, slice, stack } from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const of = (shape: readonly number[], ...values: number[]): Tensor => tensor(values, shape);
const read = async (t: Tensor): Promise<number[]> => [...(await readFloats(t))];

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it("no inner extent: sums of nothing, and the bias", async () => {
      const { y } = linear({ x: zeros([2, 0]), weight: zeros([3, 0]), bias: of([3], 1, 2, 3) });
      expect(await read(y)).toEqual([1, 2, 3, 1, 2, 3]);
      expect(await read(linear({ x: zeros([2, 0]), weight: zeros([2, 0]) }).y)).toEqual([0, 0, 0, 0]);
      expect(await read(matMul(zeros([2, 0]), zeros([0, 2])))).toEqual([0, 0, 0, 0]);
      expect(await read(sum(zeros([2, 0]), 1))).toEqual([0, 0]);
      expect(await read(segmentSum(zeros([0, 2]), tensor(new Int32Array(0), [0]), 2))).toEqual([0, 0, 0, 0]);
      expect(await read(fftConv({ u: of([1, 2, 1], 3, 4), k: zeros([1, 0]), D: of([1], 2) }).y)).toEqual([6, 8]);
    });

    it("no rows: results without elements, and gradients of zeros", async () => {
      const weight = of([3, 2], 1, 2, 3, 4, 5, 6);
      const bias = of([3], 1, 2, 3);
      const { value, grads } = valueAndGrads(() => sum(linear({ x: zeros([0, 2]), weight, bias }).y), [weight, bias]);
      expect(await read(value)).toEqual([0]);
      expect(await Promise.all(grads.map((grad) => read(grad!)))).toEqual([
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0],
      ]);
      expect(linear({ x: zeros([4, 0, 2]), weight }).y.shape).toEqual([4, 0, 3]);
    });

    it("a bias alone has its gradient", async () => {
      const bias = of([2], 1, 2);
      const { grads } = valueAndGrads(() => sum(linear({ x: zeros([3, 0]), weight: zeros([2, 0]), bias }).y), [bias]);
      expect(await read(grads[0]!)).toEqual([3, 3]);
    });

    it("no tokens: the state goes through, and so does its gradient", async () => {
      const initialState = of([1, 2, 2], 1, 2, 3, 4);
      const { y, lastState } = selectiveScan(
        {
          u: zeros([1, 0, 2]),
          delta: zeros([1, 0, 2]),
          A: zeros([2, 2]),
          B: zeros([1, 0, 2]),
          C: zeros([1, 0, 2]),
          initialState,
        },
        { returnLastState: true },
      );
      expect(y.shape).toEqual([1, 0, 2]);
      expect(await read(lastState!)).toEqual([1, 2, 3, 4]);
      const conv = (): Tensor =>
        sum(
          causalConv1d({ x: zeros([1, 0, 2]), weight: zeros([2, 3]), initialState }, { returnLastState: true })
            .lastState!,
        );
      expect(await read(valueAndGrads(conv, [initialState]).grads[0]!)).toEqual([1, 1, 1, 1]);
      const without = causalConv1d({ x: zeros([1, 0, 2]), weight: zeros([2, 3]) }, { returnLastState: true });
      expect(await read(without.lastState!)).toEqual([0, 0, 0, 0]);
    });

    it("no state: what skips it", async () => {
      const { y } = ssdScan({
        x: of([1, 2, 1, 2], 1, 2, 3, 4),
        dt: zeros([1, 2, 1]),
        A: zeros([1]),
        B: zeros([1, 2, 1, 0]),
        C: zeros([1, 2, 1, 0]),
        D: of([1], 10),
      });
      expect(await read(y)).toEqual([10, 20, 30, 40]);
    });

    it("parts without elements", async () => {
      expect(await read(concat([zeros([0]), of([2], 1, 2), zeros([0])]))).toEqual([1, 2]);
      expect(await read(pad(zeros([0]), [[1, 1]], 5))).toEqual([5, 5]);
      expect(slice(of([2, 2], 1, 2, 3, 4), [0, 1], [2, 0]).shape).toEqual([2, 0]);
      expect(cast(zeros([0]), "int32").dtype).toBe("int32");
      expect(await read(zeros([0, 3]))).toEqual([]);
      expect(() => max(zeros([2, 0]), 1)).toThrow("max: [2, 0] has no elements along the axes [1]");
      expect(() => argMax(zeros([2, 0]))).toThrow("argMax: [2, 0] has no elements");
      expect(max(zeros([2, 0]), 0).shape).toEqual([0]);
    });

    it("sizes and axes", async () => {
      const x = of([2], 1, 2);
      expect(await read(stack([x, of([2], 3, 4)], -1))).toEqual([1, 3, 2, 4]);
      expect(() => stack([x, x], 2)).toThrow("stack: axis 2 is not an axis");
      expect(() => slice(x, [0.5], [1])).toThrow("slice: begin must be whole, got 0.5");
    });
  });
