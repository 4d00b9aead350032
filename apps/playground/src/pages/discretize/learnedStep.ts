import { Rng } from "@statespace/core";

/** Tokens of the signal that the step is learned from. */
export const TOKENS = 60;
/** Steps of training. */
export const TRAINING = 40;
const START = 0.5;
/** The first change of log delta; it grows while the slope keeps its sign, and halves where it turns. */
const CHANGE = 0.2;

/** One channel that leaks: x <- exp(-delta) x + (1 - exp(-delta)) u, zero-order hold of x' = u - x. */
export function leak(delta: number, u: ArrayLike<number>): Float64Array {
  const keep = Math.exp(-delta);
  let x = 0;
  return Float64Array.from(u, (value) => (x = keep * x + (1 - keep) * value));
}

export interface Loss {
  readonly value: number;
  /** With respect to the logarithm of delta, which keeps delta above 0. */
  readonly slope: number;
}

/** Mean square of what is missing to the wanted output, and its derivative, which runs through the same recurrence. */
export function lossOf(logDelta: number, u: ArrayLike<number>, wanted: ArrayLike<number>): Loss {
  const delta = Math.exp(logDelta);
  const keep = Math.exp(-delta);
  let [x, dx, value, slope] = [0, 0, 0, 0];
  for (let t = 0; t < u.length; t++) {
    // d keep / d log delta = -delta keep
    dx = keep * dx - delta * keep * (x - u[t]!);
    x = keep * x + (1 - keep) * u[t]!;
    value += (x - wanted[t]!) ** 2 / u.length;
    slope += (2 * (x - wanted[t]!) * dx) / u.length;
  }
  return { value, slope };
}

export interface Learned {
  /** Before each step of training, and after the last. */
  readonly deltas: Float64Array; // [TRAINING + 1]
  readonly losses: Float64Array; // [TRAINING + 1]
}

/** Finds the step of a channel whose output is all that is known of it: downhill along the slope's sign. Source: Riedmiller and Braun 1993, "Rprop". */
export function learnStep(hidden: number): Learned {
  const rng = new Rng(3);
  const u = Float64Array.from({ length: TOKENS }, () => (rng.uniform() < 0.5 ? -1 : 1));
  const wanted = leak(hidden, u);
  const deltas = new Float64Array(TRAINING + 1);
  const losses = new Float64Array(TRAINING + 1);
  let [logDelta, change, before] = [Math.log(START), CHANGE, 0];
  for (let step = 0; step <= TRAINING; step++) {
    const { value, slope } = lossOf(logDelta, u, wanted);
    deltas[step] = Math.exp(logDelta);
    losses[step] = value;
    if (step > 0) change *= Math.sign(slope) === before ? 1.2 : 0.5;
    before = Math.sign(slope);
    logDelta -= change * before;
  }
  return { deltas, losses };
}
