import { readFloats, setBackend, stopBackend, tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gemm } from "../src/ops/matMul/gemm.ts";
import { webGpuBackend, type WebGpuBackend } from "../src/index.ts";

beforeAll(() => setBackend(webGpuBackend()));
afterAll(() => stopBackend("webgpu"));

/** The first 128 rows of a product whose left operand has `m`; a row more and its last tile is not whole. */
async function rowsOf(m: number): Promise<Float32Array> {
  const [n, k] = [64, 32];
  const backend = currentBackend() as WebGpuBackend;
  const a = tensor(
    Float32Array.from({ length: m * k }, (_, i) => Math.sin(1 + i)),
    [m, k],
  );
  const b = tensor(
    Float32Array.from({ length: n * k }, (_, i) => Math.cos(i)),
    [k, n],
  );
  const y = tensor(new Float32Array(m * n), [m, n]);
  gemm(backend, { m, n, k, transposeA: false, transposeB: false }, a, b, y);
  const values = (await readFloats(y)).slice(0, 128 * n);
  for (const t of [a, b, y]) t.dispose();
  return values;
}

it("whole tiles, which are not guarded, give the same to the last bit", async () => {
  const whole = await rowsOf(128);
  expect(whole).toEqual(await rowsOf(129));
  expect(whole.some((value) => value !== 0)).toBe(true);
});
