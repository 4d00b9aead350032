import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fftConv, fftConvGrad } from "./convolution.ts";

/** The long convolution and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = { fftConv, fftConvGrad };
