import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";

/**
 * Learning rate as a factor of its peak. `progress` is the share of the run that is over when the step ends, in (0, 1]:
 * (step + 1) / steps where steps are counted, elapsed time over the budget where time is.
 */
export type Schedule = (progress: number) => number;

/** Warm-up of a schedule. */
export interface WarmUpOptions {
  /** Share of the run in which the rate rises linearly from 0. Default 0. */
  readonly warmUp?: number;
}

/** Warm-up of a schedule and where its decay ends, as factors of the peak rate. */
export interface DecayOptions extends WarmUpOptions {
  /** Factor at the end. Default 0. */
  readonly final?: number;
}

const SCHEDULE_NAMES = { warmupRatio: "warmUp", warmup: "warmUp", warmupSteps: "warmUp", minLr: "final" };

/** The peak rate after warm-up. @throws ArgumentError for a share outside [0, 1]. */
export function constantSchedule(options: WarmUpOptions = {}): Schedule {
  refuseUnknown("constantSchedule", options, ["warmUp"], SCHEDULE_NAMES);
  return withWarmUp("constantSchedule", options.warmUp ?? 0, () => 1);
}

/**
 * Warm-up, then half a cosine down to `final`.
 * @throws ArgumentError for a share outside [0, 1].
 * Source: Loshchilov and Hutter 2017 (arXiv 1608.03983), one cycle.
 */
export function cosineSchedule(options: DecayOptions = {}): Schedule {
  refuseUnknown("cosineSchedule", options, ["warmUp", "final"], SCHEDULE_NAMES);
  const { warmUp = 0, final = 0 } = options;
  requireShare("cosineSchedule", "final", final);
  return withWarmUp("cosineSchedule", warmUp, (rest) => final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * rest)));
}

/**
 * Warm-up, stable, decay: the peak rate until the last `decay` share of the run, then linearly down to `final`.
 * @throws ArgumentError for a share outside [0, 1], or shares of warm-up and decay that sum to more than 1.
 * Source: Hu et al. 2024 (arXiv 2404.06395), section 4; linear decay as Hägele et al. 2024 (arXiv 2405.18392).
 */
export function wsdSchedule(options: DecayOptions & { readonly decay?: number } = {}): Schedule {
  refuseUnknown("wsdSchedule", options, ["warmUp", "final", "decay"], SCHEDULE_NAMES);
  const { warmUp = 0, final = 0, decay = 0.2 } = options;
  requireShare("wsdSchedule", "final", final);
  requireShare("wsdSchedule", "decay", decay);
  if (warmUp + decay > 1) throw new ArgumentError(`wsdSchedule: warmUp + decay must be <= 1, got ${warmUp + decay}`);
  const stable = (1 - warmUp - decay) / (1 - warmUp);
  return withWarmUp("wsdSchedule", warmUp, (rest) =>
    rest <= stable ? 1 : 1 - ((1 - final) * (rest - stable)) / (1 - stable),
  );
}

/** `after` sees the share of what comes after the warm-up. */
function withWarmUp(op: string, warmUp: number, after: (rest: number) => number): Schedule {
  requireShare(op, "warmUp", warmUp);
  return (progress) => {
    const at = Math.min(1, Math.max(0, progress));
    if (at < warmUp) return at / warmUp;
    return warmUp === 1 ? 1 : after((at - warmUp) / (1 - warmUp));
  };
}

function requireShare(op: string, name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ArgumentError(`${op}: ${name} must be in [0, 1], got ${value}`);
}
