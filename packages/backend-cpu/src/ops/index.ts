import { aliasKernels, type KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../backend.ts";
import * as rooms from "./rooms.ts";

/** Every kernel of this backend by name. */
export const cpuKernels: KernelTable<CpuBackend> = Object.assign({}, aliasKernels, ...Object.values(rooms));
