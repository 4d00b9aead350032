import {
  bilinear,
  forwardEuler,
  backwardEuler,
  zeroOrderHold,
  type Discretization,
} from "@statespace/core/discretization";
import { Matrix } from "@statespace/core/math";
import { ContinuousSsm, type Sequence } from "@statespace/core/ssm";

export type RuleName = "zoh" | "bilinear" | "forward" | "backward";
export const rules: Readonly<Record<RuleName, Discretization>> = {
  zoh: zeroOrderHold,
  bilinear,
  forward: forwardEuler,
  backward: backwardEuler,
};
export const RULE_NAMES = ["zoh", "bilinear", "forward", "backward"] as const satisfies readonly RuleName[];

export type SignalName = "wave" | "steps" | "chirp";

/** Seconds shown. */
export const DURATION = 10;
/** Points of the true curve in each step. */
const FINE = 12;

/** An oscillator of angular frequency 2 with damping; its output is the position, scaled to answer a constant 1 with 1. */
export function makeOscillator(damping: number): ContinuousSsm {
  const A = Matrix.of([
    [0, 1],
    [-4, -2 * damping],
  ]);
  return new ContinuousSsm(A, Matrix.column([0, 4]), Matrix.of([[1, 0]]));
}

const signals: Readonly<Record<SignalName, (t: number) => number>> = {
  wave: (t) => 0.6 * Math.sin(0.9 * t) + 0.4 * Math.sin(2.3 * t),
  steps: (t) => (t % 5 < 2.5 ? 1 : -0.5),
  chirp: (t) => Math.sin(0.25 * t * t),
};

export const signalAt = (name: SignalName, t: number): number => signals[name](t);

export interface Discretized {
  readonly delta: number;
  /** Times of the steps, [l]. */
  readonly times: Float64Array;
  readonly held: Float64Array; // [l]
  readonly outputs: Readonly<Record<RuleName, Float64Array>>; // [l] each
  readonly truth: Float64Array; // [l]
  readonly fineTimes: Float64Array; // [l * FINE]
  readonly fineTruth: Float64Array; // [l * FINE]
  readonly maxError: Readonly<Record<RuleName, number>>;
  /** Eigenvalues of A and of each ABar, [n, 2]. */
  readonly poles: Float64Array;
  readonly discretePoles: Readonly<Record<RuleName, Float64Array>>;
  readonly fate: Readonly<Record<RuleName, Fate>>;
  /** The step from which forward Euler's eigenvalues leave the unit circle. */
  readonly edge: number;
}

/** What becomes of a push: it fades, it swings for ever, or it grows without bound. */
export type Fate = "fades" | "swings" | "explodes";

/** Rounding of an eigenvalue of size 1: a few units of the last place. */
const ROUNDING = 1e-12;

/** By the largest modulus of the eigenvalues of ABar, [n, 2]; on the circle itself nothing is lost and nothing gained. */
export function fateOf(poles: Float64Array): Fate {
  const excess = Math.max(...moduli(poles)) - 1;
  if (Math.abs(excess) <= ROUNDING) return "swings";
  return excess < 0 ? "fades" : "explodes";
}

export function moduli(poles: Float64Array): number[] {
  return Array.from({ length: poles.length / 2 }, (_, i) => Math.hypot(poles[2 * i]!, poles[2 * i + 1]!));
}

/** |1 + delta lambda| = 1 at delta = -2 Re(lambda) / |lambda|^2; the first eigenvalue to get there decides. */
export function forwardEulerEdge(poles: Float64Array): number {
  return Math.min(...moduli(poles).map((size, i) => (-2 * poles[2 * i]!) / size ** 2));
}

const column = (sequence: Sequence): Float64Array => Float64Array.from(sequence, (vector) => vector[0]!);
const eachRule = <T>(make: (name: RuleName) => T): Record<RuleName, T> =>
  Object.fromEntries(RULE_NAMES.map((name) => [name, make(name)])) as Record<RuleName, T>;

/** Feeds the held samples of a signal to the continuous oscillator and to its four discrete forms. */
export function discretizeAll(signal: SignalName, delta: number, damping: number): Discretized {
  const system = makeOscillator(damping);
  const l = Math.max(2, Math.floor(DURATION / delta));
  const times = Float64Array.from({ length: l }, (_, k) => (k + 1) * delta);
  const inputs = Array.from(times, (t) => Float64Array.of(signalAt(signal, t - delta / 2)));
  const fine = inputs.flatMap((u) => Array.from({ length: FINE }, () => u));
  // Runge-Kutta steps of at most 1/200 of a second: its error is then far below what a plot shows
  const fineTruth = column(system.simulate(fine, delta / FINE, { substeps: Math.ceil((200 * delta) / FINE) }).outputs);
  const truth = Float64Array.from({ length: l }, (_, k) => fineTruth[(k + 1) * FINE - 1]!);
  const discrete = eachRule((name) => system.discretize(rules[name], delta));
  const poles = system.poles();
  const discretePoles = eachRule((name) => discrete[name].poles());
  const outputs = eachRule((name) => column(discrete[name].scan(inputs).outputs));
  return {
    delta,
    times,
    held: column(inputs),
    outputs,
    truth,
    fineTimes: Float64Array.from({ length: l * FINE }, (_, k) => ((k + 1) * delta) / FINE),
    fineTruth,
    maxError: eachRule((name) => largestDifference(outputs[name], truth)),
    poles,
    discretePoles,
    fate: eachRule((name) => fateOf(discretePoles[name])),
    edge: Math.max(0, forwardEulerEdge(poles)),
  };
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

export interface OrderFit {
  readonly deltas: readonly number[];
  readonly errors: Readonly<Record<RuleName, readonly number[]>>;
  /** Slope of log error over log delta; undefined where the error is only rounding. */
  readonly order: Readonly<Record<RuleName, number | undefined>>;
}

/** Refines the step under an input that stays held over half seconds, and fits how fast each rule's error falls. */
export function fitOrders(damping: number): OrderFit {
  const system = makeOscillator(damping);
  const coarse = Array.from({ length: 12 }, (_, k) => signalAt("wave", 0.5 * k));
  const pieces = [5, 10, 20, 40];
  const deltas = pieces.map((m) => 0.5 / m);
  const heldFor = (m: number): Sequence => coarse.flatMap((u) => Array.from({ length: m }, () => Float64Array.of(u)));
  const truth = system.simulate(heldFor(1), 0.5, { substeps: 400 }).outputs.at(-1)![0]!;
  const errors = eachRule((name) =>
    pieces.map((m, i) =>
      Math.abs(system.discretize(rules[name], deltas[i]!).scan(heldFor(m)).outputs.at(-1)![0]! - truth),
    ),
  );
  return { deltas, errors, order: eachRule((name) => slope(deltas, errors[name])) };
}

function slope(x: readonly number[], y: readonly number[]): number | undefined {
  if (y.every((value) => value < 1e-9)) return undefined;
  const [first, last] = [0, x.length - 1];
  return Math.log(y[first]! / y[last]!) / Math.log(x[first]! / x[last]!);
}
