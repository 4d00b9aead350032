import { Rng } from "@statespace/core";

/**
 * State space duality in small: one head, one channel. The recurrence x_t = a_t x_(t-1) + B_t u_t, y_t = C_t x_t is a matrix, y = M u with
 * M = L * (C B^T), where L_ts is the product of a over the tokens after s up to t: attention without softmax, under a mask that fades.
 * Source: Dao and Gu 2024 (arXiv 2405.21060), sections 3 and 6.
 */
export interface Duality {
  readonly a: readonly number[]; // [l]
  readonly u: readonly number[]; // [l]
  readonly B: readonly Float64Array[]; // [l][n]
  readonly C: readonly Float64Array[]; // [l][n]
  /** C B^T, the mask and their product, for s <= t: [l][t + 1]. */
  readonly scores: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly M: readonly (readonly number[])[];
  readonly byMatrix: readonly number[];
  readonly byRecurrence: readonly number[];
  readonly byChunks: readonly number[];
}

export interface DualitySettings {
  readonly l: number;
  readonly n: number;
  readonly chunk: number;
  /** What a token keeps of the state: between `keep` and 1. */
  readonly keep: number;
  readonly seed: number;
}

const dot = (p: Float64Array, q: Float64Array): number => p.reduce((sum, value, i) => sum + value * q[i]!, 0);

export function duality(settings: DualitySettings): Duality {
  const { l, n, keep, seed } = settings;
  const rng = new Rng(seed);
  const list = <T>(make: () => T): T[] => Array.from({ length: l }, make);
  const vectors = (): Float64Array[] => list(() => Float64Array.from({ length: n }, () => 2 * rng.uniform() - 1));
  const [B, C] = [vectors(), vectors()];
  const a = list(() => keep + (1 - keep) * rng.uniform());
  const u = list(() => 2 * rng.uniform() - 1);
  const below = (value: (t: number, s: number) => number): number[][] =>
    a.map((_, t) => Array.from({ length: t + 1 }, (__, s) => value(t, s)));
  const scores = below((t, s) => dot(C[t]!, B[s]!));
  const mask = below((t, s) => a.slice(s + 1, t + 1).reduce((product, each) => product * each, 1));
  const M = below((t, s) => scores[t]![s]! * mask[t]![s]!);
  const parts = { a, u, B, C };
  return {
    ...parts,
    scores,
    mask,
    M,
    byMatrix: M.map((row) => row.reduce((sum, value, s) => sum + value * u[s]!, 0)),
    byRecurrence: recurrence(parts, n),
    byChunks: chunks(parts, mask, scores, settings),
  };
}

type Parts = Pick<Duality, "a" | "u" | "B" | "C">;

function recurrence({ a, u, B, C }: Parts, n: number): number[] {
  let state: Float64Array = new Float64Array(n);
  return a.map((kept, t) => {
    state = state.map((x, i) => kept * x + B[t]![i]! * u[t]!);
    return dot(C[t]!, state);
  });
}

/** Inside of a chunk the matrix; between chunks only a state is passed. */
function chunks(
  { a, u, B, C }: Parts,
  mask: readonly (readonly number[])[],
  scores: readonly (readonly number[])[],
  { l, n, chunk }: DualitySettings,
): number[] {
  const y = new Array<number>(l).fill(0);
  let state: Float64Array = new Float64Array(n);
  for (let from = 0; from < l; from += chunk) {
    const to = Math.min(l, from + chunk);
    let fade = 1;
    for (let t = from; t < to; t++) {
      fade *= a[t]!;
      y[t] = fade * dot(C[t]!, state);
      for (let s = from; s <= t; s++) y[t]! += scores[t]![s]! * mask[t]![s]! * u[s]!;
    }
    state = state.map((x, i) => {
      let next = fade * x;
      for (let s = from; s < to; s++) next += mask[to - 1]![s]! * B[s]![i]! * u[s]!;
      return next;
    });
  }
  return y;
}

/** Multiplications of each way, for heads of p channels: what grows with l, and how. */
export function costs(
  l: number,
  n: number,
  p: number,
  chunk: number,
): Readonly<Record<"recurrence" | "matrix" | "chunks", number>> {
  const square = (length: number): number => ((length * (length + 1)) / 2) * (n + p);
  const whole = Math.floor(l / chunk);
  const rest = l - whole * chunk;
  return {
    recurrence: 3 * l * n * p,
    matrix: square(l),
    chunks: whole * square(chunk) + square(rest) + 2 * l * n * p,
  };
}
