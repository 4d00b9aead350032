import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldAxis, foldOps } from "../base/reduce.ts";

const forward: Kernel<WebGpuBackend> = (backend, { ABar, Bu, initialState }, { reverse, returnLastState }) => {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const states = backend.output([b, l, n, 2]);
  const last = returnLastState ? backend.output([b, n, 2]) : undefined;
  backend.dispatchOver("diagonalScan/forward", b * n, 32, {
    constants: { VARYING: ABar!.shape.length === 4, REVERSE: !!reverse, HAS_INITIAL: !!initialState, KEEP_LAST: !!last },
    params: [b, l, n],
    bindings: [ABar, Bu, initialState, states, last],
  });
  return last ? [states, last] : [states];
};

const backward: Kernel<WebGpuBackend> = (backend, { ABar, Bu, initialState, states, dStates, dLastState }, { reverse }) => {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const VARYING = ABar!.shape.length === 4;
  const dABar = backend.output(ABar!.shape);
  const sums = VARYING ? dABar : backend.output([b, n, 2]);
  const dBu = backend.output(Bu!.shape);
  const dInitial = initialState ? backend.output(initialState.shape) : undefined;
  backend.dispatchOver("diagonalScan/backward", b * n, 32, {
    constants: { VARYING, REVERSE: !!reverse, HAS_INITIAL: !!initialState, HAS_DSTATES: !!dStates, HAS_DLAST: !!dLastState },
    params: [b, l, n],
    bindings: [ABar, initialState, states, dStates, dLastState, sums, dBu, dInitial],
  });
  if (!VARYING) {
    foldAxis(backend, foldOps.sum, sums, 1, b, 2 * n, dABar);
    backend.release(sums);
  }
  return [dABar, dBu, ...(dInitial ? [dInitial] : [])];
};

export const diagonalScanKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = { diagonalScan: forward, diagonalScanGrad: backward };
