import type { TfKernel } from "../tfBackend.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { movementKernels } from "./movement.ts";
import { reduceKernels } from "./reduce.ts";

/** tfjs's kernels by its names, made of our ops. */
export const tfKernels: Readonly<Record<string, TfKernel>> = {
  ...elementwiseKernels,
  ...movementKernels,
  ...reduceKernels,
};
