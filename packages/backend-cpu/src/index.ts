import type { BackendDefinition } from "@statespace/core";
import { CpuBackend } from "./backend.ts";
import { cpuKernels } from "./ops/index.ts";

export { CpuBackend, type CpuLaunch } from "./backend.ts";
export { cpuKernels } from "./ops/index.ts";

const create = (): CpuBackend => new CpuBackend();

/** The reference backend, for `registerBackend(cpuBackend())`; it runs everywhere. */
export function cpuBackend(): BackendDefinition {
  return { name: "cpu", create, kernels: cpuKernels };
}
