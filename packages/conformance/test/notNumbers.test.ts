import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  causalAttention,
  readFloats,
  readInts,
  selectiveScan,
  setBackend,
  tensor,
  valueAndGrads,
  sum,
  type Tensor,
} from "@statespace/core";
import * as ops from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { describeOn } from "../src/harness/describeOn.ts";

const of = (...values: number[]): Tensor => tensor(values, [values.length]);
const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values), [values.length]);
const read = async (t: Tensor): Promise<number[]> => [...(await readFloats(t))];
const gradient = async (f: (x: Tensor) => Tensor, ...at: number[]): Promise<number[]> => {
  const x = of(...at);
  return read(valueAndGrads(() => sum(f(x)), [x]).grads[0]!);
};

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));

    it.each([
      "relu",
      "sigmoid",
      "tanh",
      "softplus",
      "silu",
      "gelu",
      "exp",
      "expm1",
      "log",
      "log1p",
      "sqrt",
      "rsqrt",
      "abs",
      "erf",
      "sin",
    ] as const)("%s of NaN is NaN", async (name) =>
      expect((await read(ops[name](of(1, Number.NaN, 0.5)))).map(Number.isNaN)).toEqual([false, true, false]),
    );

    it("NaN goes through comparisons, folds and limits", async () => {
      const x = of(1, Number.NaN, 2);
      const nan = [false, true, false];
      expect((await read(ops.maximum(x, 0))).map(Number.isNaN)).toEqual(nan);
      expect((await read(ops.minimum(0, x))).map(Number.isNaN)).toEqual(nan);
      expect((await read(ops.clip(x, 0, 1))).map(Number.isNaN)).toEqual(nan);
      expect(await read(ops.max(x))).toEqual([Number.NaN]);
      expect(await read(ops.min(ops.reshape(x, [3, 1]), 0))).toEqual([Number.NaN]);
      expect((await read(ops.softmax(x))).every(Number.isNaN)).toBe(true);
      expect([...(await ops.equal(x, x).data())]).toEqual([1, 0, 1]);
      expect([...(await ops.notEqual(x, x).data())]).toEqual([0, 1, 0]);
      for (const compare of [ops.greater, ops.greaterEqual, ops.less, ops.lessEqual, ops.equal])
        for (const [a, b] of [
          [x, 1],
          [1, x],
        ] as const)
          expect([...(await compare(a, b).data())][1]).toBe(0);
      expect([...(await ops.lessEqual(of(-Infinity, 0, Infinity), of(-Infinity, -0, -1)).data())]).toEqual([1, 1, 0]);
    });

    it("e^x leaves float32 as it should", async () => {
      expect(await read(ops.exp(of(89, -110)))).toEqual([Infinity, 0]);
      expect(await read(ops.expm1(of(89, -110)))).toEqual([Infinity, -1]);
      expect(await read(ops.pow(of(2, 0.5, 10, 10), of(200.5, 200.5, 100.5, -100.5)))).toEqual([
        Infinity,
        0,
        Infinity,
        0,
      ]);
    });

    it("functions have no number outside of where they are, and infinities at their ends", async () => {
      const ends = of(-1, 0, Infinity, -Infinity, -3);
      expect(await read(ops.log(ends))).toEqual([NaN, -Infinity, Infinity, NaN, NaN]);
      expect(await read(ops.log1p(ends))).toEqual([-Infinity, 0, Infinity, NaN, NaN]);
      expect(await read(ops.sqrt(ends))).toEqual([NaN, 0, Infinity, NaN, NaN]);
      expect(await read(ops.rsqrt(ends))).toEqual([NaN, Infinity, 0, NaN, NaN]);
      expect(await read(ops.softplus(of(-Infinity, Infinity)))).toEqual([0, Infinity]);
      expect(await read(ops.gelu(of(-Infinity, Infinity)))).toEqual([0, Infinity].map((x) => expect.closeTo(x, 9)));
      expect((await read(ops.log(of(1e-40))))[0]).toBeCloseTo(Math.log(1e-40), 4);
      const [a, b] = [
        of(-Infinity, -Infinity, 1, 1, -1, Infinity, 0.5, -2, 0),
        of(0.5, 3, Infinity, NaN, Infinity, -1, Infinity, 0.5, -1),
      ];
      expect(await read(ops.pow(a, b))).toEqual([Infinity, -Infinity, 1, 1, 1, 0, 0, NaN, Infinity]);
    });

    it("a NaN in any logit is in the loss of its row and in its gradient, and in no other's", async () => {
      for (const width of [4, 300])
        for (const at of [1, width - 1]) {
          const logits = tensor(
            Float32Array.from({ length: 2 * width }, (_, i) => (i === at ? Number.NaN : i % 7)),
            [2, width],
          );
          const of = (x: Tensor): Tensor => ops.crossEntropy({ logits: x, targets: ints(0, 1) }).losses;
          expect((await read(of(logits))).map(Number.isNaN)).toEqual([true, false]);
          const { grads } = valueAndGrads(() => sum(of(logits)), [logits]);
          const rows = await read(grads[0]!);
          expect([rows.slice(0, width).some(Number.isNaN), rows.slice(width).some(Number.isNaN)]).toEqual([
            true,
            false,
          ]);
        }
    });

    it("a NaN in delta is in the scan", async () => {
      const full = (value: number, ...shape: number[]): Tensor =>
        tensor(new Float32Array(shape.reduce((n, extent) => n * extent, 1)).fill(value), shape);
      const { y } = selectiveScan(
        {
          u: full(1, 1, 3, 1),
          delta: tensor([0, Number.NaN, 0], [1, 3, 1]),
          A: full(-1, 1, 1),
          B: full(1, 1, 3, 1),
          C: full(1, 1, 3, 1),
        },
        { deltaSoftplus: true },
      );
      expect((await read(y)).map(Number.isNaN)).toEqual([false, true, true]);
    });

    it("a NaN that was written stays where the decay is 0, and one in A is in the state", async () => {
      const fill = (value: number, ...shape: number[]): Tensor =>
        tensor(new Float32Array(shape.reduce((n, extent) => n * extent, 1)).fill(value), shape);
      const known = async (t: Tensor): Promise<boolean[]> => (await read(t)).map(Number.isNaN);
      const token = { u: fill(1, 1, 2), delta: fill(1000, 1, 2), B: fill(1, 1, 2), C: fill(1, 1, 2) };
      const states = { decayed: tensor([1, Number.NaN, 1, 1], [1, 2, 2]), odd: fill(1, 1, 2, 2) };
      ops.selectiveScanStep({ ...token, A: fill(-1, 2, 2), state: states.decayed }, { deltaSoftplus: false });
      expect(await known(states.decayed)).toEqual([false, true, false, false]);
      ops.selectiveScanStep({ ...token, A: tensor([-1, -1, Number.NaN, -1], [2, 2]), state: states.odd });
      expect(await known(states.odd)).toEqual([false, false, true, false]);
      const odd = ops.selectiveScan(
        {
          u: fill(1, 1, 3, 1),
          delta: fill(1, 1, 3, 1),
          A: fill(Number.NaN, 1, 1),
          B: fill(1, 1, 3, 1),
          C: fill(1, 1, 3, 1),
          initialState: fill(1, 1, 1, 1),
          seqIdx: tensor(Int32Array.of(0, 1, 1), [1, 3]),
        },
        { returnLastState: true },
      );
      expect(await known(odd.y)).toEqual([true, true, true]);
      expect(await known(odd.lastState!)).toEqual([true]);
      const state = tensor([1, Number.NaN], [1, 1, 1, 2]);
      const heads = {
        x: fill(1, 1, 1, 1),
        dt: fill(1000, 1, 1),
        A: fill(-1, 1),
        B: fill(1, 1, 1, 2),
        C: fill(1, 1, 1, 2),
      };
      ops.ssdScanStep({ ...heads, state });
      expect(await known(state)).toEqual([false, true]);
      const matrix = tensor([1, Number.NaN], [1, 1, 1, 2]);
      const trapezoid = { q: fill(1, 1, 1, 1, 2), k: fill(1, 1, 1, 1, 2), v: fill(1, 1, 1, 1, 1), dt: fill(1, 1, 1) };
      const before = { lastK: fill(1, 1, 1, 1, 2), lastV: fill(1, 1, 1, 1, 1) };
      ops.mamba3ScanStep({ ...trapezoid, ...before, adt: fill(-1000, 1, 1), trap: fill(0, 1, 1), state: matrix });
      expect(await known(matrix)).toEqual([false, true]);
    });

    it("a NaN in a value whose weight is 0 of itself is in the attention, and one that is hidden is not", async () => {
      const q = tensor([1, 1], [1, 2, 1, 1]);
      const k = tensor([-400, 0], [1, 2, 1, 1]);
      const v = tensor([Number.NaN, 1], [1, 2, 1, 1]);
      expect((await read(causalAttention({ q, k, v }).y)).map(Number.isNaN)).toEqual([true, true]);
      const visible = tensor([0, 1], [1, 2]);
      expect((await read(causalAttention({ q, k, v, visible }).y)).map(Number.isNaN)).toEqual([true, false]);
    });

    it("a NaN in a query or a key that is seen is in the attention", async () => {
      const q = tensor([1, Number.NaN, 1, 1], [1, 4, 1, 1]);
      const k = tensor([1, 1, Number.NaN, 1], [1, 4, 1, 1]);
      const v = tensor([1, 2, 3, 4], [1, 4, 1, 1]);
      expect((await read(causalAttention({ q, k, v }).y)).map(Number.isNaN)).toEqual([false, true, true, true]);
    });

    it("int32 wraps around, and is cut toward zero", async () => {
      const [x, y] = [ints(65_537, -7, 7, 3, 2, -1, 0), ints(65_537, 2, 0, 40, -1, -3, -1)];
      expect([...(await readInts(ops.mul(x, y)))]).toEqual([131_073, -14, 0, 120, -2, 3, 0]);
      expect([...(await readInts(ops.div(x, y)))]).toEqual([1, -3, 0, 0, -2, 0, 0]);
      expect([
        ...(await readInts(ops.pow(ints(3, 3, 2, -1, -1, 1, 5), ints(40, 5, -1, -3, 4, -9, 2 ** 31 - 1)))),
      ]).toEqual([Number(BigInt.asIntN(32, 3n ** 40n)), 243, 0, -1, 1, 1, powerWrapped(5, 2 ** 31 - 1)]);
      expect([...(await readInts(ops.square(ints(65_537))))]).toEqual([131_073]);
    });

    it("slopes far out have their digits", async () => {
      const close = (got: readonly number[], want: readonly number[]): void =>
        got.forEach((value, i) => expect(Math.abs(value / want[i]! - 1)).toBeLessThan(2e-6));
      close(await gradient(ops.expm1, -20, -40), [Math.exp(-20), Math.exp(-40)]);
      close(await gradient(ops.sigmoid, 20, -20), [Math.exp(-20), Math.exp(-20)]);
      close(await gradient(ops.tanh, 12, -12), [4 * Math.exp(-24), 4 * Math.exp(-24)]);
      close(await gradient((x) => ops.mul(ops.reciprocal(x), 1e-12), 1e-20), [-1e28]);
      close(await gradient((x) => ops.mul(ops.rsqrt(x), 1e-6), 1e-26), [-0.5e33]);
      expect(await gradient((x) => ops.pow(x, 2), 0, 3)).toEqual([0, 6]);
    });
  });

/** a^b modulo 2^32, as an int32. */
function powerWrapped(a: number, b: number): number {
  let result = 1;
  for (let rest = b, square = a; rest > 0; rest = Math.floor(rest / 2), square = Math.imul(square, square))
    if (rest % 2 === 1) result = Math.imul(result, square);
  return result;
}
