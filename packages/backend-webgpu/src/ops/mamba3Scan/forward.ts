import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { chunkedForward, type ChunkedOperands } from "../ssdScan/chunkedScan.ts";
import { chunkedShape, type ChunkedShape, type ScanExtents } from "../ssdScan/chunks.ts";

/** Extents of a Mamba-3 scan (tokens on axis 1) or of one token of it. */
export function mamba3Extents(inputs: KernelInputs): ScanExtents {
  const shape = inputs.q!.shape;
  const [h, r, n] = shape.slice(-3) as [number, number, number];
  return { b: shape[0]!, l: shape.length === 5 ? shape[1]! : 1, h, g: h, r, p: inputs.v!.shape.at(-1)!, n };
}

/** Log decay and weights of every token and head; release them after use. */
export function mamba3Coefficients(
  backend: WebGpuBackend,
  { adt, dt, trap, seqIdx }: KernelInputs,
  { b, l, h }: Pick<ChunkedShape, "b" | "l" | "h">,
  ALONE: boolean,
): TensorInfo {
  const count = b * l * h;
  const coefficients = backend.scratch(4 * count);
  backend.runOver("mamba3Scan/coefficients", count, 256, {
    constants: { ALONE },
    params: { count, l, h },
    buffers: { adt: adt!, dt: dt!, trap: trap!, seqIdx, coefficients },
  });
  return coefficients;
}

/** What the first token decays, or undefined for nothing; release it after use. */
export function mamba3Start(
  backend: WebGpuBackend,
  { initialState, initialK, initialV, dt, trap }: KernelInputs,
  { b, l, h, r, p, n }: ChunkedShape,
): TensorInfo | undefined {
  const token = initialK && initialV ? { k: initialK, v: initialV } : {};
  if (!initialState && !("k" in token)) return undefined;
  const count = b * h * p * n;
  const start = backend.scratch(count);
  backend.runOver("mamba3Scan/start", count, 256, {
    params: { count, l, h, r, p, n },
    buffers: { initial: initialState, ...token, dt: dt!, trap: trap!, out: start },
  });
  return start;
}

export function mamba3Operands(
  { q, k, v, D, z }: KernelInputs,
  coefficients: TensorInfo,
  initial: TensorInfo | undefined,
): ChunkedOperands {
  return { q: q!, k: k!, v: v!, D, z, initial, coefficients };
}

/**
 * The scan of Mamba-3 as that of Mamba-2 with other weights: a token's write counts for later ones with its own weight and
 * the share of it that the next token adds, and for itself with its own alone.
 */
export function mamba3Scan(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const shape = chunkedShape(mamba3Extents(inputs), attrs.chunkSize as number);
  const y = backend.output(inputs.v!.shape);
  const last = attrs.returnLastState ? backend.output([shape.b, shape.h, shape.p, shape.n]) : undefined;
  const coefficients = mamba3Coefficients(backend, inputs, shape, false);
  const start = mamba3Start(backend, inputs, shape);
  chunkedForward(backend, shape, mamba3Operands(inputs, coefficients, start), y, last);
  backend.release(coefficients, ...(start ? [start] : []));
  return last ? [y, last] : [y];
}
