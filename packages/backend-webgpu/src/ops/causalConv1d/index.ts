import type { Kernel, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { isWanted, unread } from "../shared/wanted.ts";

const forward: Kernel<WebGpuBackend> = (
  backend,
  { x, weight, bias, initialState, seqIdx },
  { silu, returnLastState },
) => {
  const [b, l, d] = x!.shape as [number, number, number];
  const k = weight!.shape[1]!;
  const y = backend.output([b, l, d]);
  const last = returnLastState ? backend.output([b, k - 1, d]) : undefined;
  backend.runOver("causalConv1d/forward", b * l * d, 128, {
    constants: { SILU: !!silu },
    params: { b, l, d, k },
    buffers: { x: x!, weight: weight!, bias, initialState, seqIdx, y, lastState: last },
  });
  return last ? [y, last] : [y];
};

const step: Kernel<WebGpuBackend> = (backend, { x, state, weight, bias }, { silu }) => {
  const [b, d] = x!.shape as [number, number];
  const y = backend.output([b, d]);
  backend.runOver("causalConv1d/step", b * d, 64, {
    constants: { SILU: !!silu },
    params: { b, d, k: weight!.shape[1]! },
    buffers: { x: x!, weight: weight!, bias, state: state!, y },
  });
  return [y];
};

/** dx, dWeight, and where present dBias and dInitialState. */
const backward: Kernel<WebGpuBackend> = (backend, { x, weight, bias, initialState, seqIdx, dY, dLastState }, attrs) => {
  const { silu } = attrs;
  const [b, l, d] = x!.shape as [number, number, number];
  const k = weight!.shape[1]!;
  const params = { b, l, d, k };
  const e = dY && silu ? backend.output(x!.shape) : dY;
  if (dY && silu) {
    backend.runOver("causalConv1d/slope", b * l * d, 128, {
      params,
      buffers: { x: x!, weight: weight!, bias, initialState, seqIdx, dy: dY, e: e! },
    });
  }
  const dx = backend.output(x!.shape);
  const dInitial = initialState ? backend.output(initialState.shape) : undefined;
  backend.runOver("causalConv1d/inputGrad", b * (l + (initialState ? k - 1 : 0)) * d, 128, {
    params,
    buffers: { weight: weight!, seqIdx, e, dLastState, dx, dInitial },
  });
  const grads: TensorInfo[] = [dx];
  if (isWanted(attrs, "weight") || (bias && isWanted(attrs, "bias"))) {
    const sums = weightSums(backend, params, { x: x!, initialState, seqIdx }, e);
    grads.push(backend.view(sums, weight!.shape, 0));
    if (bias) grads.push(backend.view(sums, bias.shape, d * k));
    backend.release(sums);
  } else for (const _ of bias ? [weight, bias] : [weight]) grads.push(unread(backend));
  if (dInitial) grads.push(dInitial);
  if (e && e !== dY) backend.release(e);
  return grads;
};

/** dWeight and dBias in one tensor [d k + d]. */
function weightSums(
  backend: WebGpuBackend,
  extents: { readonly b: number; readonly l: number; readonly d: number; readonly k: number },
  inputs: { readonly x: TensorInfo; readonly initialState?: TensorInfo; readonly seqIdx?: TensorInfo },
  e: TensorInfo | undefined,
): TensorInfo {
  const { b, l, d, k } = extents;
  const width = d * (k + 1);
  const sums = backend.output([width]);
  if (e === undefined) {
    fillWith(backend, sums, 0);
    return sums;
  }
  const part = 64;
  const parts = Math.ceil((b * l) / part);
  const partial = backend.scratch(parts * width);
  backend.run("causalConv1d/weightGrad", {
    params: { ...extents, part, parts },
    buffers: { ...inputs, e, sums: partial },
    grid: [Math.ceil(d / 64), k + 1, parts],
  });
  foldAxis(backend, foldOps.sum, partial, 1, parts, width, sums);
  backend.release(partial);
  return sums;
}

export const kernels: KernelTable<WebGpuBackend> = {
  causalConv1d: forward,
  causalConv1dStep: step,
  causalConv1dGrad: backward,
};
