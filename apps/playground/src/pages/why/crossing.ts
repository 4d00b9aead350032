import { fitPowerLaw, type PowerLaw } from "./fit.ts";
import type { Kind } from "./compute/names.ts";
import type { CostPoint, Repeats } from "./compute/whyApi.ts";

type Timed = CostPoint & { readonly train: Repeats };

const trained = (points: readonly CostPoint[], kind: Kind): Timed[] =>
  points.filter((point): point is Timed => point.kind === kind && point.train !== undefined);

/** The length from which `challenger` trains faster than `kind`, on straight lines between the measured points of a double logarithmic plot. */
export function crossing(points: readonly CostPoint[], kind: Kind, challenger: Kind): number | "always" | "never" {
  const ratios = trained(points, kind).flatMap(({ l, train }) => {
    const other = trained(points, challenger).find((point) => point.l === l);
    return other === undefined ? [] : [{ x: Math.log(l), y: Math.log(train.median / other.train.median) }];
  });
  // the last change of sign counts: short lengths are noisy
  const behind = ratios.findLastIndex(({ y }) => y <= 0);
  if (behind === -1) return "always";
  if (behind === ratios.length - 1) return "never";
  const [a, b] = [ratios[behind]!, ratios[behind + 1]!];
  return Math.exp(a.x + ((b.x - a.x) * a.y) / (a.y - b.y));
}

/** How training time grows with the length. */
export function trainingLaw(points: readonly CostPoint[], kind: Kind): PowerLaw | undefined {
  return fitPowerLaw(
    trained(points, kind).map(({ l, train }) => ({ x: l, y: train.median, low: train.low, high: train.high })),
  );
}
