import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";

const cauchy: Kernel<WebGpuBackend> = (backend, { v, w, z }) => {
  const [h, n] = v!.shape as [number, number];
  const l = z!.shape[0]!;
  const y = backend.output([h, l, 2]);
  backend.runOver("cauchy/forward", h * l, 64, { params: { h, n, l }, buffers: { v: v!, w: w!, z: z!, y } });
  return [y];
};

const cauchyGrad: Kernel<WebGpuBackend> = (backend, { v, w, z, dY }) => {
  const [h, n] = v!.shape as [number, number];
  const [dv, dw] = [backend.output(v!.shape), backend.output(w!.shape)];
  backend.run("cauchy/backward", {
    params: { h, n, l: z!.shape[0]! },
    buffers: { v: v!, w: w!, z: z!, dy: dY!, dv, dw },
    grid: foldGrid(h * n),
  });
  return [dv, dw];
};

/** S4's filter and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = { cauchy, cauchyGrad };
