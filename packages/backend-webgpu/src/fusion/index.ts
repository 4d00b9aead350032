import type { Pattern } from "./pattern.ts";
import { linearLinearScanStep } from "./patterns/linearLinearScanStep.ts";
import { linearScanStep } from "./patterns/linearScanStep.ts";
import { mambaLayer } from "./patterns/mambaLayer.ts";
import { rowProducts } from "./patterns/rowProducts.ts";

/** What is fused; where two fit, the first is taken. */
export const patterns: readonly Pattern[] = [mambaLayer, linearLinearScanStep, linearScanStep, ...rowProducts];
