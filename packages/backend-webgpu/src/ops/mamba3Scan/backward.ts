import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { aligned, chunkedBackward, sumRows } from "../ssdScan/chunkedGrads.ts";
import { chunkedShape, type ChunkedShape } from "../ssdScan/chunks.ts";
import { mamba3Coefficients, mamba3Extents, mamba3Operands, mamba3Start } from "./forward.ts";

interface StartGrads {
  readonly dK: TensorInfo | undefined;
  readonly dV: TensorInfo | undefined;
  /** Of the weight that the token before the first entered with, [b, h]; release it after use. */
  readonly dWeight: TensorInfo | undefined;
}

/** Gradients of the token before the first, from that of the state before the first. */
function startGrads(
  backend: WebGpuBackend,
  { initialK, initialV, dt, trap }: KernelInputs,
  { b, l, h, r, p, n }: ChunkedShape,
  dState: TensorInfo | undefined,
): StartGrads {
  const [dK, dV] = [initialK, initialV].map((x) => x && backend.output(x.shape));
  if (!dK || !dV) {
    // A key without a value, or the other way round, writes nothing.
    for (const grad of [dK, dV]) if (grad) fillWith(backend, grad, 0);
    return { dK, dV, dWeight: undefined };
  }
  const dWeight = backend.scratch(b * h);
  backend.runOver("mamba3Scan/startGrads", b * h, 1, {
    params: { rows: b * h, l, h, r, p, n },
    buffers: { dState: dState!, k: initialK!, v: initialV!, dt: dt!, trap: trap!, dK, dV, dWeight },
  });
  return { dK, dV, dWeight };
}

/** Gradients of Mamba-3's scan, in the order of the op's differentiable inputs. */
export function mamba3ScanGrad(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const shape = chunkedShape(mamba3Extents(inputs), attrs.chunkSize as number);
  const { dt, trap, D, initialState } = inputs;
  const coefficients = mamba3Coefficients(backend, inputs, shape, false);
  const start = mamba3Start(backend, inputs, shape);
  const grads = chunkedBackward(
    backend,
    shape,
    mamba3Operands(inputs, coefficients, start),
    inputs.dY,
    inputs.dLastState,
    !!start,
  );
  const { dK, dV, dWeight } = startGrads(backend, inputs, shape, grads.dInitial);
  const count = shape.b * shape.l * shape.h;
  const offset = aligned(count);
  const parts = backend.scratch(4 * offset);
  backend.runOver("mamba3Scan/stepGrads", count, 256, {
    params: { count, l: shape.l, h: shape.h, offset },
    buffers: { dt: dt!, trap: trap!, coefficients, grads: grads.perToken, dStart: dWeight, out: parts },
  });
  const part = (index: number): TensorInfo => backend.view(parts, dt!.shape, index * offset);
  const result = [
    grads.dQ,
    grads.dK,
    grads.dV,
    part(0),
    part(1),
    part(2),
    ...(D ? [sumRows(backend, parts, 3 * offset, shape.b * shape.l, D.shape)] : []),
    ...(grads.dZ ? [grads.dZ] : []),
    ...(initialState ? [grads.dInitial!] : []),
    ...(dK ? [dK] : []),
    ...(dV ? [dV] : []),
  ];
  const unused = initialState ? [] : [grads.dInitial];
  backend.release(coefficients, parts, grads.perToken, ...[start, dWeight, ...unused].filter((x) => x !== undefined));
  return result;
}
