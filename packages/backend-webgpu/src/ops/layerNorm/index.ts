import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { columnSums, normBackward, normForward, present } from "../rmsNorm/norm.ts";

const layerNorm: Kernel<WebGpuBackend> = (backend, inputs, { eps }) =>
  normForward(backend, inputs, inputs.bias, 0, eps as number, { LAYER: true });

const layerNormGrad: Kernel<WebGpuBackend> = (backend, inputs, { eps }) => {
  const { x, weight } = normBackward(backend, inputs, 0, eps as number, { LAYER: true });
  return present(x, weight, inputs.bias && columnSums(backend, inputs.dY!, inputs.bias, false));
};

/** The layer norm and its gradient: shaders of `rmsNorm`, with a mean. */
export const kernels: KernelTable<WebGpuBackend> = { layerNorm, layerNormGrad };
