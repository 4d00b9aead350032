import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../base/fill.ts";
import { foldAxis, foldOps } from "../base/reduce.ts";

/** What an optimizer needs beside gradients. */
export const optimizerKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  adamW: (backend, { param, m, v, grad, hyper, gradScale }) => {
    const size = sizeOf(param!.shape);
    backend.dispatchOver("adamW/adamW", size, 256, {
      constants: { HAS_SCALE: !!gradScale },
      params: [size],
      bindings: [param, m, v, grad, hyper, gradScale],
    });
    return [];
  },
  copy: (backend, { destination, source }) => {
    if (sizeOf(source!.shape) > 0) backend.copyInto(destination!, 0, source!);
    return [];
  },
  sumSquares: (backend, { x }) => {
    const y = backend.output([]);
    foldAxis(backend, foldOps.squares, x!, 1, sizeOf(x!.shape), 1, y);
    return [y];
  },
};
