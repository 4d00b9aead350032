import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { squaredNorm, sumSquares } from "./forward.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { sumSquares, squaredNorm };
