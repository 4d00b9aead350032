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

/** Rows, and the weight: alone, odd, one of blocks that end within four rows, more rows of it than a panel of its transpose has, more columns. */
const ROUNDED = [
  [1, 1, 32],
  [3, 40, 64],
  [70, 101, 96],
  [5, 16_100, 64],
  [6, 33, 8_192],
] as const;
/** Half a unit of 127, and of a scale that is a half float. */
const UNIT = (0.5 / 127) * (1 + 2 ** -9);

/** dy W of [m, n] and [n, k] in float64, and what rounding both to 8 bits a block of 32 rows of W may do to it. */
function roundedBounds(dy: Float32Array, w: Float32Array, m: number, n: number, k: number): Float64Array[] {
  const [exact, bound] = [new Float64Array(m * k), new Float64Array(m * k)];
  for (let from = 0; from < n; from += 32) {
    const until = Math.min(n, from + 32);
    const [most, total] = [new Float64Array(k), new Float64Array(k)];
    for (let o = from; o < until; o++)
      for (let j = 0; j < k; j++) {
        const size = Math.abs(w[o * k + j]!);
        most[j] = Math.max(most[j]!, size);
        total[j]! += size;
      }
    for (let i = 0; i < m; i++) {
      const row = dy.subarray(i * n + from, i * n + until);
      const top = row.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
      const all = row.reduce((sumOfAll, x) => sumOfAll + Math.abs(x), 0);
      for (let j = 0; j < k; j++)
        bound[i * k + j]! +=
          UNIT * (top * total[j]! + most[j]! * all) +
          row.length * UNIT * top * UNIT * most[j]! +
          2 ** -18 * all * most[j]!;
      row.forEach((x, o) => {
        for (let j = 0; j < k; j++) exact[i * k + j]! += x * w[(from + o) * k + j]!;
      });
    }
  }
  return [exact, bound];
}

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
          await run(() => linearFrozen({ x, weight, bias }, atOnce === undefined ? {} : { atOnce })),
          await run(() => linear({ x, weight: plain, bias }).y),
        ];
        expectClose(frozen[0]!, full[0]!);
        expectClose(frozen[1]!, full[1]!);
        for (const t of [weight, plain, x, bias, upstream]) t.dispose();
        expect(memory().tensors).toBe(before);
      },
    );

    it.each((["q8", "q4"] as const).flatMap((format) => ROUNDED.map(([m, n, k]) => [format, m, n, k] as const)))(
      "linearFrozen on %s may round: %i rows by [%i, %i] are those of linear, and the gradient is off by no more than 8 bits of each operand",
      async (format, m, n, k) => {
        const before = memory().tensors;
        const weight = packWeight(normals(1, n * k), [n, k], format);
        const w = await readFloats(weight);
        const [xs, ups] = [normals(2, m * k), normals(4, m * n)];
        // Blocks of very different sizes, one of nothing, and one number that the others of its block are nothing beside.
        for (let i = 0; i < m; i++) for (let o = 0; o < n; o++) ups[i * n + o]! *= 10 ** (((o >> 5) % 5) - 2);
        ups.fill(0, 0, Math.min(n, 32));
        ups[n - 1] = 1e4;
        const [x, upstream] = [tensor(xs, [m, k]), tensor(ups, [m, n])];
        const { value, grads } = valueAndGrads(() => {
          const y = linearFrozen({ x, weight }, { rounded: true });
          return sum(mul(y, upstream));
        }, [x]);
        const y = linear({ x, weight }).y;
        const products = mul(y, upstream);
        const expected = sum(products);
        expect((await readFloats(value))[0]).toBe((await readFloats(expected))[0]);
        const dx = await readFloats(grads[0]!);
        expect(dx).toHaveLength(m * k);
        const [exact, bound] = roundedBounds(ups, w, m, n, k);
        for (let i = 0; i < dx.length; i++)
          if (!(Math.abs(dx[i]! - exact[i]!) <= bound[i]!))
            expect([i, dx[i], exact[i]]).toEqual([i, "within", bound[i]]);
        for (const t of [weight, x, upstream, value, grads[0]!, y, products, expected]) t.dispose();
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
