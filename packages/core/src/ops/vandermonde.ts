import { ArgumentError } from "../errors.ts";
import { ndzeros } from "../math/ndarray.ts";
import { tensor } from "../tensor/create.ts";
import { mul, sub } from "./binary.ts";
import { complexParts } from "./complexPair.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { reshape } from "./movement.ts";
import { sum } from "./sum.ts";
import { cos, exp, sin } from "./unary.ts";

const inputs = {
  C: "h n 2",
  /** Log of the discretized A. */
  logABar: "h n 2",
} as const;

const attrs = {
  /** Length of the filter. */
  seqLen: 1,
};

/**
 * The filter of a diagonal state space model, y[h, t] = 2 Re sum_n C_n exp(t logABar_n), for t < seqLen.
 *
 * Shapes: C, logABar [h, n, 2] (re, im): one of each conjugate pair, which the factor 2 stands for; y [h, seqLen].
 * Errors: ShapeError, DTypeError; ArgumentError unless seqLen is a positive integer.
 * Source: S4D (arXiv 2206.11893), section 3.3. A phase t im(logABar) reaches thousands of radians: reduce it, or power up, before
 * taking sines, else float32 loses t |im| 2^-24 of them.
 */
export const vandermonde: Op<typeof inputs, typeof attrs> = defineOp({
  name: "vandermonde",
  inputs,
  attrs,
  outputs: { y: "h seqLen" },
  check: (_, { seqLen }) => {
    if (!Number.isInteger(seqLen) || seqLen < 1)
      throw new ArgumentError(`vandermonde: seqLen must be a positive integer, got ${seqLen}`);
  },
  differentiable: ["C", "logABar"],
  reference: ({ C, logABar }, { seqLen }) => {
    const [h, n] = C.shape as [number, number];
    const y = ndzeros([h, seqLen]);
    for (let i = 0; i < h; i++) {
      for (let t = 0; t < seqLen; t++) {
        let sum = 0;
        for (let k = 0; k < n; k++) {
          const at = 2 * (i * n + k);
          const phase = t * logABar.data[at + 1]!;
          sum += Math.exp(t * logABar.data[at]!) * (C.data[at]! * Math.cos(phase) - C.data[at + 1]! * Math.sin(phase));
        }
        y.data[i * seqLen + t] = 2 * sum;
      }
    }
    return { y };
  },
  compose: ({ C, logABar }, { seqLen }) => {
    const [h, n] = C.shape as [number, number];
    const t = tensor(
      Float32Array.from({ length: seqLen }, (_, i) => i),
      [seqLen],
      { backend: C.backend },
    );
    const alongTime = (x: typeof C): typeof C => reshape(x, [h, n, 1]);
    const [exponent, weight] = [complexParts(logABar), complexParts(C)];
    const phase = mul(alongTime(exponent.im), t); // [h, n, l]
    const turned = sub(mul(alongTime(weight.re), cos(phase)), mul(alongTime(weight.im), sin(phase)));
    return { y: mul(sum(mul(exp(mul(alongTime(exponent.re), t)), turned), 1), 2) };
  },
  cost: ({ dims: { h, n } }, { seqLen }) => ({
    flops: 8 * h * n * seqLen,
    bytes: 4 * (4 * h * n + h * seqLen),
    exps: h * n * seqLen,
  }),
});
