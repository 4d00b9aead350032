import type { Kernel, KernelAttrs, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { isWanted } from "../shared/wanted.ts";
import { normBackward, normForward, present } from "./norm.ts";

const switchesOf = ({ normBeforeGate }: KernelAttrs): { LAYER: false; NORM_BEFORE_GATE: boolean } => ({
  LAYER: false,
  NORM_BEFORE_GATE: !!normBeforeGate,
});

const rmsNorm: Kernel<WebGpuBackend> = (backend, inputs, attrs) =>
  normForward(backend, inputs, inputs.z, attrs.groupSize as number, attrs.eps as number, switchesOf(attrs));

const rmsNormGrad: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  const { groupSize, eps } = attrs;
  const wantsWeight = isWanted(attrs, "weight");
  const grads = normBackward(backend, inputs, groupSize as number, eps as number, switchesOf(attrs), wantsWeight);
  return present(grads.x, grads.weight, grads.z);
};

/** The root-mean-square norm and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = { rmsNorm, rmsNormGrad };
