import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { argMax } from "./argMax.ts";
import { cumsum } from "./cumsum.ts";
import { foldKernels } from "./fold.ts";
import { softmax } from "./softmax.ts";

/** Kernels that combine values along axes. */
export const kernels: KernelTable<WebGpuBackend> = { ...foldKernels, argMax, cumsum, softmax };
