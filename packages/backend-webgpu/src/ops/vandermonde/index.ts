import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";

/** Filters of structured state space models: vandermonde (S4D) and cauchy (S4), with their gradients. */
export const filterKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  vandermonde: (backend, { C, logABar }, { seqLen }) => {
    const [h, n] = C!.shape as [number, number];
    const y = backend.output([h, seqLen as number]);
    backend.dispatchOver("vandermonde/forward", h * (seqLen as number), 64, {
      params: [h, n, seqLen as number],
      bindings: [C, logABar, y],
    });
    return [y];
  },
  vandermondeGrad: (backend, { C, logABar, dY }, { seqLen }) => {
    const [h, n] = C!.shape as [number, number];
    const [dC, dLog] = [backend.output(C!.shape), backend.output(C!.shape)];
    backend.dispatch("vandermonde/backward", {
      params: [h, n, seqLen as number],
      bindings: [C, logABar, dY, dC, dLog],
      grid: foldGrid(h * n),
    });
    return [dC, dLog];
  },
  cauchy: (backend, { v, w, z }) => {
    const [h, n] = v!.shape as [number, number];
    const l = z!.shape[0]!;
    const y = backend.output([h, l, 2]);
    backend.dispatchOver("cauchy/forward", h * l, 64, { params: [h, n, l], bindings: [v, w, z, y] });
    return [y];
  },
  cauchyGrad: (backend, { v, w, z, dY }) => {
    const [h, n] = v!.shape as [number, number];
    const [dV, dW] = [backend.output(v!.shape), backend.output(w!.shape)];
    backend.dispatch("cauchy/backward", {
      params: [h, n, z!.shape[0]!],
      bindings: [v, w, z, dY, dV, dW],
      grid: foldGrid(h * n),
    });
    return [dV, dW];
  },
};
