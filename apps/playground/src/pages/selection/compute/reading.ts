/** The arguments of one layer's scan, as plain numbers. */
export interface ScanNumbers {
  readonly l: number;
  readonly d: number;
  readonly n: number;
  readonly u: ArrayLike<number>; // [l, d]
  readonly delta: ArrayLike<number>; // [l, d], after softplus
  readonly A: ArrayLike<number>; // [d, n]
  readonly B: ArrayLike<number>; // [l, n]
  readonly C: ArrayLike<number>; // [l, n]
}

/**
 * By what a unit of u at step s counts in a channel's output at step `at`. Once delta, B and C are known the scan is linear in u:
 *
 *     K[s, c] = sum_n C[at, n] exp(A[c, n] (delta[s+1, c] + ... + delta[at, c])) delta[s, c] B[s, n],     y[at, c] = sum_s K[s, c] u[s, c]
 *
 * @returns [l, d]; 0 after `at`
 */
export function countsOf({ l, d, n, delta, A, B, C }: Omit<ScanNumbers, "u">, at: number): Float64Array {
  const counts = new Float64Array(l * d);
  const since = new Float64Array(d); // sum of delta over the steps after s
  for (let s = at; s >= 0; s--)
    for (let c = 0; c < d; c++) {
      let read = 0;
      for (let i = 0; i < n; i++) read += C[at * n + i]! * Math.exp(A[c * n + i]! * since[c]!) * B[s * n + i]!;
      counts[s * d + c] = read * delta[s * d + c]!;
      since[c]! += delta[s * d + c]!;
    }
  return counts;
}

/** Norm of what each token adds to the state: delta_t B_t u_t, [l]. */
export function writtenOf({ l, d, n, u, delta, B }: ScanNumbers): Float64Array {
  return Float64Array.from({ length: l }, (_, t) => {
    let [drive, direction] = [0, 0];
    for (let c = 0; c < d; c++) drive += (delta[t * d + c]! * u[t * d + c]!) ** 2;
    for (let i = 0; i < n; i++) direction += B[t * n + i]! ** 2;
    return Math.sqrt(drive * direction);
  });
}

/** One Mamba block around a scan, with m numbers a token in the stream. */
export interface BlockNumbers {
  readonly scan: ScanNumbers;
  readonly m: number;
  readonly normWeight: ArrayLike<number>; // [m]
  readonly inProj: ArrayLike<number>; // [d, m], the half that becomes u
  readonly convWeight: ArrayLike<number>; // [d]; one tap: each step sees its own token
  readonly convBias: ArrayLike<number>; // [d]
  readonly D: ArrayLike<number>; // [d]
  readonly outProj: ArrayLike<number>; // [m, d]
  /** The stream before the block. */
  readonly before: ArrayLike<number>; // [l, m]
  /** The gate's factor of each channel, for the whole output of all channels, y [l, d]. */
  gate(y: Float64Array): Promise<ArrayLike<number>>; // [l, d]
}

/** Added to the mean square by an RMS norm. */
export const NORM_EPS = 1e-5;

export function rmsFactor(stream: ArrayLike<number>, at: number, m: number): number {
  let squares = 0;
  for (let k = 0; k < m; k++) squares += stream[at * m + k]! ** 2;
  return 1 / Math.sqrt(squares / m + NORM_EPS);
}

/**
 * A stream of activations [l, m], split by the token each part came from: [l, l + 1, m], where the last of the middle axis is what came from none
 * (biases). Every part of a step sums to the step's own activation.
 */
export interface SplitStream {
  readonly l: number;
  readonly m: number;
  readonly parts: Float64Array;
}

/** Before the first block each step is its own token's alone. @param embedded [l, m] */
export function splitEmbedding(embedded: ArrayLike<number>, l: number, m: number): SplitStream {
  const parts = new Float64Array(l * (l + 1) * m);
  for (let t = 0; t < l; t++) for (let k = 0; k < m; k++) parts[(t * (l + 1) + t) * m + k] = embedded[t * m + k]!;
  return { l, m, parts };
}

