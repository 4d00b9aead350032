import type { StorageFormat, TensorInfo, WeightFormat } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import type { DeviceTraits } from "../../device/device.ts";
import { foldGrid } from "../../device/launch.ts";
import type { Grid } from "../../shader/types.ts";
import { sumsOf } from "../shared/sums.ts";
import { scalesOffset, weightFormat, wholeWords, wordElements } from "./formats.ts";

/** Rows of x up to which reading the weight once, row by row, beats tiles. */
const gemvRows = 8;

/** True where m rows of x meet a weight [n, k] row by row. */
export function isGemv(m: number, k: number, format: StorageFormat): boolean {
  return m > 0 && m <= gemvRows && wholeWords(format, k);
}

/** Threads that keep a large device busy. */
const wantedThreads = 98_304;

/** Inputs that a workgroup keeps in its memory: a quarter more with their squares, of the 16 KiB that every device has. */
const stagedAtMost = 2048;

/** Of k inputs that something is made of before they meet a weight, how many a workgroup makes for all of its rows and keeps. */
export function stagedInputs(k: number): number {
  return k <= stagedAtMost ? k : 0;
}

/** How the rows of a weight [n, k] are spread over threads. */
export interface GemvPlan {
  readonly variant: { readonly FORMAT: WeightFormat; readonly SUMS: "workgroup" | "subgroup" };
  readonly constants: { readonly WG: number; readonly LANES: number; readonly AHEAD: number };
  readonly params: { readonly n: number; readonly k: number; readonly scales: number };
  readonly grid: Grid;
}

export function planGemv(n: number, k: number, stored: StorageFormat, traits: DeviceTraits): GemvPlan {
  const WG = Math.min(128, traits.maxInvocations);
  const words = k / wordElements(stored);
  const powerOfTwo = (x: number): number => 2 ** Math.round(Math.log2(Math.max(1, x)));
  // Few rows get many threads each, so that the device is busy; none gets more than has words to read.
  // Many rows: some three words a thread, so that several are on their way.
  const least = Math.min(32, powerOfTwo(words / 3));
  const LANES = Math.min(WG, powerOfTwo(Math.max(least, wantedThreads / n)), powerOfTwo(words));
  const AHEAD = Math.max(1, Math.min(6, Math.ceil(words / LANES)));
  return {
    variant: { FORMAT: weightFormat(stored), SUMS: sumsOf(traits) },
    constants: { WG, LANES, AHEAD },
    params: { n, k, scales: scalesOffset(stored, n, k) },
    grid: foldGrid(Math.ceil(n / (WG / LANES))),
  };
}

/** y [m, n] = x [m, k] W [n, k]^T + bias where `isGemv`. */
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
  const { constants, ...plan } = planGemv(n, k, backend.formatOf(weight), backend.traits);
  backend.run("linear/gemv", { ...plan, constants: { ...constants, M: m }, buffers: { x, W: weight, bias, y } });
}
