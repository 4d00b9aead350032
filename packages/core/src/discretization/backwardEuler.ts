import type { Discretization } from "./discretization.ts";
import { generalisedBilinear } from "./generalisedBilinear.ts";

/** Backward Euler: ABar = (I - delta A)^{-1}, BBar = (I - delta A)^{-1} delta B. Stable for every stable A, and damps what is fast. */
export const backwardEuler: Discretization = { ...generalisedBilinear(1), name: "backward_diff", order: 1 };
