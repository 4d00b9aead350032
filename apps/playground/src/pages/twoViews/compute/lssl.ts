import { Rng } from "@statespace/core";
import { bilinear } from "@statespace/core/discretization";
import { makeHippo } from "@statespace/core/hippo";
import { Matrix } from "@statespace/core/math";
import { ContinuousSsm, type DiscreteSsm } from "@statespace/core/ssm";

export const MEASURES = ["legs", "legt", "fourier"] as const;
export type Measure = (typeof MEASURES)[number];

/** Steps of the figure. */
export const LENGTH = 64;

/** A linear state space layer with one input and one output: a HiPPO matrix, discretized by the bilinear rule, and a random C. */
export function makeLssl(measure: Measure, n: number, delta: number, seed: number): DiscreteSsm {
  const { A, B } = makeHippo(measure, n);
  const C = new Matrix(1, n, new Rng(seed).normals(n, 0, 1 / Math.sqrt(n)));
  return new ContinuousSsm(A, B, C).discretize(bilinear, delta);
}

/** The input of the figure: a few pulses and a wave. */
export function makeInput(seed: number): Float64Array {
  const rng = new Rng(seed);
  const u = Float64Array.from({ length: LENGTH }, (_, k) => 0.3 * Math.sin(k / 5));
  for (let pulse = 0; pulse < 4; pulse++) u[rng.integer(LENGTH)]! += rng.uniform() < 0.5 ? 1 : -1;
  return u;
}

export interface TwoViews {
  readonly u: Float64Array; // [l]
  /** The state after each step, [l, n]. */
  readonly states: readonly Float64Array[];
  readonly recurrent: Float64Array; // [l]
  readonly convolved: Float64Array; // [l]
  readonly filter: Float64Array; // [l]
  /** Largest difference of the two outputs. */
  readonly difference: number;
}

/** Runs the same system step by step and as one convolution. */
export function bothViews(system: DiscreteSsm, u: Float64Array): TwoViews {
  const inputs = Array.from(u, (value) => Float64Array.of(value));
  const states: Float64Array[] = [];
  let state: Float64Array = new Float64Array(system.ABar.rows);
  const recurrent = Float64Array.from(inputs, (input) => {
    const stepped = system.step(state, input);
    state = stepped.state;
    states.push(state);
    return stepped.output[0]!;
  });
  const convolved = Float64Array.from(system.convolve(inputs, { method: "fft" }), (output) => output[0]!);
  const filter = Float64Array.from(system.ssmFilter(u.length), (K) => K.at(0, 0));
  return {
    u,
    states,
    recurrent,
    convolved,
    filter,
    difference: recurrent.reduce((most, y, k) => Math.max(most, Math.abs(y - convolved[k]!)), 0),
  };
}
