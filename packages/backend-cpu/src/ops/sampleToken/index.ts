import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { sampleToken } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { sampleToken };
