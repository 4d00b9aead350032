import type { Discretization } from "./discretization.ts";
import { generalisedBilinear } from "./generalisedBilinear.ts";

/** Forward Euler: ABar = I + delta A, BBar = delta B. Explicit; stable only while |1 + delta lambda| < 1 for every eigenvalue. */
export const forwardEuler: Discretization = { ...generalisedBilinear(0), name: "euler", order: 1 };
