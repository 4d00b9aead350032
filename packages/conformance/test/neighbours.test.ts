import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import { readFloats, setBackend, tensor, valueAndGrads, sum, mul, type Tensor } from "@statespace/core";
import { fftConv, inverseRealFft } from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
import { Draw } from "../src/cases/opCase.ts";
import { describeOn } from "../src/harness/describeOn.ts";

const [L, D] = [70, 3];
const row = (seed: number, length: number): Float32Array => Float32Array.from(new Draw(seed).normal([length]).data);
const beside = (own: Float32Array, other: Float32Array, shape: readonly number[]): Tensor =>
  tensor(Float32Array.of(...own, ...other), shape);

/** What a row gives beside different others: the same to some units of 2^-24, whatever they hold. */
async function expectAlone(run: (other: Float32Array) => Promise<Float32Array>, length: number): Promise<void> {
  const plain = await run(row(2, length));
  const peak = Math.max(...plain.map(Math.abs));
  for (const other of [
    row(2, length).fill(Number.NaN),
    row(2, length).map((x) => 1e10 * x),
    row(2, length).map((x) => 1e-10 * x),
  ]) {
    const got = await run(other);
    got.forEach((x, i) => expect(Math.abs(x - plain[i]!)).toBeLessThan(64 * 2 ** -24 * peak));
  }
}

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));
    const own = row(1, L * D);
    const k = (): Tensor => tensor(row(3, D * L), [D, L]);

    it("a row of a long convolution does not depend on the row beside it", () =>
      expectAlone(async (other) => {
        const { y } = fftConv({ u: beside(own, other, [2, L, D]), k: k() });
        return (await readFloats(y)).subarray(0, L * D);
      }, L * D));

    it("nor does its gradient", () =>
      expectAlone(async (other) => {
        const u = beside(own, row(5, L * D), [2, L, D]);
        const weights = beside(row(6, L * D), other, [2, L, D]);
        const { grads } = valueAndGrads(() => sum(mul(fftConv({ u, k: k() }).y, weights)), [u]);
        return (await readFloats(grads[0]!)).subarray(0, L * D);
      }, L * D));

    it("a row of an inverse transform does not depend on those beside it", async () => {
      for (const seqLen of [16, 31]) {
        const width = 2 * (Math.floor(seqLen / 2) + 1);
        const shape = [5, width / 2, 2];
        await expectAlone(async (other) => {
          const x = tensor(Float32Array.of(...row(1, width), ...other), shape);
          return (await readFloats(inverseRealFft({ x }, { seqLen }).y)).subarray(0, seqLen);
        }, 4 * width);
      }
    });
  });
