import { Rng } from "@statespace/core";
import { bandLimitedNoise, chirp, mackeyGlass, sines } from "@statespace/datasets";

export const SIGNALS = ["waves", "noise", "chirp", "chaos", "steps", "drawn"] as const;
export type SignalName = (typeof SIGNALS)[number];

/** Samples of every signal. */
export const LENGTH = 600;
/** Points of a drawn signal; straight lines between them. */
export const DRAWN_POINTS = 60;

/** A signal of about unit size. @param drawn the visitor's points, for "drawn" */
export function makeSignal(name: SignalName, drawn: readonly number[]): Float64Array {
  switch (name) {
    case "waves":
      return sines({ length: LENGTH, frequencies: [2 / LENGTH, 5 / LENGTH] }).map((value) => value / 2);
    case "noise":
      return bandLimitedNoise({ length: LENGTH, cutoff: 9 / LENGTH, random: new Rng(3), rms: 0.5 });
    case "chirp":
      return chirp({ length: LENGTH, from: 0, to: 16 / LENGTH });
    case "chaos":
      return mackeyGlass({ length: LENGTH }).map((value) => 2 * (value - 0.9));
    case "steps":
      return Float64Array.from(
        { length: LENGTH },
        (_, t) => [0.6, -0.4, 0.9, -0.8, 0.2][Math.floor((5 * t) / LENGTH)]!,
      );
    case "drawn":
      return Float64Array.from({ length: LENGTH }, (_, t) =>
        interpolate(drawn, (t / (LENGTH - 1)) * (DRAWN_POINTS - 1)),
      );
  }
}

function interpolate(points: readonly number[], at: number): number {
  const left = Math.min(DRAWN_POINTS - 2, Math.floor(at));
  const share = at - left;
  return (points[left] ?? 0) * (1 - share) + (points[left + 1] ?? 0) * share;
}
