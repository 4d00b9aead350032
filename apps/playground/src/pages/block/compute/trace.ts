/**
 * Mamba in plain loops, every number on the way kept: what the fast path computes, to be looked at. l tokens, m numbers in the stream, d channels,
 * n states a channel, r numbers that delta is made of.
 * Source: arXiv 2312.00752, section 3.4; weights by the names of `Model.weights()`.
 */
type Values = ArrayLike<number>;
export type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Values }>;

/** What one layer did to a text; matrices are row-major, a row a token. */
export interface LayerTrace {
  readonly l: number;
  readonly m: number;
  readonly d: number;
  readonly n: number;
  /** The stream before the block, and after its norm. */
  readonly stream: Float64Array; // [l, m]
  readonly normed: Float64Array; // [l, m]
  /** The two halves of the projection: what goes through the scan, and the gate. */
  readonly v: Float64Array; // [l, d]
  readonly z: Float64Array; // [l, d]
  /** After the convolution, and after its SiLU. */
  readonly convolved: Float64Array; // [l, d]
  readonly u: Float64Array; // [l, d]
  /** The step before softplus, and after. */
  readonly deltaRaw: Float64Array; // [l, d]
  readonly delta: Float64Array; // [l, d]
  readonly B: Float64Array; // [l, n]
  readonly C: Float64Array; // [l, n]
  readonly A: Float64Array; // [d, n]
  readonly D: Float64Array; // [d]
  readonly taps: Float64Array; // [d, k]
  readonly bias: Float64Array; // [d], of the convolution
  readonly y: Float64Array; // [l, d]
  readonly gated: Float64Array; // [l, d]
  /** What the block adds to the stream. */
  readonly added: Float64Array; // [l, m]
}

export interface ModelTrace {
  readonly layers: readonly LayerTrace[];
  readonly logits: Float64Array; // [l, v]
}

export const silu = (x: number): number => x / (1 + Math.exp(-x));
export const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

/** Reads ids with every number kept. @param eps of the norms. @throws Error naming a weight that is missing */
export function traceModel(weights: Weights, layers: number, eps: number, ids: readonly number[]): ModelTrace {
  const embedding = weightOf(weights, "encoder.weight");
  const m = embedding.shape[1]!;
  let stream = Float64Array.from(
    { length: ids.length * m },
    (_, i) => embedding.values[ids[Math.floor(i / m)]! * m + (i % m)]!,
  );
  const traced: LayerTrace[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const told = traceLayer(weights, `layers.${layer}.`, eps, stream, ids.length);
    traced.push(told);
    stream = stream.map((value, i) => value + told.added[i]!);
  }
  const normed = rmsNorm(stream, weightOf(weights, "norm_f.weight").values, eps);
  const head = weights.get("head.weight") ?? embedding; // a tied head has no weight of its own
  return { layers: traced, logits: times(head, normed) };
}

function traceLayer(weights: Weights, at: string, eps: number, stream: Float64Array, l: number): LayerTrace {
  const own = (name: string): Weight => weightOf(weights, `${at}mixer.${name}`);
  const m = stream.length / l;
  const [d, n] = own("A_log").shape as [number, number];
  const normed = rmsNorm(stream, weightOf(weights, `${at}norm.weight`).values, eps);
  const projected = times(own("in_proj.weight"), normed); // [l, 2 d]
  const [v, z] = [columns(projected, 2 * d, 0, d), columns(projected, 2 * d, d, d)];
  const conv = own("conv1d.weight");
  const k = conv.values.length / d;
  const taps = Float64Array.from(conv.values);
  const bias = Float64Array.from(weights.get(`${at}mixer.conv1d.bias`)?.values ?? new Float64Array(d));
  const convolved = v.map((_, i) => {
    const [t, c] = [Math.floor(i / d), i % d];
    let sum = bias[c]!;
    for (let tap = 0; tap < k; tap++)
      if (t - k + 1 + tap >= 0) sum += taps[c * k + tap]! * v[(t - k + 1 + tap) * d + c]!;
    return sum;
  });
  const u = convolved.map(silu);
  const chosen = times(own("x_proj.weight"), u); // [l, r + 2 n]
  const r = chosen.length / l - 2 * n;
  const [dt, B, C] = [0, r, r + n].map((from, i) => columns(chosen, r + 2 * n, from, i === 0 ? r : n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const dtBias = own("dt_proj.bias").values;
  const deltaRaw = times(own("dt_proj.weight"), dt).map((value, i) => value + dtBias[i % d]!);
  const delta = deltaRaw.map(softplus);
  const A = Float64Array.from(own("A_log").values, (ALog) => -Math.exp(ALog));
  const D = Float64Array.from(own("D").values);
  const y = new Float64Array(l * d);
  const numbers = { l, d, n, u, delta, A, B, C, D };
  for (let c = 0; c < d; c++) scanChannel(numbers, c).y.forEach((value, t) => (y[t * d + c] = value));
  const gated = y.map((value, i) => value * silu(z[i]!));
  const added = times(own("out_proj.weight"), gated);
  return { l, m, d, n, stream, normed, v, z, convolved, u, deltaRaw, delta, B, C, A, D, taps, bias, y, gated, added };
}

type ScanInputs = Pick<LayerTrace, "l" | "d" | "n" | "u" | "delta" | "A" | "B" | "C" | "D">;

/** One channel through the scan: its state after each token (the first is before any), and its output. */
export function scanChannel(
  { l, d, n, u, delta, A, B, C, D }: ScanInputs,
  c: number,
): { states: readonly Float64Array[]; y: Float64Array } {
  let state: Float64Array = new Float64Array(n);
  const states = [state];
  const y = new Float64Array(l);
  for (let t = 0; t < l; t++) {
    const [step, input] = [delta[t * d + c]!, u[t * d + c]!];
    state = state.map((x, i) => Math.exp(step * A[c * n + i]!) * x + step * B[t * n + i]! * input);
    states.push(state);
    y[t] = state.reduce((sum, x, i) => sum + C[t * n + i]! * x, D[c]! * input);
  }
  return { states, y };
}

interface Weight {
  readonly shape: readonly number[];
  readonly values: Values;
}

function weightOf(weights: Weights, name: string): Weight {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`the model has no weight ${name}: this page reads Mamba, version 1`);
  return found;
}

/** Each row of x [l, inputs] times a matrix [rows, inputs]. */
function times({ shape, values }: Weight, x: Float64Array): Float64Array {
  const [rows, inputs] = [shape[0]!, values.length / shape[0]!];
  const l = x.length / inputs;
  const out = new Float64Array(l * rows);
  for (let t = 0; t < l; t++)
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += values[row * inputs + i]! * x[t * inputs + i]!;
      out[t * rows + row] = sum;
    }
  return out;
}

function columns(x: Float64Array, width: number, from: number, count: number): Float64Array {
  return Float64Array.from(
    { length: (x.length / width) * count },
    (_, i) => x[Math.floor(i / count) * width + from + (i % count)]!,
  );
}

function rmsNorm(x: Float64Array, weight: Values, eps: number): Float64Array {
  const m = weight.length;
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += m) {
    let squares = 0;
    for (let i = 0; i < m; i++) squares += x[at + i]! ** 2;
    const scale = 1 / Math.sqrt(squares / m + eps);
    for (let i = 0; i < m; i++) out[at + i] = x[at + i]! * scale * weight[i]!;
  }
  return out;
}
