import type { Discretization } from "./discretization.ts";
import { generalisedBilinear } from "./generalisedBilinear.ts";

/**
 * The bilinear rule (trapezoid, Tustin): ABar = (I - delta/2 A)^{-1} (I + delta/2 A), BBar = (I - delta/2 A)^{-1} delta B.
 * Maps the left half plane onto the unit disc, so that stability carries over. Source: S4 (arXiv 2111.00396) equation 3.
 */
export const bilinear: Discretization = { ...generalisedBilinear(1 / 2), name: "bilinear", order: 2 };
