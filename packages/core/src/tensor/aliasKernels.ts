import type { KernelTable } from "./kernel.ts";

/** Kernels that move no data: another shape or another handle over the same storage. */
export const aliasKernels: KernelTable = {
  Identity: (backend, { x }) => backend.alias(x!),
  Reshape: (backend, { x }, { shape }) => backend.alias(x!, shape as number[]),
};
