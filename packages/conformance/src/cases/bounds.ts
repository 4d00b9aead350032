import type { CaseBound } from "./opCase.ts";

/**
 * What a base op may err by: `relative` units of each element's own value and `absolute` units of 1. Gradients: 256 roundings of the
 * absolute terms, a chain of a few ops and a sum; 1e-7 is what a central difference of these functions is good to.
 */
export function elementBound(relative: number, reason: string, absolute = 0): CaseBound {
  return { forward: relative, absolute, backward: 256, cancels: 16, differences: 1e-7, reason };
}

/** Nothing is computed. */
export const moved: CaseBound = elementBound(0, "moved");
