import type { Kernel, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../base/fill.ts";
import { foldAxis, foldOps } from "../base/reduce.ts";

const forward: Kernel<WebGpuBackend> = (
  backend,
  { x, weight, bias, initialState, seqIdx },
  { silu, returnLastState },
) => {
  const [b, l, d] = x!.shape as [number, number, number];
  const k = weight!.shape[1]!;
  const y = backend.output([b, l, d]);
  const last = returnLastState ? backend.output([b, k - 1, d]) : undefined;
  backend.dispatchOver("causalConv1d/forward", b * l * d, 128, {
    constants: {
      HAS_BIAS: !!bias,
      HAS_INITIAL: !!initialState,
      HAS_SEQ: !!seqIdx,
      KEEP_LAST: !!last && k > 1,
      SILU: !!silu,
    },
    params: [b, l, d, k],
    bindings: [x, weight, bias, initialState, seqIdx, y, last],
  });
  return last ? [y, last] : [y];
};

const step: Kernel<WebGpuBackend> = (backend, { x, state, weight, bias }, { silu }) => {
  const [b, d] = x!.shape as [number, number];
  const y = backend.output([b, d]);
  backend.dispatchOver("causalConv1d/step", b * d, 64, {
    constants: { HAS_BIAS: !!bias, SILU: !!silu },
    params: [b, d, weight!.shape[1]!],
    bindings: [x, weight, bias, state, y],
  });
  return [y];
};

/** dx, dWeight, and where present dBias and dInitialState. */
const backward: Kernel<WebGpuBackend> = (
  backend,
  { x, weight, bias, initialState, seqIdx, dY, dLastState },
  { silu },
) => {
  const [b, l, d] = x!.shape as [number, number, number];
  const k = weight!.shape[1]!;
  const shape = [b, l, d, k];
  const common = { HAS_INITIAL: !!initialState, HAS_SEQ: !!seqIdx };
  const e = dY && silu ? backend.output(x!.shape) : dY;
  if (dY && silu) {
    backend.dispatchOver("causalConv1d/slope", b * l * d, 128, {
      constants: { ...common, HAS_BIAS: !!bias },
      params: shape,
      bindings: [x, weight, bias, initialState, seqIdx, dY, e],
    });
  }
  const dx = backend.output(x!.shape);
  const dInitial = initialState ? backend.output(initialState.shape) : undefined;
  backend.dispatchOver("causalConv1d/inputGrad", b * (l + (initialState ? k - 1 : 0)) * d, 128, {
    constants: { ...common, HAS_LAST: !!dLastState, HAS_E: !!e },
    params: shape,
    bindings: [weight, seqIdx, e, dLastState, dx, dInitial],
  });
  const sums = weightSums(backend, shape, common, [x, initialState, seqIdx, e]);
  const grads: TensorInfo[] = [dx, backend.view(sums, weight!.shape, 0)];
  if (bias) grads.push(backend.view(sums, bias.shape, d * k));
  if (dInitial) grads.push(dInitial);
  backend.release(sums, ...(e && e !== dY ? [e] : []));
  return grads;
};

/** dWeight and dBias in one tensor [d k + d]. */
function weightSums(
  backend: WebGpuBackend,
  [b, l, d, k]: number[],
  constants: { HAS_INITIAL: boolean; HAS_SEQ: boolean },
  operands: (TensorInfo | undefined)[],
): TensorInfo {
  const width = d! * (k! + 1);
  const sums = backend.output([width]);
  if (operands[3] === undefined) {
    fillWith(backend, sums, 0);
    return sums;
  }
  const part = 64;
  const parts = Math.ceil((b! * l!) / part);
  const partial = backend.scratch(parts * width);
  backend.dispatch("causalConv1d/weightGrad", {
    constants,
    params: [b!, l!, d!, k!, part, parts],
    bindings: [...operands, partial],
    grid: [Math.ceil(d! / 64), k! + 1, parts],
  });
  foldAxis(backend, foldOps.sum, partial, 1, parts, width, sums);
  backend.release(partial);
  return sums;
}

export const causalConv1dKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  causalConv1d: forward,
  causalConv1dStep: step,
  causalConv1dGrad: backward,
};
