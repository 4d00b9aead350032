/** Ways to start the eigenvalues: S4's own, S4D's three, and the control. */
export const INITS = ["legs", "lin", "inv", "real", "random"] as const;
export type InitName = (typeof INITS)[number];

export const TARGETS = ["echo", "boxcar", "ringing"] as const;
export type TargetName = (typeof TARGETS)[number];

/** Taps of the filters. */
export const TAPS = 200;
