import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  linear,
  memory,
  mul,
  packWeight,
  readFloats,
  Rng,
  setBackend,
  sum,
  tensor,
  valueAndGrads,
  type PackedFormat,
  type Tensor,
} from "@statespace/core";
import { expertLinear, expertLinearFrozen, linearFrozen, unpackWeight } from "@statespace/core/ops";
import { beforeEach, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const [N, K] = [40, 64];
const FORMATS: readonly (PackedFormat | "f32")[] = ["f32", "f16", "bf16", "q8", "q4"];
const normals = (seed: number, length: number): Float32Array => Float32Array.from(new Rng(seed).normals(length));

/** Products of K or N terms in another order, in units of the largest. */
const BOUND = 32 * 2 ** -24;

function expectClose(actual: Float32Array, expected: Float32Array): void {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(BOUND * scale));
}

for (const backend of [cpuBackend(), wasmBackend({ threads: 2 }), webGpuBackend()])
  await describeOn(backend, () => {
    beforeEach(() => setBackend(backend));

    it.each(FORMATS.flatMap((format) => [[format, undefined] as const, [format, 9 * K] as const]))(
      "linearFrozen on %s, %s elements unpacked at once: value and gradient of x are those of linear on the same numbers",
      async (format, atOnce) => {
        const before = memory().tensors;
        const values = normals(1, N * K);
        const weight = format === "f32" ? tensor(values, [N, K]) : packWeight(values, [N, K], format);
        const plain = tensor(await readFloats(weight), [N, K]);
        const [x, bias, upstream] = [
          tensor(normals(2, 6 * K), [2, 3, K]),
          tensor(normals(3, N)),
          tensor(normals(4, 6 * N), [2, 3, N]),
        ];
        const run = async (product: () => Tensor): Promise<Float32Array[]> => {
          const { value, grads } = valueAndGrads(() => sum(mul(product(), upstream)), [x]);
          const read = [await readFloats(value), await readFloats(grads[0]!)];
          for (const t of [value, grads[0]!]) t.dispose();
          return read;
        };
        const [frozen, full] = [
          await run(() => linearFrozen({ x, weight, bias }, atOnce)),
          await run(() => linear({ x, weight: plain, bias }).y),
        ];
        expectClose(frozen[0]!, full[0]!);
        expectClose(frozen[1]!, full[1]!);
        for (const t of [weight, plain, x, bias, upstream]) t.dispose();
        expect(memory().tensors).toBe(before);
      },
    );

    it.each(FORMATS)(
      "expertLinearFrozen on %s: value and gradient of x are those of expertLinear on the same numbers",
      async (format) => {
        const [e, s] = [3, 2];
        const values = normals(6, e * N * K);
        const shape = [e, N, K];
        const weight = format === "f32" ? tensor(values, shape) : packWeight(values, shape, format);
        const plain = tensor(await readFloats(weight), shape);
        const ids = tensor(Int32Array.of(0, 2, 1, 0, 2, 1, 2, 2, 0, 1), [5, s]);
        const [x, upstream] = [tensor(normals(7, 5 * K), [5, K]), tensor(normals(8, 5 * s * N), [5, s, N])];
        const run = async (product: () => Tensor): Promise<Float32Array[]> => {
          const { value, grads } = valueAndGrads(() => sum(mul(product(), upstream)), [x]);
          const read = [await readFloats(value), await readFloats(grads[0]!)];
          for (const t of [value, grads[0]!]) t.dispose();
          return read;
        };
        const [frozen, full] = [
          await run(() => expertLinearFrozen({ x, weight, ids })),
          await run(() => expertLinear({ x, weight: plain, ids }).y),
        ];
        expectClose(frozen[0]!, full[0]!);
        expectClose(frozen[1]!, full[1]!);
        for (const t of [weight, plain, ids, x, upstream]) t.dispose();
      },
    );

    it.each(FORMATS)("unpackWeight gives rows of %s as they are read", async (format) => {
      const values = normals(5, N * K);
      const weight = format === "f32" ? tensor(values, [N, K]) : packWeight(values, [N, K], format);
      const rows = unpackWeight(weight, 7, 20);
      expect(await readFloats(rows)).toEqual((await readFloats(weight)).subarray(7 * K, 27 * K));
      for (const t of [weight, rows]) t.dispose();
    });
  });
