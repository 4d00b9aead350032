import { rmsFactor, type SplitStream } from "./reading.ts";

/** One block of attention, with m numbers a token in the stream and h heads of p channels. */
export interface AttentionNumbers {
  readonly m: number;
  readonly h: number;
  readonly p: number;
  readonly normWeight: ArrayLike<number>; // [m]
  /** The rows of the projection that become values. */
  readonly values: ArrayLike<number>; // [h p, m]
  readonly outProj: ArrayLike<number>; // [m, h p]
  /** How much each token looks at each. */
  readonly map: ArrayLike<number>; // [h, l, l]
  /** The stream before the block. */
  readonly before: ArrayLike<number>; // [l, m]
}

/**
 * Sends the parts of the stream at the question marks through a block of attention, and adds what it reads from each place of the text: as
 * `throughBlock` does for Mamba. With the weights of its map and the norm's factors as they are, all of it is linear: a place's value times
 * how much is looked at it.
 */
export function throughAttention({ l, q, m, parts }: SplitStream, block: AttentionNumbers): SplitStream {
  const { h, p, map, outProj, before } = block;
  const [sources, text, d] = [l + 1, l - q, h * p];
  const valueOf = valuesOf(block);
  const after = parts.slice();
  for (let i = 0; i < q; i++) {
    const y = new Float64Array(sources * d);
    const look = (head: number, s: number): number => map[(head * l + text + i) * l + s]!;
    const add = (source: number, s: number, value: Float64Array): void => {
      for (let c = 0; c < d; c++) y[source * d + c]! += look(Math.floor(c / p), s) * value[c]!;
    };
    for (let s = 0; s < text; s++) add(s, s, valueOf(before, s * m, s));
    for (let j = 0; j <= i; j++)
      for (let source = 0; source < sources; source++)
        add(source, text + j, valueOf(parts, (j * sources + source) * m, text + j));
    for (let source = 0; source < sources; source++)
      for (let k = 0; k < m; k++) {
        let sum = 0;
        for (let c = 0; c < d; c++) sum += outProj[k * d + c]! * y[source * d + c]!;
        after[(i * sources + source) * m + k]! += sum;
      }
  }
  return { l, q, m, parts: after };
}

/** The value that a part of the stream becomes at a token, whose norm's factor is that of its whole stream. */
function valuesOf({
  m,
  h,
  p,
  normWeight,
  values,
  before,
}: AttentionNumbers): (from: ArrayLike<number>, offset: number, token: number) => Float64Array {
  return (from, offset, token) => {
    const scale = rmsFactor(before, token, m);
    return Float64Array.from({ length: h * p }, (_, c) => {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += values[c * m + k]! * normWeight[k]! * from[offset + k]!;
      return scale * sum;
    });
  };
}
