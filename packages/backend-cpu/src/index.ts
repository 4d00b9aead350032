import type { BackendDefinition } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { CpuBackend } from "./backend.ts";
import { cpuKernels } from "./ops/index.ts";

export { CpuBackend, type CpuLaunch } from "./backend.ts";
export { cpuKernels } from "./ops/index.ts";

const create = (): CpuBackend => new CpuBackend();

/** The reference backend, for `registerBackend(cpuBackend())`; it runs everywhere and has no options. @throws ArgumentError for any. */
export function cpuBackend(options: Readonly<Record<never, never>> = {}): BackendDefinition {
  refuseUnknown("cpuBackend", options, []);
  return { name: "cpu", create, kernels: cpuKernels };
}
