import type { GoldenRow } from "./row.ts";

/** The verdict on one compared tensor. */
export interface Verdict {
  readonly tensor: string;
  /** Largest absolute difference. */
  readonly maxAbs: number;
  /** Largest difference relative to the larger of the element and 1e-6 of the largest element. */
  readonly maxRel: number;
  /** Squared error over the expected values' energy. */
  readonly nmse: number;
  /** What was allowed where the comparison came nearest to its bound. */
  readonly bound: number;
  /** Largest share of the bound that was used; above 1 it fails. */
  readonly used: number;
  readonly ok: boolean;
  readonly reason: string;
}

/** Judges a comparison; NaN, a wrong length and an empty tensor that should not be fail. */
export function judge({ tensor, actual, expected, bound, reason }: GoldenRow): Verdict {
  const sizesAgree = actual.length === expected.length;
  const peak = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  let maxAbs = 0;
  let maxRel = 0;
  let error = 0;
  let energy = 0;
  let worst = { used: 0, bound: typeof bound === "number" ? bound : (bound[0] ?? 0) };
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(actual[i]! - expected[i]!);
    const difference = Number.isNaN(distance) ? Infinity : distance;
    const allowed = typeof bound === "number" ? bound : bound[i]!;
    maxAbs = Math.max(maxAbs, difference);
    const scale = Math.max(Math.abs(expected[i]!), 1e-6 * peak);
    if (difference > 0) maxRel = Math.max(maxRel, scale > 0 ? difference / scale : Infinity);
    error += difference ** 2;
    energy += expected[i]! ** 2;
    const used = difference === 0 ? 0 : allowed > 0 ? difference / allowed : Infinity;
    if (used > worst.used) worst = { used, bound: allowed };
  }
  const nmse = energy > 0 ? error / energy : error > 0 ? Infinity : 0;
  return {
    tensor,
    maxAbs,
    maxRel,
    nmse,
    bound: worst.bound,
    used: worst.used,
    ok: sizesAgree && worst.used <= 1,
    reason,
  };
}
