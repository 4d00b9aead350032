import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { cast } from "./cast.ts";
import { full } from "./fill.ts";
import { where } from "./where.ts";

/** Tensors of one value, of another type, or picked from two. */
export const kernels: KernelTable<WebGpuBackend> = { full, cast, where };
