import type { Kernel, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { isWanted, unread } from "../shared/wanted.ts";
import { columnSums, normBackward, normForward, present } from "../rmsNorm/norm.ts";

const layerNorm: Kernel<WebGpuBackend> = (backend, inputs, { eps }) =>
  normForward(backend, inputs, inputs.bias, 0, eps as number, { LAYER: true });

const layerNormGrad: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  const wantsWeight = isWanted(attrs, "weight");
  const { x, weight } = normBackward(backend, inputs, 0, attrs.eps as number, { LAYER: true }, wantsWeight);
  const { bias, dY } = inputs;
  const dBias = (): TensorInfo | undefined => bias && columnSums(backend, dY!, bias, false);
  return present(x, weight, isWanted(attrs, "bias") ? dBias() : bias && unread(backend));
};

/** The layer norm and its gradient: shaders of `rmsNorm`, with a mean. */
export const kernels: KernelTable<WebGpuBackend> = { layerNorm, layerNormGrad };
