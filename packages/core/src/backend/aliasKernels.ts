import type { KernelTable } from "./kernel.ts";

/** Kernels that move no data: another shape or another handle over the same storage. */
export const aliasKernels: KernelTable = {
  identity: (backend, { x }) => backend.alias(x!),
  reshape: (backend, { x }, { shape }) => backend.alias(x!, shape as number[]),
};
