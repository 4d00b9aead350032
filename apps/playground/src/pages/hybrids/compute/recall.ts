import { Rng } from "@statespace/core";

/**
 * What fits into a state of fixed size: pairs of a key and a value are added up as outer products, S = sum of v k^T, and read with S k. Attention keeps all
 * keys and values, and reads by comparing.
 */
export interface Recall {
  /** Share of pairs of which the nearest value to what was read is the right one. */
  readonly state: number;
  readonly attention: number;
}

/** Values there are, each a vector of signs. */
export const VALUES = 16;
export const WIDTH = 16;
const TRIALS = 24;
export const SHARPNESS = 24;

function unit(rng: Rng, n: number): Float64Array {
  const vector = Float64Array.from(rng.normals(n));
  const norm = Math.hypot(...vector);
  return vector.map((x) => x / norm);
}

/** Pairs to remember, and the values that are told apart. */
export interface Trial {
  readonly keys: readonly Float64Array[]; // [pairs, n]
  readonly values: readonly number[]; // [pairs], which row of signs
  readonly signs: readonly Float64Array[]; // [VALUES, WIDTH]
}

/** @param n numbers of a key; the state has n * WIDTH */
export function drawTrials(pairs: number, n: number, seed: number): Trial[] {
  const rng = new Rng(seed);
  const signs = Array.from({ length: VALUES }, () =>
    Float64Array.from({ length: WIDTH }, () => (rng.uniform() < 0.5 ? -1 : 1)),
  );
  return Array.from({ length: TRIALS }, () => {
    const keys = Array.from({ length: pairs }, () => unit(rng, n));
    return { keys, values: keys.map(() => rng.integer(VALUES)), signs };
  });
}

/** Shares of one trial's pairs that come back right. */
export function recallOf({ keys, values, signs }: Trial): Recall {
  const [pairs, n] = [keys.length, keys[0]!.length];
  let [state, attention] = [0, 0];
  const sum = new Float64Array(n * WIDTH);
  keys.forEach((key, i) => {
    for (let row = 0; row < WIDTH; row++)
      for (let k = 0; k < n; k++) sum[row * n + k]! += signs[values[i]!]![row]! * key[k]!;
  });
  keys.forEach((query, i) => {
    const read = Float64Array.from({ length: WIDTH }, (_, row) => dot(sum.subarray(row * n, (row + 1) * n), query));
    if (nearest(signs, read) === values[i]) state++;
    const weights = keys.map((key) => Math.exp(SHARPNESS * (dot(key, query) - 1)));
    const mixed = Float64Array.from({ length: WIDTH }, (_, row) =>
      weights.reduce((total, weight, s) => total + weight * signs[values[s]!]![row]!, 0),
    );
    if (nearest(signs, mixed) === values[i]) attention++;
  });
  return { state: state / pairs, attention: attention / pairs };
}

/** The mean over many trials. @param n numbers of a key; the state has n * WIDTH */
export function recall(pairs: number, n: number, seed: number): Recall {
  const told = drawTrials(pairs, n, seed).map(recallOf);
  const mean = (of: keyof Recall): number => told.reduce((sum, trial) => sum + trial[of], 0) / told.length;
  return { state: mean("state"), attention: mean("attention") };
}

const dot = (p: Float64Array, q: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i]! * q[i]!;
  return sum;
};

function nearest(signs: readonly Float64Array[], read: Float64Array): number {
  let [best, most] = [0, -Infinity];
  signs.forEach((candidate, i) => {
    const fit = dot(candidate, read);
    if (fit > most) [best, most] = [i, fit];
  });
  return best;
}

/** Bytes that a stack keeps after l tokens: a fixed state in each layer of Mamba, keys and values of all tokens in each of attention; 16-bit numbers. */
export interface Stack {
  readonly layers: number;
  readonly attention: number;
  readonly dModel: number;
  readonly dState: number;
}

export function keptBytes({ layers, attention, dModel, dState }: Stack, l: number): { states: number; cache: number } {
  const dInner = 2 * dModel;
  const state = dInner * dState + dInner * 3; // the last three inputs of the convolution
  return { states: 2 * (layers - attention) * state, cache: 2 * attention * 2 * dModel * l };
}
