import type { WebGpuBackend } from "../../backend.ts";
import type { KernelTable } from "@statespace/core/backend";
import { cuttingItself, type CuttingKernel } from "../splitting.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Overwrites a tensor with another. */
export const copy: CuttingKernel = cuttingItself(["destination", "source"], (backend, { destination, source }) => {
  if (sizeOf(source!.shape) > 0) backend.copyInto(destination!, 0, source!);
  return [];
});

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { copy };
