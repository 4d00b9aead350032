import type { TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { ShaderName } from "../../shaders.ts";
import { formatSuffix, scalesOffset, wordElements } from "./formats.ts";

/** Rows of x up to which reading the weight once, row by row, beats tiles. */
export const gemvRows = 8;

/** y [m, n] = x [m, k] W [n, k]^T + bias for m <= gemvRows. */
export function gemv(backend: WebGpuBackend, m: number, n: number, k: number, x: TensorInfo, weight: TensorInfo, bias: TensorInfo | undefined, y: TensorInfo): void {
  const format = backend.formatOf(weight);
  const subgroups = backend.traits.subgroupMin >= 32;
  const WG = Math.min(128, backend.traits.maxInvocations);
  // Enough threads a row to cover it once or twice, and no more.
  const LANES = Math.min(32, 2 ** Math.ceil(Math.log2(Math.max(1, k / wordElements(format) / 2))));
  backend.dispatch(`linear/gemv${formatSuffix[format]}${subgroups ? "Subgroups" : ""}` as ShaderName, {
    constants: { WG, LANES, M: m, HAS_BIAS: !!bias },
    params: [n, k, scalesOffset(format, n, k)],
    bindings: [x, weight, bias, y],
    grid: foldGrid(Math.ceil(n / (WG / LANES))),
  });
}
