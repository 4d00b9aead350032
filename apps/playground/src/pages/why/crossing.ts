import type { Kind } from "./compute/names.ts";
import type { CostPoint } from "./compute/whyApi.ts";

type Timed = CostPoint & { readonly train: number };

const trained = (points: readonly CostPoint[], kind: Kind): Timed[] =>
  points.filter((point): point is Timed => point.kind === kind && point.train !== undefined);

/** The length from which `challenger` trains faster than `kind`, on straight lines between the measured points of a double logarithmic plot. */
export function crossing(points: readonly CostPoint[], kind: Kind, challenger: Kind): number | "always" | "never" {
  const ratios = trained(points, kind).flatMap(({ l, train }) => {
    const other = trained(points, challenger).find((point) => point.l === l);
    return other === undefined ? [] : [{ x: Math.log(l), y: Math.log(train / other.train) }];
  });
  // the last change of sign counts: short lengths are noisy
  const behind = ratios.findLastIndex(({ y }) => y <= 0);
  if (behind === -1) return "always";
  if (behind === ratios.length - 1) return "never";
  const [a, b] = [ratios[behind]!, ratios[behind + 1]!];
  return Math.exp(a.x + ((b.x - a.x) * a.y) / (a.y - b.y));
}

/** By what the training time grew at the last doubling of the length. */
export function doubling(points: readonly CostPoint[], kind: Kind): number {
  const own = trained(points, kind);
  return own.length < 2 ? Number.NaN : own.at(-1)!.train / own.at(-2)!.train;
}
