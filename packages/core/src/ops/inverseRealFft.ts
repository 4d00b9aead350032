import { ArgumentError, ShapeError } from "../errors.ts";
import { ndzeros } from "../math/ndarray.ts";
import { tensor } from "../tensor/create.ts";
import { sub } from "./binary.ts";
import { complexParts } from "./complexPair.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { matMul } from "./matMul.ts";

const inputs = { x: "h m 2" } as const;

const attrs = {
  /** Length of the real sequences: the spectrum alone does not tell whether it is odd. */
  seqLen: 1,
};

/**
 * Real sequences from the first half of their spectra: y_t = (1/l) sum_k c_k Re(x_k exp(2 pi i k t / l)), with c_k = 2 but for the
 * frequencies 0 and (l even) l/2, which have no mirror image and whose imaginary parts do not count.
 *
 * Shapes: x [h, m, 2] with m = floor(l/2) + 1 (re, im); y [h, l], l = seqLen, any length.
 * Errors: ShapeError, DTypeError; ArgumentError unless seqLen is a positive integer.
 * Source: how S4 turns its generating function, evaluated at the roots of unity, into a filter (arXiv 2111.00396, section 3.2).
 */
export const inverseRealFft: Op<typeof inputs, typeof attrs> = defineOp({
  name: "inverseRealFft",
  inputs,
  attrs,
  outputs: { y: "h seqLen" },
  check: ({ dims: { h, m } }, { seqLen }) => {
    if (!Number.isInteger(seqLen) || seqLen < 1)
      throw new ArgumentError(`inverseRealFft: seqLen must be a positive integer, got ${seqLen}`);
    const expected = Math.floor(seqLen / 2) + 1;
    if (m !== expected)
      throw new ShapeError(
        `inverseRealFft: x must be [h, floor(l/2) + 1, 2] = [${h}, ${expected}, 2] for l = ${seqLen}, got [${h}, ${m}, 2]`,
      );
  },
  differentiable: ["x"],
  // The sum over frequencies, term by term.
  reference: ({ x }, { seqLen }) => {
    const [h, m] = x.shape as [number, number];
    const y = ndzeros([h, seqLen]);
    for (let i = 0; i < h; i++) {
      for (let t = 0; t < seqLen; t++) {
        let sum = 0;
        for (let k = 0; k < m; k++) {
          const angle = angleOf(k, t, seqLen);
          const pair = pairOf(k, seqLen);
          sum += pair * (x.data[2 * (i * m + k)]! * Math.cos(angle) - x.data[2 * (i * m + k) + 1]! * Math.sin(angle));
        }
        y.data[i * seqLen + t] = sum / seqLen;
      }
    }
    return { y };
  },
  // Two products with tables of cosines and sines.
  compose: ({ x }, { seqLen }) => {
    const m = x.shape[1]!;
    const table = (f: (angle: number) => number): typeof x =>
      tensor(
        Float32Array.from({ length: m * seqLen }, (_, i) => {
          const k = Math.floor(i / seqLen);
          return (pairOf(k, seqLen) * f(angleOf(k, i % seqLen, seqLen))) / seqLen;
        }),
        [m, seqLen],
        { backend: x.backend },
      );
    const { re, im } = complexParts(x);
    return { y: sub(matMul(re, table(Math.cos)), matMul(im, table(Math.sin))) };
  },
  cost: ({ dims: { h } }, { seqLen }) => ({ flops: 2.5 * h * seqLen * Math.log2(seqLen + 1), bytes: 8 * h * seqLen }),
});

/** How many frequencies of the whole spectrum one of its first half stands for. */
function pairOf(k: number, seqLen: number): number {
  return k === 0 || 2 * k === seqLen ? 1 : 2;
}

function angleOf(k: number, t: number, seqLen: number): number {
  return (2 * Math.PI * ((k * t) % seqLen)) / seqLen;
}
