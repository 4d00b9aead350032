import { full, tensor, type Tensor } from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import type { WebGpuBackend } from "../src/index.ts";
import { gemm } from "../src/ops/matMul/gemm.ts";
import { gemv } from "../src/ops/linear/gemv.ts";
import { uniform } from "./random.ts";
import type { Report } from "./report.ts";
import { deviceMs } from "./scan.ts";

/** Matrix products with A or B transposed, or neither, or both. */
export async function benchGemm(m: number, n: number, k: number, report: Report, repeats = 7): Promise<void> {
  const backend = currentBackend() as WebGpuBackend;
  const a = tensor(uniform(1, m * k), [m, k]);
  const b = tensor(uniform(2, k * n), [k, n]);
  const out = full([m, n], 0);
  const line: string[] = [];
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const { ms } = await deviceMs(() => gemm(backend, { m, n, k, transposeA, transposeB }, a, b, out), repeats);
      line.push(
        `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"} ${ms.toFixed(3)} ms ${((2 * m * n * k) / ms / 1e9).toFixed(1)} TFLOP/s`,
      );
    }
  }
  report({ bench: "gemm", shape: `${m}x${n}x${k}`, figures: line.join("  ") });
  for (const t of [a, b, out]) t.dispose();
}

/** Matrix-vector products whose weights come from memory. */
export async function benchGemv(n: number, k: number, report: Report): Promise<void> {
  const backend = currentBackend() as WebGpuBackend;
  const x = tensor(uniform(1, k), [1, k]);
  const out = full([1, n], 0);
  // Several weights in turn, so that the cache does not hold them.
  const copies = Math.min(16, Math.ceil(2e8 / (4 * n * k)));
  const weights: Tensor[] = Array.from({ length: copies }, (_, i) => tensor(uniform(i, n * k), [n, k]));
  const { ms } = await deviceMs(() => weights.forEach((w) => gemv(backend, 1, n, k, x, w, undefined, out)), 5);
  report({
    bench: "gemv",
    shape: `${n}x${k}`,
    figures: `${(ms / copies).toFixed(4)} ms, ${((4 * n * k * copies) / ms / 1e6).toFixed(0)} GB/s`,
  });
  for (const t of [x, out, ...weights]) t.dispose();
}
