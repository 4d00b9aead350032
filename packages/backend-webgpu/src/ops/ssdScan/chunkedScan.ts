import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { Grid } from "../../shader/types.ts";
import { chunkConstants, chunkParams, type ChunkParams, type ChunkedShape, type ScanExtents } from "./chunks.ts";
import { halvedStates, takesHalves } from "./halvedStates.ts";

/** Operands of a scan with one decay a head. */
export interface ChunkedOperands {
  readonly q: TensorInfo;
  readonly k: TensorInfo;
  readonly v: TensorInfo;
  readonly D: TensorInfo | undefined;
  readonly z: TensorInfo | undefined;
  readonly initial: TensorInfo | undefined;
  /** [b, l, h, 4]: log decay, weight, weight at the own token, restart. */
  readonly coefficients: TensorInfo;
}

/** The code of how D is shaped: none, a head, a channel. */
export function skipMode(D: TensorInfo | undefined): number {
  return D ? D.shape.length : 0;
}

/** How one of the products is dispatched: `batch` of them, [rows, columns] each. */
export function productOf(
  backend: WebGpuBackend,
  s: ChunkedShape,
  batch: number,
  rows: number,
  columns: number,
): {
  tiles: Record<"Q" | "R" | "P" | "N" | "TX" | "TY" | "TK", number> & { WRITTEN_OUT: boolean };
  place: { params: ChunkParams; grid: Grid };
  /** Whether rows of scores, values and states are whole vec4s. */
  variant: { WIDTHS: "vector" | "scalar" };
} {
  const side = (extent: number): number => (extent > 32 ? 16 : extent > 16 ? 8 : 4);
  const [TX, TY] = [side(columns), side(rows)];
  const TK = Math.max(TX, TY);
  const tiles = Math.ceil(rows / (4 * TY)) * Math.ceil(columns / (4 * TX));
  const [y, z] = foldGrid(batch);
  return {
    tiles: { ...chunkConstants(s), TX, TY, TK, WRITTEN_OUT: !backend.traits.software },
    place: { params: chunkParams(s, batch), grid: [tiles, y, z] },
    variant: { WIDTHS: [s.Q * s.r, s.p, s.n].every((width) => width % 4 === 0) ? "vector" : "scalar" },
  };
}

/** Cumulative decays along every chunk, [b, chunks, h, Q, 8]. */
export function cumulate(backend: WebGpuBackend, s: ChunkedShape, coefficients: TensorInfo): TensorInfo {
  const batch = s.b * s.chunks * s.h;
  const decays = backend.scratch(batch * s.Q * 8);
  backend.runOver("ssdScan/cumulate", batch, 1, {
    constants: chunkConstants(s),
    params: chunkParams(s, batch),
    buffers: { coefficients, decays },
  });
  return decays;
}

/** Products of the rows of x and y inside every chunk, [b, chunks, heads, ROWS, ROWS]. */
export function rowScores(
  backend: WebGpuBackend,
  s: ChunkedShape,
  ofHeads: boolean,
  x: TensorInfo,
  y: TensorInfo,
): TensorInfo {
  const rows = s.Q * s.r;
  const batch = s.b * s.chunks * (ofHeads ? s.h : s.g);
  const scores = backend.scratch(batch * rows * rows);
  const { tiles, place } = productOf(backend, s, batch, rows, rows);
  backend.run("ssdScan/scores", {
    ...place,
    constants: { ...tiles, WIDTH: ofHeads ? s.p : s.n, OF_HEADS: ofHeads },
    buffers: { x, y, out: scores },
  });
  return scores;
}

/** What every chunk adds to the state after it, with `reverse` to the adjoint before it: [b, chunks, h, p, n]. */
function chunkStates(
  backend: WebGpuBackend,
  s: ChunkedShape,
  reverse: boolean,
  values: TensorInfo,
  keys: TensorInfo,
  decays: TensorInfo,
): TensorInfo {
  const states = backend.scratch(s.b * s.chunks * s.h * s.p * s.n);
  const loud = takesHalves(backend, s) ? halvedStates(backend, s, reverse, values, keys, decays, states) : undefined;
  const { tiles, place, variant } = productOf(backend, s, s.b * s.chunks * s.h, s.p, s.n);
  backend.run("ssdScan/chunkStates", {
    ...place,
    variant: { ...variant, WHEN: loud ? "Loud" : "Always" },
    constants: { ...tiles, ADJOINT: reverse },
    buffers: { values, keys, decays, states, ...(loud && { loud }) },
  });
  if (loud) backend.release(loud);
  return states;
}

/** States before every chunk [b, chunks, h, p, n]; with `reverse` the adjoints after every chunk. `last` gets what comes out at the end. */
export function carriedStates(
  backend: WebGpuBackend,
  s: ChunkedShape,
  reverse: boolean,
  values: TensorInfo,
  keys: TensorInfo,
  decays: TensorInfo,
  initial: TensorInfo | undefined,
  last: TensorInfo | undefined,
): TensorInfo {
  const states = chunkStates(backend, s, reverse, values, keys, decays);
  const WIDTH = (s.p * s.n) % 2 === 0 ? "2" : "1";
  const size = (s.b * s.h * s.p * s.n) / Number(WIDTH);
  backend.runOver("ssdScan/carry", size, 64, {
    variant: { WIDTH },
    constants: { ...chunkConstants(s), REVERSE: reverse },
    params: chunkParams(s, size),
    buffers: { decays, initial, states, last },
  });
  return states;
}

