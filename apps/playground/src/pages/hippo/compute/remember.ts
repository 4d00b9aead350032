import { Rng } from "@statespace/core";
import { LegSMemory, WindowMemory } from "@statespace/core/hippo";
import { Matrix, solveLinear } from "@statespace/core/math";

export const MEMORIES = ["legs", "legt", "fourier", "random"] as const;
export type MemoryName = (typeof MEMORIES)[number];

export interface Remembered {
  /** The history as the memory tells it at `now`; NaN where it does not reach. */
  readonly history: Float64Array; // [now]
  readonly coefficients: Float64Array; // [n]
  /** Root mean square error over the part the memory reaches. */
  readonly error: number;
}

export interface RememberInput {
  readonly signal: Float64Array;
  readonly n: number;
  /** Samples seen so far. */
  readonly now: number;
  /** Length of the sliding windows, in samples. */
  readonly window: number;
}

/** Streams a signal through one memory up to `now` and reads the history back from the n coefficients alone. */
export function remember(name: MemoryName, input: RememberInput): Remembered {
  const seen = input.signal.subarray(0, input.now);
  const { history, coefficients } =
    name === "legs"
      ? withLegS(seen, input.n)
      : name === "random"
        ? withRandom(seen, input.n)
        : withWindow(name, seen, input);
  const reached = [...history.keys()].filter((i) => !Number.isNaN(history[i]!));
  const squares = reached.reduce((sum, i) => sum + (history[i]! - seen[i]!) ** 2, 0);
  return { history, coefficients, error: Math.sqrt(squares / Math.max(1, reached.length)) };
}

type Read = Pick<Remembered, "history" | "coefficients">;

function withLegS(seen: Float64Array, n: number): Read {
  const memory = new LegSMemory(n, "exact");
  memory.pushAll(seen);
  return { history: memory.reconstruct(), coefficients: memory.coefficients };
}

function withWindow(measure: "legt" | "fourier", seen: Float64Array, { n, window }: RememberInput): Read {
  const memory = new WindowMemory(measure, n, window);
  memory.pushAll(seen);
  const reach = Math.min(seen.length, Math.floor(window));
  const history = new Float64Array(seen.length).fill(Number.NaN);
  // the reconstruction covers the whole window; before it is full, its older part lies before the signal began
  history.set(memory.reconstruct(Math.floor(window)).subarray(Math.floor(window) - reach), seen.length - reach);
  return { history, coefficients: memory.coefficients };
}

/**
 * The control: a recurrence with a random matrix of spectral radius just below 1. It has no basis to read the history with, so it gets the best
 * linear guess there is: the smallest history that leads to the same state, u = K^T (K K^T)^-1 x with x = K u.
 */
function withRandom(seen: Float64Array, n: number): Read {
  const rng = new Rng(7);
  const ABar = Matrix.from(n, n, () => rng.normal(0, 0.97 / Math.sqrt(n)));
  const BBar = Float64Array.from({ length: n }, () => rng.normal());
  const columns: Float64Array[] = []; // ABar^age B
  let response: Float64Array = BBar;
  for (let age = 0; age < seen.length; age++) {
    columns.push(response);
    response = ABar.apply(response);
  }
  const state = new Float64Array(n);
  columns.forEach((column, age) => column.forEach((value, i) => (state[i]! += value * seen[seen.length - 1 - age]!)));
  const gram = Matrix.from(n, n, (i, j) =>
    columns.reduce((sum, column) => sum + column[i]! * column[j]!, i === j ? 1e-9 : 0),
  );
  const weights = solveLinear(gram, Matrix.column(state)).data;
  const history = Float64Array.from({ length: seen.length }, (_, t) =>
    columns[seen.length - 1 - t]!.reduce((sum, value, i) => sum + value * weights[i]!, 0),
  );
  return { history, coefficients: state };
}
