import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { fillWith } from "../make/fill.ts";
import { chunkConstants, chunkParams, type ChunkedShape } from "./chunks.ts";

/** How scans in chunks are made. A test may make products of half floats without matrix units, an element at a time ("always"). */
export const scanWishes: { halves: "by precision" | "never" | "always" } = { halves: "by precision" };

/** Heads that a workgroup makes one after the other. */
const headsInTurn = 4;

/** Whether chunk states are made of half floats: chunks and heads of 64 (without matrix units 32), one rank, keys that several heads share. */
export function takesHalves(backend: WebGpuBackend, s: ChunkedShape): boolean {
  const { matrixScans } = backend.traits;
  const wished = scanWishes.halves === "always" || (scanWishes.halves === "by precision" && matrixScans);
  const side = matrixScans ? 64 : 32;
  return wished && s.Q === side && s.p === side && (s.n === side || s.n === 2 * side) && s.r === 1 && s.h >= 2 * s.g;
}

/**
 * What every chunk adds to the state, or to the adjoint, by products of half floats: two an operand, three products, sums in f32. The word that
 * comes back tells whether an operand is left to f32, being no number or as large as 2^30; release it after use.
 */
export function halvedStates(
  backend: WebGpuBackend,
  s: ChunkedShape,
  ADJOINT: boolean,
  values: TensorInfo,
  keys: TensorInfo,
  decays: TensorInfo,
  states: TensorInfo,
): TensorInfo {
  const loud = backend.scratch(1);
  fillWith(backend, loud, 0);
  const HEADS = Math.min(headsInTurn, s.h / s.g);
  const batch = s.b * s.chunks * s.g * Math.ceil(s.h / s.g / HEADS);
  backend.run("ssdScan/chunkStatesHalves", {
    variant: { UNITS: backend.traits.matrixScans ? "Matrix" : "Plain" },
    constants: { ...chunkConstants(s), ADJOINT, HEADS, WG: 2 * s.n },
    params: chunkParams(s, batch),
    buffers: { values, keys, decays, states, loud },
    grid: foldGrid(batch),
  });
  return loud;
}
