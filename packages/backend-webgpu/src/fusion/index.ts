import type { Pattern } from "./pattern.ts";
import { linearAdd } from "./patterns/linearAdd.ts";
import { linearConvStep } from "./patterns/linearConvStep.ts";
import { linearLinearScanStep } from "./patterns/linearLinearScanStep.ts";
import { linearScanStep } from "./patterns/linearScanStep.ts";
import { normLinear } from "./patterns/normLinear.ts";
import { normLinearAdd } from "./patterns/normLinearAdd.ts";
import { normLinearConvStep } from "./patterns/normLinearConvStep.ts";

/** What is fused; where two fit, the first is taken. */
export const patterns: readonly Pattern[] = [
  linearLinearScanStep,
  linearScanStep,
  normLinearConvStep,
  normLinearAdd,
  normLinear,
  linearConvStep,
  linearAdd,
];
