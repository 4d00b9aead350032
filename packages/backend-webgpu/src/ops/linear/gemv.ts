import type { TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { ShaderName } from "../../shaders.ts";
import { formatSuffix, scalesOffset, wordElements } from "./formats.ts";

/** Rows of x up to which reading the weight once, row by row, beats tiles. */
export const gemvRows = 8;

/** Threads that keep a large device busy. */
const wantedThreads = 98_304;

/** y [m, n] = x [m, k] W [n, k]^T + bias for m <= gemvRows. */
export function gemv(
  backend: WebGpuBackend,
  m: number,
  n: number,
  k: number,
  x: TensorInfo,
  weight: TensorInfo,
  bias: TensorInfo | undefined,
  y: TensorInfo,
): void {
  const format = backend.formatOf(weight);
  const subgroups = backend.traits.subgroupMin >= 32;
  const WG = Math.min(128, backend.traits.maxInvocations);
  const words = k / wordElements(format);
  const powerOfTwo = (x: number): number => 2 ** Math.round(Math.log2(Math.max(1, x)));
  // Few rows get many threads each, so that the device is busy; none gets more than has words to read.
  const LANES = Math.min(WG, powerOfTwo(Math.max(32, wantedThreads / n)), powerOfTwo(words));
  const AHEAD = Math.max(1, Math.min(6, Math.ceil(words / LANES)));
  backend.dispatch(`linear/gemv${formatSuffix[format]}${subgroups ? "Subgroups" : ""}` as ShaderName, {
    constants: { WG, LANES, AHEAD, M: m, HAS_BIAS: !!bias },
    params: [n, k, scalesOffset(format, n, k)],
    bindings: [x, weight, bias, y],
    grid: foldGrid(Math.ceil(n / (WG / LANES))),
  });
}
