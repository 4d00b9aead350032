import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { cumulate, productOf, segments } from "../ssdScan/chunkedScan.ts";
import { chunkConstants, chunkParams, type ChunkedShape } from "../ssdScan/chunks.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** From how many tokens on, and for which states, the rule runs in chunks: below, chunks cost more than they gather. A test may lower it. */
export const chunkWishes: { leastTokens: number } = { leastTokens: 65 };

/** Rows of a state that the chain's workgroup memory is laid out for. */
const mostRows = 128;

/** Tokens a chunk; the chain's columns a workgroup, columns of W and tokens of k a slice: the largest whose workgroup memory a device has. */
interface Cut {
  readonly Q: number;
  readonly CB: number;
  readonly KB: number;
  readonly TB: number;
}
const cuts: readonly (Cut & { readonly memory: number })[] = [
  { Q: 64, CB: 32, KB: 64, TB: 32, memory: 42_000 },
  { Q: 64, CB: 16, KB: 32, TB: 16, memory: 27_000 },
  { Q: 32, CB: 16, KB: 32, TB: 8, memory: 0 },
];

/** Whether a scan runs in chunks: one decay a head, enough tokens, and anything to do. */
export function runsInChunks({ q, g, v }: KernelInputs): boolean {
  const [l, n] = [q!.shape[1]!, q!.shape[3]!];
  return g!.shape.length === 3 && l >= chunkWishes.leastTokens && n > 0 && n <= mostRows && sizeOf(v!.shape) > 0;
}

/** Factors and coefficients of every token and head; release them after use. */
function scalarsOf(
  backend: WebGpuBackend,
  { q, k, g, beta, seqIdx }: KernelInputs,
  { scale, l2norm, l2eps }: KernelAttrs,
): { coefficients: TensorInfo; factors: TensorInfo } {
  const [b, l, h, n] = q!.shape as [number, number, number, number];
  const count = b * l * h;
  const [coefficients, factors] = [backend.scratch(4 * count), backend.scratch(count)];
  backend.runOver("gatedDeltaRule/scalars", count, 4, {
    constants: { L2NORM: l2norm === true },
    params: { count, l, h, n, scale: (scale as number) || 1 / Math.sqrt(n), l2eps: l2eps as number },
    buffers: { q: q!, k: k!, g: g!, beta: beta!, seqIdx, coefficients, factors },
  });
  return { coefficients, factors };
}

interface Operands {
  readonly q: TensorInfo;
  readonly k: TensorInfo;
  readonly v: TensorInfo;
  readonly coefficients: TensorInfo;
  readonly factors: TensorInfo;
  readonly y: TensorInfo;
}

/** Chunks of one segment: what their tokens are to each other, the states that they hand on, what is read of both. */
function segment(
  backend: WebGpuBackend,
  s: ChunkedShape,
  { CB, KB, TB }: Cut,
  { q, k, v, coefficients, factors, y }: Operands,
  initial: TensorInfo | undefined,
  last: TensorInfo | undefined,
): void {
  const { b, chunks, h, n, p, Q } = s;
  const blocks = b * chunks * h;
  const decays = cumulate(backend, s, coefficients);
  const attention = backend.scratch(blocks * Q * Q);
  const [W, errors] = [backend.scratch(b * s.l * h * n), backend.scratch(b * s.l * h * p)];
  const inChunk = productOf(backend, s, blocks, Q, Q);
  const { variant } = inChunk;
  backend.run("gatedDeltaRule/inChunk", {
    ...inChunk.place,
    variant,
    constants: inChunk.tiles,
    buffers: { q, k, v, decays, factors, attention, W, U: errors },
  });
  const states = backend.scratch(blocks * n * p);
  const chains = b * h * Math.ceil(p / CB);
  const { WRITTEN_OUT } = inChunk.tiles;
  backend.runOver("gatedDeltaRule/chain", chains, 1, {
    variant,
    constants: { ...chunkConstants(s), CB, KB: Math.min(KB, Math.ceil(n / 8) * 8), TB, WRITTEN_OUT },
    params: chunkParams(s, chains),
    buffers: { decays, k, W, lacks: errors, initial, states, last },
  });
  const outputs = productOf(backend, s, blocks, Q, p);
  backend.run("gatedDeltaRule/outputs", {
    ...outputs.place,
    variant,
    constants: outputs.tiles,
    buffers: { q, attention, errors, states, decays, factors, y },
  });
  backend.release(decays, attention, W, errors, states);
}

/**
 * The rule in chunks: inside a chunk the errors of all tokens are the solution of a triangular system, so that only whole chunks follow one
 * another (the WY form, arXiv 2406.06484, with the decays of arXiv 2412.06464). The system is solved, not inverted.
 */
export function chunkedRule(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  attrs: KernelAttrs,
  y: TensorInfo,
  last: TensorInfo | undefined,
): void {
  const { q, k, v, initialState } = inputs;
  const [b, l, h, n] = q!.shape as [number, number, number, number];
  const cut = cuts.find(({ memory }) => memory <= backend.traits.maxWorkgroupMemory)!;
  const { Q } = cut;
  const whole = { b, l, h, g: h, r: 1, p: v!.shape[3]!, n, Q, chunks: Math.ceil(l / Q), firstChunk: 0 };
  const { coefficients, factors } = scalarsOf(backend, inputs, attrs);
  const operands = { q: q!, k: k!, v: v!, coefficients, factors, y };
  segments(backend, whole, Math.max(n * whole.p, Q * Q) * b * h, initialState, last, (s, before, after) =>
    segment(backend, s, cut, operands, before, after),
  );
  backend.release(coefficients, factors);
}
