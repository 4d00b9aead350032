import type { KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { causalAttentionGrad } from "./backward.ts";
import { causalAttention } from "./forward.ts";
import { causalAttentionStep } from "./step.ts";

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { causalAttention, causalAttentionGrad, causalAttentionStep };
