import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { inverseRealFft, inverseRealFftGrad } from "../inverseRealFft/index.ts";
import { fftConv, fftConvGrad } from "./convolution.ts";

/** The long convolution, and the inverse transform that makes its filter. */
export const longConvolutionKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  fftConv,
  fftConvGrad,
  inverseRealFft,
  inverseRealFftGrad,
};
