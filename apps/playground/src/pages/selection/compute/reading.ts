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
  /** The gate's factor of each channel at the question marks, for the output of all channels there, y [q, d]. */
  gate(y: Float64Array): Promise<ArrayLike<number>>; // [q, d]
}

/** Added to the mean square by an RMS norm. */
export const NORM_EPS = 1e-5;

export function rmsFactor(stream: ArrayLike<number>, at: number, m: number): number {
  let squares = 0;
  for (let k = 0; k < m; k++) squares += stream[at * m + k]! ** 2;
  return 1 / Math.sqrt(squares / m + NORM_EPS);
}

/**
 * The stream at the question marks, the last q of l steps, split by the place that each part was read from: [q, l + 1, m], where the last of the middle
 * axis is what came from no place (biases). The parts of a step sum to its activation. What stands at a place of the text is that place's, whatever the
 * model had read before it wrote it there: asked is where the question marks look.
 */
export interface SplitStream {
  readonly l: number;
  readonly q: number;
  readonly m: number;
  readonly parts: Float64Array;
}

/** Before the first block each question mark is its own alone. @param embedded [l, m] */
export function splitEmbedding(embedded: ArrayLike<number>, l: number, q: number, m: number): SplitStream {
  const parts = new Float64Array(q * (l + 1) * m);
  for (let i = 0; i < q; i++) {
    const t = l - q + i;
    for (let k = 0; k < m; k++) parts[(i * (l + 1) + t) * m + k] = embedded[t * m + k]!;
  }
  return { l, q, m, parts };
}

/**
 * Sends the parts through a block, and adds what its scan reads from each place of the text. Its nonlinear pieces multiply: a norm by one over the root
 * mean square, SiLU by a sigmoid, the gate by its factor, and delta, B and C are numbers. With those factors as they are, all of the block is linear, so
 * the parts stay exact and their sums stay the activations.
 */
export async function throughBlock({ l, q, m, parts }: SplitStream, block: BlockNumbers): Promise<SplitStream> {
  const { scan, outProj } = block;
  const { d } = scan;
  const [sources, text] = [l + 1, l - q];
  const asked = splitInputs({ l, q, m, parts }, block);
  const y = new Float64Array(q * sources * d);
  const whole = new Float64Array(q * d);
  for (let i = 0; i < q; i++) {
    const counts = countsOf(scan, text + i);
    for (let c = 0; c < d; c++) {
      counts[(text + i) * d + c]! += block.D[c]!;
      for (let s = 0; s < text; s++) y[(i * sources + s) * d + c] = counts[s * d + c]! * scan.u[s * d + c]!;
      for (let j = 0; j <= i; j++)
        for (let source = 0; source < sources; source++)
          y[(i * sources + source) * d + c]! += counts[(text + j) * d + c]! * asked[(j * sources + source) * d + c]!;
      for (let source = 0; source < sources; source++) whole[i * d + c]! += y[(i * sources + source) * d + c]!;
    }
  }
  const factor = await block.gate(whole);
  const after = parts.slice();
  for (let i = 0; i < q; i++)
    for (let source = 0; source < sources; source++)
      for (let k = 0; k < m; k++) {
        let sum = 0;
        for (let c = 0; c < d; c++)
          sum += outProj[k * d + c]! * factor[i * d + c]! * y[(i * sources + source) * d + c]!;
        after[(i * sources + source) * m + k]! += sum;
      }
  return { l, q, m, parts: after };
}

/** u at the question marks, split like the stream, [q, l + 1, d]. */
function splitInputs({ l, q, parts }: SplitStream, block: BlockNumbers): Float64Array {
  const { m, normWeight, inProj, convWeight, convBias, before } = block;
  const { d } = block.scan;
  const sources = l + 1;
  const u = new Float64Array(q * sources * d);
  for (let i = 0; i < q; i++) {
    const t = l - q + i;
    const scale = rmsFactor(before, t, m);
    const project = (from: ArrayLike<number>, offset: number, c: number): number => {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += inProj[c * m + k]! * normWeight[k]! * from[offset + k]!;
      return scale * sum * convWeight[c]!;
    };
    for (let c = 0; c < d; c++) {
      const sigmoid = 1 / (1 + Math.exp(-(project(before, t * m, c) + convBias[c]!)));
      for (let source = 0; source < sources; source++)
        u[(i * sources + source) * d + c] = sigmoid * project(parts, (i * sources + source) * m, c);
      u[(i * sources + l) * d + c]! += sigmoid * convBias[c]!;
    }
  }
  return u;
}

/** What each place adds to a score at a question mark; the last entry is what came from none. @param worth of one unit of the stream, [m] @returns [l + 1] */
export function readScore({ l, m, parts }: SplitStream, question: number, worth: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: l + 1 }, (_, source) => {
    let sum = 0;
    for (let k = 0; k < m; k++) sum += worth[k]! * parts[(question * (l + 1) + source) * m + k]!;
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
