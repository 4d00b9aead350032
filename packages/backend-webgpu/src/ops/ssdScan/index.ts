import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { ssdScanGrad } from "./backward.ts";
import { ssdScan } from "./forward.ts";
import { ssdScanStep } from "./step.ts";

/** Mamba-2's scan. */
export const ssdScanKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = { ssdScan, ssdScanGrad, ssdScanStep };
