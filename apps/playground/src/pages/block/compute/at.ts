import { silu, type LayerTrace } from "./trace.ts";

/** Every number of one channel and one of its states at one token. */
export interface Numbers {
  readonly stream: number;
  readonly v: number;
  readonly z: number;
  readonly convolved: number;
  readonly u: number;
  readonly deltaRaw: number;
  readonly delta: number;
  readonly A: number;
  readonly ABar: number;
  readonly B: number;
  /** The state before the token, and after. */
  readonly before: number;
  readonly kept: number;
  readonly written: number;
  readonly x: number;
  readonly C: number;
  readonly D: number;
  /** What all states of the channel are read as: the sum of C x. */
  readonly read: number;
  readonly y: number;
  readonly gate: number;
  readonly gated: number;
}

/** @param states of the channel, before the first token and after each. @param s index of the state */
export function numbersAt(
  trace: LayerTrace,
  states: readonly Float64Array[],
  t: number,
  c: number,
  s: number,
): Numbers {
  const { d, n, m } = trace;
  const [at, token] = [t * d + c, t * n + s];
  const [delta, u, z, D] = [trace.delta[at]!, trace.u[at]!, trace.z[at]!, trace.D[c]!];
  const [A, B, C] = [trace.A[c * n + s]!, trace.B[token]!, trace.C[token]!];
  const ABar = Math.exp(delta * A);
  const before = states[t]![s]!;
  const written = delta * B * u;
  const read = states[t + 1]!.reduce((sum, x, i) => sum + trace.C[t * n + i]! * x, 0);
  const stream = trace.stream.subarray(t * m, (t + 1) * m);
  return {
    stream: Math.hypot(...stream) / Math.sqrt(m),
    v: trace.v[at]!,
    z,
    convolved: trace.convolved[at]!,
    u,
    deltaRaw: trace.deltaRaw[at]!,
    delta,
    A,
    ABar,
    B,
    before,
    kept: ABar * before,
    written,
    x: states[t + 1]![s]!,
    C,
    D,
    read,
    y: trace.y[at]!,
    gate: silu(z),
    gated: trace.gated[at]!,
  };
}

/** Five digits, a true minus. */
export const told = (value: number): string => {
  const size = Math.abs(value);
  const text = size !== 0 && size < 1e-4 ? value.toExponential(3) : String(+value.toPrecision(5));
  return text.replaceAll("-", "−");
};