interface OutputOperands {
  readonly keys: TensorInfo;
  readonly values: TensorInfo;
  readonly scores: TensorInfo;
  readonly decays: TensorInfo;
  readonly states: TensorInfo | undefined;
  readonly D?: TensorInfo | undefined;
  readonly z?: TensorInfo | undefined;
}

/** Constants of outputs.wgsl: which terms, and in which direction. */
export interface OutputTerms {
  readonly BACKWARDS?: boolean;
  readonly FROM_CHUNK: boolean;
  readonly FROM_STATES: boolean;
  readonly OWN?: boolean;
}

export function chunkOutputs(
  backend: WebGpuBackend,
  s: ChunkedShape,
  terms: OutputTerms,
  o: OutputOperands,
  y: TensorInfo,
): void {
  const { tiles, place, variant } = productOf(backend, s, s.b * s.chunks * s.h, s.Q * s.r, s.p);
  backend.run("ssdScan/outputs", {
    ...place,
    variant,
    constants: { ...tiles, ...terms, SKIP: skipMode(o.D) },
    buffers: { ...o, y },
  });
}

/** Upstream scores with their decays and weights, summed over the heads of a group: [b, chunks, g, ROWS, ROWS]. */
export function pairSums(backend: WebGpuBackend, s: ChunkedShape, scores: TensorInfo, decays: TensorInfo): TensorInfo {
  const width = s.Q * s.r;
  const rows = s.b * s.chunks * s.g * width;
  const pairs = backend.scratch(rows * width);
  backend.runOver("ssdScan/pairSums", rows, 16, {
    constants: chunkConstants(s),
    params: chunkParams(s, rows),
    buffers: { scores, decays, pairs },
  });
  return pairs;
}

/** Gradients of q or (ofKeys) k, [b, l, g, r, n]. */
export function keyGrads(
  backend: WebGpuBackend,
  s: ChunkedShape,
  OF_KEYS: boolean,
  pairs: TensorInfo,
  values: TensorInfo,
  keys: TensorInfo,
  decays: TensorInfo,
  states: TensorInfo,
  out: TensorInfo,
): void {
  const { tiles, place, variant } = productOf(backend, s, s.b * s.chunks * s.g, s.Q * s.r, s.n);
  backend.run("ssdScan/keyGrads", {
    ...place,
    variant,
    constants: { ...tiles, OF_KEYS },
    buffers: { pairs, values, keys, decays, states, out },
  });
}

/** Bytes that the states of one segment of chunks may take. */
const segmentBytes = 2 ** 28;

/** The scan of one segment of chunks: scores, chunk states, carry, outputs. */
function segmentForward(
  backend: WebGpuBackend,
  s: ChunkedShape,
  { q, k, v, D, z, initial, coefficients }: ChunkedOperands,
  y: TensorInfo,
  last: TensorInfo | undefined,
): void {
  const decays = cumulate(backend, s, coefficients);
  const scores = rowScores(backend, s, false, q, k);
  // One chunk that starts from nothing and hands nothing on has no states.
  const states =
    s.chunks > 1 || initial || last ? carriedStates(backend, s, false, v, k, decays, initial, last) : undefined;
  chunkOutputs(
    backend,
    s,
    { FROM_CHUNK: true, FROM_STATES: !!states },
    { keys: q, values: v, scores, decays, states, D, z },
    y,
  );
  backend.release(decays, scores, ...(states ? [states] : []));
}

/** Runs a scan as many chunks at a time as memory allows: `words` a chunk of all rows and heads; the state goes from segment to segment. */
export function segments(
  backend: WebGpuBackend,
  s: ChunkedShape,
  words: number,
  initial: TensorInfo | undefined,
  last: TensorInfo | undefined,
  run: (segment: ChunkedShape, before: TensorInfo | undefined, after: TensorInfo | undefined) => void,
): void {
  const most = Math.max(1, Math.floor(Math.min(segmentBytes, backend.traits.maxBinding) / (4 * words)));
  let before: TensorInfo | undefined;
  for (let firstChunk = 0; firstChunk < s.chunks; firstChunk += most) {
    const chunks = Math.min(most, s.chunks - firstChunk);
    const after = firstChunk + chunks === s.chunks ? last : backend.scratch(s.b * s.h * s.p * s.n);
    run({ ...s, firstChunk, chunks }, before ?? initial, after);
    if (before) backend.release(before);
    before = after;
  }
}

/** The whole scan in chunks, as matrix products. */
export function chunkedForward(
  backend: WebGpuBackend,
  s: ChunkedShape,
  operands: ChunkedOperands,
  y: TensorInfo,
  last: TensorInfo | undefined,
): void {
  const words = Math.max(s.b * s.h * s.p * s.n, s.b * s.g * (s.Q * s.r) ** 2);
  segments(backend, s, words, operands.initial, last, (segment, initial, after) =>
    segmentForward(backend, segment, { ...operands, initial }, y, after),
  );
}

/** Extents of a Mamba-2 scan, or of one token of it. */
export function ssdExtents(inputs: KernelInputs): ScanExtents {
  const shape = inputs.x!.shape;
  const [h, p] = shape.slice(-2) as [number, number];
  const [g, n] = inputs.B!.shape.slice(-2) as [number, number];
  return { b: shape[0]!, l: shape.length === 4 ? shape[1]! : 1, h, g, r: 1, p, n };
}
