import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import {
  carriedStates,
  chunkOutputs,
  cumulate,
  keyGrads,
  pairSums,
  rowScores,
  skipMode,
  type ChunkedOperands,
} from "./chunkedScan.ts";
import { chunkConstants, chunkParams, type ChunkedShape } from "./chunks.ts";

/** What comes out of the scan's adjoint; release `perToken` after use. */
export interface ChunkedGrads {
  readonly dQ: TensorInfo;
  readonly dK: TensorInfo;
  readonly dV: TensorInfo;
  readonly dZ: TensorInfo | undefined;
  /** [b, h, p, n] of the state before the first token, if asked for. */
  readonly dInitial: TensorInfo | undefined;
  /** Gradients of log decay, weight and own weight, and dout . v: [b, l, h, 4]. */
  readonly perToken: TensorInfo;
  /** Of D [h, p]. */
  readonly dSkip: TensorInfo | undefined;
}

/** Rounded up so that a part that starts there can be bound as it is. */
export function aligned(size: number): number {
  return Math.ceil(size / 64) * 64;
}

/** Sum over the leading axis of x [rows, ...shape], from an element of a scratch buffer on. */
export function sumRows(
  backend: WebGpuBackend,
  from: TensorInfo,
  offset: number,
  rows: number,
  shape: readonly number[],
): TensorInfo {
  const out = backend.output(shape);
  const part = backend.view(from, [rows, ...shape], offset);
  foldAxis(backend, foldOps.sum, part, 1, rows, sizeOf(shape), out);
  backend.release(part);
  return out;
}

/** dout = dy silu(z), or dy itself. */
function gated(backend: WebGpuBackend, dY: TensorInfo, z: TensorInfo | undefined): TensorInfo {
  if (!z) return dY;
  const dOut = backend.output(dY.shape);
  const count = sizeOf(dY.shape);
  backend.runOver("ssdScan/gate", count, 256, { params: { count }, buffers: { dY, z, dOut } });
  return dOut;
}

/** Adjoint of `chunkedForward`; scores and states are computed again. */
export function chunkedBackward(
  backend: WebGpuBackend,
  s: ChunkedShape,
  operands: ChunkedOperands,
  dY: TensorInfo | undefined,
  dLast: TensorInfo | undefined,
  wantsInitial: boolean,
): ChunkedGrads {
  const { q, k, v, D, z, initial, coefficients } = operands;
  const upstream = dY ?? backend.output(v.shape);
  if (!dY) fillWith(backend, upstream, 0);
  const dOut = gated(backend, upstream, z);
  const dInitial = wantsInitial ? backend.output([s.b, s.h, s.p, s.n]) : undefined;
  const decays = cumulate(backend, s, coefficients);
  const scores = rowScores(backend, s, false, q, k);
  const states = carriedStates(backend, s, false, v, k, decays, initial, undefined);
  const adjoints = carriedStates(backend, s, true, dOut, q, decays, dLast, dInitial);

  const upstreamScores = rowScores(backend, s, true, dOut, v);
  const [dQ, dK] = [backend.output(q.shape), backend.output(k.shape)];
  const pairs = pairSums(backend, s, upstreamScores, decays);
  keyGrads(backend, s, false, pairs, dOut, k, decays, states, dQ);
  keyGrads(backend, s, true, pairs, v, q, decays, adjoints, dK);
  backend.release(pairs);

  const offset = aligned(sizeOf(v.shape));
  const SKIP = skipMode(D);
  const work = backend.scratch((z ? 4 : 3) * offset);
  const parts = [0, 1, 2, ...(z ? [3] : [])].map((part) => backend.view(work, v.shape, part * offset));
  const read = { keys: q, values: v, scores, decays, states };
  const written = { keys: k, values: dOut, scores, decays, states: adjoints };
  chunkOutputs(backend, s, { FROM_CHUNK: false, FROM_STATES: true }, read, parts[0]!);
  chunkOutputs(backend, s, { BACKWARDS: true, FROM_CHUNK: false, FROM_STATES: true }, written, parts[1]!);
  chunkOutputs(backend, s, { BACKWARDS: true, FROM_CHUNK: true, FROM_STATES: false, OWN: false }, written, parts[2]!);
  if (z) chunkOutputs(backend, s, { FROM_CHUNK: true, FROM_STATES: false, OWN: false }, read, parts[3]!);
  const tokens = s.b * s.l * s.h;
  const dots = backend.scratch(4 * tokens);
  const perToken = backend.scratch(4 * tokens);
  backend.runOver("ssdScan/rowGrads", tokens, 4, {
    constants: { ...chunkConstants(s), SKIP },
    params: chunkParams(s, tokens, offset),
    buffers: { v, dY: upstream, z, scores, decays, D, work, dots },
  });
  const blocks = s.b * s.chunks * s.h;
  backend.runOver("ssdScan/decayGrads", blocks, 1, {
    constants: chunkConstants(s),
    params: chunkParams(s, blocks),
    buffers: { dots, decays, states, adjoints, scores, upstream: upstreamScores, grads: perToken },
  });
  const dSkip = SKIP === 2 ? sumRows(backend, work, 2 * offset, s.b * s.l, D!.shape) : undefined;
  const [dZ, dV, ...rest] = parts as [TensorInfo, TensorInfo, ...TensorInfo[]];
  backend.release(
    decays,
    scores,
    upstreamScores,
    states,
    adjoints,
    work,
    dots,
    ...rest,
    ...(z ? [dOut] : [dZ]),
    ...(dY ? [] : [upstream]),
  );
  return { dQ, dK, dV, dZ: z ? dZ : undefined, dInitial, perToken, dSkip };
}
