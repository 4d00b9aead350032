import type { KernelAttrs, KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** The arrays of a gated delta rule, whole-sequence (l tokens a row) or one step (l = 1). */
export interface DeltaArrays {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly n: number;
  readonly p: number;
  readonly v: Float32Array;
  readonly beta: Float32Array;
  /** A decay for each row of the state. */
  readonly wide: boolean;
  readonly scale: number;
  readonly initialState: Float32Array | undefined;
  /** Query (without the scale) and key of head `at` of all tokens' heads, of length one where that is asked for, and what they were divided by. */
  query(at: number): Unit;
  key(at: number): Unit;
  /** Decay of row s. */
  decay(at: number, s: number): number;
  /** A new sequence starts at token t of row i. */
  restarts(i: number, t: number): boolean;
}

/** A vector and the length it was divided by, if it was. */
export interface Unit {
  readonly vector: Float64Array; // [n]
  readonly length: number | undefined;
}

export function deltaArrays(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): DeltaArrays {
  const [h, n] = inputs.q!.shape.slice(-2) as [number, number];
  const l = inputs.q!.shape.length === 4 ? inputs.q!.shape[1]! : 1;
  const { scale, l2norm, l2eps } = attrs as { scale: number; l2norm: boolean; l2eps: number };
  const wide = inputs.g!.shape.length === inputs.q!.shape.length;
  // Found now: a replayed launch runs when the inputs are given back, and only their memory is kept.
  const [q, k, g] = [backend.floats(inputs.q!), backend.floats(inputs.k!), backend.floats(inputs.g!)];
  const seqIdx = inputs.seqIdx && backend.ints(inputs.seqIdx);
  const unitOf = (x: Float32Array, at: number): Unit => {
    const vector = Float64Array.from(x.subarray(at * n, (at + 1) * n));
    if (!l2norm) return { vector, length: undefined };
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, l2eps));
    return { vector: vector.map((value) => value / length), length };
  };
  return {
    b: inputs.q!.shape[0]!,
    l,
    h,
    n,
    p: inputs.v!.shape.at(-1)!,
    v: backend.floats(inputs.v!),
    beta: backend.floats(inputs.beta!),
    wide,
    scale: scale === 0 ? 1 / Math.sqrt(n) : scale,
    initialState: inputs.initialState && backend.floats(inputs.initialState),
    query: (at) => unitOf(q, at),
    key: (at) => unitOf(k, at),
    decay: (at, s) => Math.exp(g[wide ? at * n + s : at]!),
    restarts: (i, t) => t > 0 && seqIdx !== undefined && seqIdx[i * l + t] !== seqIdx[i * l + t - 1],
  };
}

/** What a token did to the state: the decayed state before it was corrected, what was missing from its answer, and the correction. */
export interface Correction {
  readonly decayed: Float64Array; // [n, p]
  readonly missing: Float64Array; // [p], v - decayed^T k
  readonly key: Unit;
}

/** state := exp(g) state, then + k e^T with e = beta (v - state^T k), of one head at one token of row i. */
export function correct(
  s: DeltaArrays,
  state: Float64Array | Float32Array,
  i: number,
  t: number,
  head: number,
): Correction {
  const at = (i * s.l + t) * s.h + head;
  const key = s.key(at);
  const restarts = s.restarts(i, t);
  const missing = Float64Array.from(s.v.subarray(at * s.p, (at + 1) * s.p));
  for (let row = 0; row < s.n; row++) {
    const decay = s.decay(at, row);
    for (let c = 0; c < s.p; c++) {
      const e = row * s.p + c;
      state[e] = restarts ? 0 : decay * state[e]!;
      missing[c]! -= state[e]! * key.vector[row]!;
    }
  }
  const decayed = Float64Array.from(state);
  for (let row = 0; row < s.n; row++)
    for (let c = 0; c < s.p; c++) state[row * s.p + c]! += key.vector[row]! * s.beta[at]! * missing[c]!;
  return { decayed, missing, key };
}
