import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { finite } from "../shared/finite.ts";
import { chunkedForward, ssdExtents, type ChunkedOperands } from "./chunkedScan.ts";
import { chunkedShape, type ChunkedShape } from "./chunks.ts";

/** dtMin and dtMax as a shader takes them. */
export function stepLimits({ dtMin, dtMax }: KernelAttrs): { dtMin: number; dtMax: number } {
  return { dtMin: finite(dtMin as number), dtMax: finite(dtMax as number) };
}

/** Log decay and weights of every token and head; release them after use. */
export function ssdCoefficients(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  attrs: KernelAttrs,
  { b, l, h }: Pick<ChunkedShape, "b" | "l" | "h">,
): TensorInfo {
  const count = b * l * h;
  const coefficients = backend.scratch(4 * count);
  const { dt, A, dtBias, seqIdx } = inputs;
  backend.runOver("ssdScan/coefficients", count, 256, {
    constants: { SOFTPLUS: !!attrs.dtSoftplus },
    params: { count, l, h, ...stepLimits(attrs) },
    buffers: { dt: dt!, A: A!, dtBias, seqIdx, coefficients },
  });
  return coefficients;
}

/** Mamba-2's names of the operands: C reads, B writes, x is written. */
export function ssdOperands({ C, B, x, D, z, initialState }: KernelInputs, coefficients: TensorInfo): ChunkedOperands {
  return { q: C!, k: B!, v: x!, D, z, initial: initialState, coefficients };
}

/** The scan of Mamba-2 in chunks, as matrix products (arXiv 2405.21060, section 6). */
export function ssdScan(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const shape = chunkedShape(ssdExtents(inputs), attrs.chunkSize as number);
  const y = backend.output(inputs.x!.shape);
  const last = attrs.returnLastState ? backend.output([shape.b, shape.h, shape.p, shape.n]) : undefined;
  const coefficients = ssdCoefficients(backend, inputs, attrs, shape);
  chunkedForward(backend, shape, ssdOperands(inputs, coefficients), y, last);
  backend.release(coefficients);
  return last ? [y, last] : [y];
}