/**
 * Sends the parts through a block. Its nonlinear pieces multiply: a norm by one over the root mean square, SiLU by a sigmoid, the gate by its factor, and
 * delta, B and C are numbers. With those factors as they are, all of the block is linear, so the parts stay exact and their sums stay the activations.
 */
export async function throughBlock({ l, m, parts }: SplitStream, block: BlockNumbers): Promise<SplitStream> {
  const { scan, outProj } = block;
  const { d } = scan;
  const sources = l + 1;
  const u = splitInputs(parts, block, l);
  const y = new Float64Array(l * sources * d);
  const whole = new Float64Array(l * d);
  for (let t = 0; t < l; t++) {
    const counts = countsOf(scan, t);
    for (let c = 0; c < d; c++) counts[t * d + c]! += block.D[c]!;
    for (let s = 0; s <= t; s++)
      for (const source of sourcesUpTo(s, l))
        for (let c = 0; c < d; c++)
          y[(t * sources + source) * d + c]! += counts[s * d + c]! * u[(s * sources + source) * d + c]!;
    for (const source of sourcesUpTo(t, l))
      for (let c = 0; c < d; c++) whole[t * d + c]! += y[(t * sources + source) * d + c]!;
  }
  const factor = await block.gate(whole);
  const after = parts.slice();
  for (let t = 0; t < l; t++)
    for (const source of sourcesUpTo(t, l)) {
      const from = (t * sources + source) * d;
      const to = (t * sources + source) * m;
      for (let k = 0; k < m; k++) {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += outProj[k * d + c]! * factor[t * d + c]! * y[from + c]!;
        after[to + k]! += sum;
      }
    }
  return { l, m, parts: after };
}

/** u split by token, [l, l + 1, d]. */
function splitInputs(parts: Float64Array, block: BlockNumbers, l: number): Float64Array {
  const { m, normWeight, inProj, convWeight, convBias, before } = block;
  const { d } = block.scan;
  const sources = l + 1;
  const u = new Float64Array(l * sources * d);
  for (let t = 0; t < l; t++) {
    const scale = rmsFactor(before, t, m);
    const project = (from: ArrayLike<number>, offset: number, c: number): number => {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += inProj[c * m + k]! * normWeight[k]! * from[offset + k]!;
      return scale * sum * convWeight[c]!;
    };
    for (let c = 0; c < d; c++) {
      const sigmoid = 1 / (1 + Math.exp(-(project(before, t * m, c) + convBias[c]!)));
      for (const source of sourcesUpTo(t, l))
        u[(t * sources + source) * d + c] = sigmoid * project(parts, (t * sources + source) * m, c);
      u[(t * sources + l) * d + c]! += sigmoid * convBias[c]!;
    }
  }
  return u;
}

/** The tokens that a step can have parts of, and none. */
function sourcesUpTo(step: number, l: number): number[] {
  return [...Array.from({ length: step + 1 }, (_, s) => s), l];
}

/** What each token adds to a score at a step; the last entry is what came from none. @param worth of one unit of the stream, [m] @returns [l + 1] */
export function readScore({ l, m, parts }: SplitStream, at: number, worth: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: l + 1 }, (_, source) => {
    let sum = 0;
    for (let k = 0; k < m; k++) sum += worth[k]! * parts[(at * (l + 1) + source) * m + k]!;
    return sum;
  });
}

/**
 * Of all that is read from the sequence, for or against an answer: how much speaks for it from the letter that was asked for; 0 where nothing is read.
 * @param letters the one asked for by each answer
 */
export function askedShare(
  answers: readonly { readonly parts?: Float64Array | undefined }[],
  letters: readonly { readonly place: number }[],
  seqLen: number,
): number {
  const rows = answers.map(({ parts }) => parts!.subarray(0, seqLen));
  const all = rows.reduce((sum, row) => sum + row.reduce((total, part) => total + Math.abs(part), 0), 0);
  const asked = rows.reduce((sum, row, i) => sum + Math.max(0, row[letters[i]!.place]!), 0);
  return all === 0 ? 0 : asked / all;
}
