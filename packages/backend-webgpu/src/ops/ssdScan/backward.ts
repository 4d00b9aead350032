import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { isWanted, unread } from "../shared/wanted.ts";
import { aligned, chunkedBackward, sumRows } from "./chunkedGrads.ts";
import { skipMode, ssdExtents } from "./chunkedScan.ts";
import { chunkedShape } from "./chunks.ts";
import { ssdCoefficients, ssdOperands, stepLimits } from "./forward.ts";

/** Gradients of Mamba-2's scan, in the order of the op's differentiable inputs. */
export function ssdScanGrad(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const shape = chunkedShape(ssdExtents(inputs), attrs.chunkSize as number);
  const { D, dt, A, dtBias, initialState } = inputs;
  const coefficients = ssdCoefficients(backend, inputs, attrs, shape);
  const grads = chunkedBackward(
    backend,
    shape,
    ssdOperands(inputs, coefficients),
    inputs.dY,
    inputs.dLastState,
    !!initialState,
  );
  const count = shape.b * shape.l * shape.h;
  const offset = aligned(count);
  const parts = backend.scratch(3 * offset);
  backend.runOver("ssdScan/stepGrads", count, 256, {
    constants: { SOFTPLUS: !!attrs.dtSoftplus },
    params: { count, h: shape.h, ...stepLimits(attrs), offset },
    buffers: { dt: dt!, A: A!, dtBias, coefficients, grads: grads.perToken, out: parts },
  });
  const headSum = (part: number, input: string): TensorInfo =>
    isWanted(attrs, input) ? sumRows(backend, parts, part * offset, shape.b * shape.l, [shape.h]) : unread(backend);
  const result = [
    grads.dV,
    backend.view(parts, dt!.shape, 0),
    headSum(1, "A"),
    grads.dK,
    grads.dQ,
    ...(D ? [skipMode(D) === 2 ? grads.dSkip! : headSum(2, "D")] : []),
    ...(grads.dZ ? [grads.dZ] : []),
    ...(dtBias ? [headSum(0, "dtBias")] : []),
    ...(grads.dInitial ? [grads.dInitial] : []),
  ];
  backend.release(coefficients, parts, grads.perToken);
  return result;
}
