import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";

const vandermonde: Kernel<WebGpuBackend> = (backend, { C, logABar }, { seqLen }) => {
  const [h, n] = C!.shape as [number, number];
  const l = seqLen as number;
  const y = backend.output([h, l]);
  backend.runOver("vandermonde/forward", h * l, 64, {
    params: { h, n, l },
    buffers: { C: C!, logABar: logABar!, y },
  });
  return [y];
};

const vandermondeGrad: Kernel<WebGpuBackend> = (backend, { C, logABar, dY }, { seqLen }) => {
  const [h, n] = C!.shape as [number, number];
  const [dC, dLog] = [backend.output(C!.shape), backend.output(C!.shape)];
  backend.run("vandermonde/backward", {
    params: { h, n, l: seqLen as number },
    buffers: { C: C!, logABar: logABar!, dy: dY!, dC, dLog },
    grid: foldGrid(h * n),
  });
  return [dC, dLog];
};

/** S4D's filter and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = { vandermonde, vandermondeGrad };
