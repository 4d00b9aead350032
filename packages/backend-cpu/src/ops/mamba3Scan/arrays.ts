import type { KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { sigmoid } from "../../math.ts";

/** Values in whatever precision the caller keeps them. */
type Values = Float64Array | Float32Array;

/** What a token multiplies: the state, what the token before wrote, what it writes itself; and what these come from. */
export interface Trapezoid {
  /** Another sequence begins here: nothing before it counts. */
  readonly starts: boolean;
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly lambda: number;
  readonly dt: number;
}

/** The arrays of a Mamba-3 scan, whole-sequence (l tokens a row) or one step (l = 1). */
export interface Mamba3Arrays {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly r: number;
  readonly p: number;
  readonly n: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly D: Float32Array | undefined;
  readonly z: Float32Array | undefined;
  readonly initialState: Float32Array | undefined;
  trapezoid(i: number, t: number, head: number): Trapezoid;
  /** k [r, n] and v [r, p] of a head at a token; at t = -1 those of the token before the first, zeros where there is none. */
  written(i: number, t: number, head: number): { readonly k: Float32Array; readonly v: Float32Array };
}

export function mamba3Arrays(backend: CpuBackend, inputs: KernelInputs): Mamba3Arrays {
  const floats = (name: string): Float32Array | undefined => (inputs[name] ? backend.floats(inputs[name]) : undefined);
  const shape = inputs.q!.shape;
  const [h, r, n] = shape.slice(-3) as [number, number, number];
  const p = inputs.v!.shape.at(-1)!;
  const l = shape.length === 5 ? shape[1]! : 1;
  const seqIdx = inputs.seqIdx ? backend.ints(inputs.seqIdx) : undefined;
  const [q, k, v] = [floats("q")!, floats("k")!, floats("v")!];
  const [adt, dts, trap] = [floats("adt")!, floats("dt")!, floats("trap")!];
  const [firstK, firstV] = [
    floats("initialK") ?? floats("lastK") ?? k.slice(0, 0),
    floats("initialV") ?? floats("lastV") ?? v.slice(0, 0),
  ];
  const tile = (values: Float32Array, index: number, width: number): Float32Array =>
    values.subarray(index * r * width, (index + 1) * r * width);
  const [noK, noV] = [new Float32Array(r * n), new Float32Array(r * p)];
  return {
    b: shape[0]!,
    l,
    h,
    r,
    p,
    n,
    q,
    k,
    v,
    D: floats("D"),
    z: floats("z"),
    initialState: floats("initialState"),
    trapezoid: (i, t, head) => {
      const at = (i * l + t) * h + head;
      const starts = t > 0 && seqIdx !== undefined && seqIdx[i * l + t] !== seqIdx[i * l + t - 1];
      const lambda = sigmoid(trap[at]!);
      const alpha = starts ? 0 : Math.exp(adt[at]!);
      return { starts, alpha, beta: (1 - lambda) * dts[at]! * alpha, gamma: lambda * dts[at]!, lambda, dt: dts[at]! };
    },
    written: (i, t, head) => {
      const index = t < 0 ? i * h + head : (i * l + t) * h + head;
      if (t >= 0) return { k: tile(k, index, n), v: tile(v, index, p) };
      return {
        k: firstK.length > 0 ? tile(firstK, index, n) : noK,
        v: firstV.length > 0 ? tile(firstV, index, p) : noV,
      };
    },
  };
}

/** state := alpha state + sum_j beta v'_j k'_j^T + gamma v_j k_j^T, of one head at one token. */
export function advance(s: Mamba3Arrays, state: Values, i: number, t: number, head: number): void {
  const { starts, alpha, beta, gamma } = s.trapezoid(i, t, head);
  const [before, now] = [s.written(i, t - 1, head), s.written(i, t, head)];
  for (let c = 0; c < s.p; c++) {
    for (let e = 0; e < s.n; e++) {
      let value = starts ? 0 : alpha * state[c * s.n + e]!;
      for (let j = 0; j < s.r; j++) {
        if (!starts) value += beta * before.v[j * s.p + c]! * before.k[j * s.n + e]!;
        value += gamma * now.v[j * s.p + c]! * now.k[j * s.n + e]!;
      }
      state[c * s.n + e] = value;
    }
  }
}

/** state q + D v of one channel of one rank, before the gate; `at` counts [token, head, rank]. */
export function outputOf(s: Mamba3Arrays, state: Values, at: number, head: number, channel: number): number {
  let sum = s.D ? s.D[head]! * s.v[at * s.p + channel]! : 0;
  for (let e = 0; e < s.n; e++) sum += state[channel * s.n + e]! * s.q[at * s.n + e]!;
  return sum;
}
