import type { KernelAttrs, KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { sigmoid, softplus } from "../../math.ts";

/** The arrays of a Mamba-2 scan, whole-sequence (l tokens a row) or one step (l = 1). */
export interface SsdArrays {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly p: number;
  readonly n: number;
  readonly x: Float32Array;
  readonly A: Float32Array;
  readonly B: Float32Array;
  readonly C: Float32Array;
  readonly z: Float32Array | undefined;
  readonly initialState: Float32Array | undefined;
  /** dt of a token and a head, after softplus and clamp. */
  delta(token: number, head: number): number;
  /** Its derivative by dt. */
  deltaSlope(token: number, head: number): number;
  /** First element of B and C for a token and a head: its group's row. */
  bcOffset(token: number, head: number): number;
  /** Element of D for a channel of a head, if there is a D. */
  readonly skipIndex: ((head: number, channel: number) => number) | undefined;
  readonly D: Float32Array | undefined;
  /** A new sequence starts at token t of row i. */
  restarts(i: number, t: number): boolean;
}

export function ssdArrays(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): SsdArrays {
  const floats = (name: string): Float32Array | undefined => (inputs[name] ? backend.floats(inputs[name]) : undefined);
  const shape = inputs.x!.shape;
  const [h, p] = shape.slice(-2) as [number, number];
  const [g, n] = inputs.B!.shape.slice(-2) as [number, number];
  const l = shape.length === 4 ? shape[1]! : 1;
  const seqIdx = inputs.seqIdx ? backend.ints(inputs.seqIdx) : undefined;
  const dt = floats("dt")!;
  const bias = floats("dtBias");
  const raw = (token: number, head: number): number => dt[token * h + head]! + (bias ? bias[head]! : 0);
  const step = (value: number): number => (attrs.dtSoftplus ? softplus(value) : value);
  const { dtMin, dtMax } = attrs as { dtMin: number; dtMax: number };
  return {
    b: shape[0]!,
    l,
    h,
    p,
    n,
    x: floats("x")!,
    A: floats("A")!,
    B: floats("B")!,
    C: floats("C")!,
    D: floats("D"),
    z: floats("z"),
    initialState: floats("initialState"),
    delta: (token, head) => Math.min(dtMax, Math.max(dtMin, step(raw(token, head)))),
    deltaSlope: (token, head) => {
      const value = raw(token, head);
      const delta = step(value);
      if (delta < dtMin || delta > dtMax) return 0;
      return attrs.dtSoftplus ? sigmoid(value) : 1;
    },
    bcOffset: (token, head) => (token * g + Math.floor((head * g) / h)) * n,
    skipIndex: inputs.D && (inputs.D.shape.length === 2 ? (head, channel) => head * p + channel : (head) => head),
    restarts: (i, t) => t > 0 && seqIdx !== undefined && seqIdx[i * l + t] !== seqIdx[i * l + t - 1],
  };
}

/** state = exp(dt A) state + dt x B^T of one head at one token of row i. */
export function advance(s: SsdArrays, state: Float64Array | Float32Array, i: number, t: number, head: number): void {
  const token = i * s.l + t;
  const delta = s.delta(token, head);
  // Of another sequence nothing is kept, whatever it left; a decay of 0 alone keeps the NaN of its own.
  if (s.restarts(i, t)) state.fill(0);
  const decay = s.restarts(i, t) ? 0 : Math.exp(delta * s.A[head]!);
  const bc = s.bcOffset(token, head);
  for (let c = 0; c < s.p; c++) {
    const input = delta * s.x[(token * s.h + head) * s.p + c]!;
    for (let k = 0; k < s.n; k++) state[c * s.n + k] = decay * state[c * s.n + k]! + input * s.B[bc + k]!;
  }
}
