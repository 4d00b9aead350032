import type { StorageFormat, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { ShaderName } from "../../shaders.ts";

/** Rows of x up to which reading the weight once, row by row, beats tiles. */
export const gemvRows = 8;

const suffix: Partial<Record<StorageFormat, string>> = { f32: "", f16: "F16", bf16: "Bf16", q8: "Q8", q4: "Q4" };

/** Elements of k that a thread takes at once: 16 bytes of the weight. */
const widths: Partial<Record<StorageFormat, number>> = { f32: 4, f16: 8, bf16: 8, q8: 16, q4: 32 };

/** True where the weight's rows are whole 16-byte words. */
export function gemvFits(format: StorageFormat, k: number): boolean {
  return k % widths[format]! === 0;
}

/** y [m, n] = x [m, k] W [n, k]^T + bias for m <= gemvRows. */
export function gemv(backend: WebGpuBackend, m: number, n: number, k: number, x: TensorInfo, weight: TensorInfo, bias: TensorInfo | undefined, y: TensorInfo): void {
  const format = backend.formatOf(weight);
  const subgroups = backend.traits.subgroupMin >= 32;
  const WG = Math.min(128, backend.traits.maxInvocations);
  // Enough threads a row to cover it once or twice, and no more.
  const LANES = Math.min(32, 2 ** Math.ceil(Math.log2(Math.max(1, k / widths[format]! / 2))));
  const perBlock = format === "q8" ? 32 : 16;
  const scales = format === "q8" || format === "q4" ? (n * (k / 32) * perBlock) / 16 : 0;
  backend.dispatch(`linear/gemv${suffix[format]}${subgroups ? "Subgroups" : ""}` as ShaderName, {
    constants: { WG, LANES, M: m, HAS_BIAS: !!bias },
    params: [n, k, scales],
    bindings: [x, weight, bias, y],
    grid: foldGrid(Math.ceil(n / (WG / LANES))),
  });
}
