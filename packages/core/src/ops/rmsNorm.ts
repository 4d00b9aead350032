import { ArgumentError, ShapeError } from "../errors.ts";
import { ndzeros, sizeOf } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, mul } from "./binary.ts";
import type { Op } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { reshape } from "./movement.ts";
import { mean } from "./reduce.ts";
import { rsqrt, silu, square } from "./unary.ts";

const inputs = {
  x: "... d",
  /** 1 where absent. */
  weight: "d?",
  /** The gate. */
  z: "... d?",
} as const;

const attrs = {
  /** Added to the mean square. */
  eps: 1e-5,
  /** Extent of the groups normalised apart; 0 takes the whole last axis. */
  groupSize: 0,
  /** With z: gate after the norm (true) or before it (false, Mamba-2's default). */
  normBeforeGate: false,
};

const siluOf = (x: number): number => x / (1 + Math.exp(-x));

/**
 * Root-mean-square norm over the last axis, optionally in groups and gated by silu(z): y = x / rms(x) * weight.
 *
 * Shapes: x, z, y [..., d]; weight [d] (1 if absent).
 * Errors: ShapeError, DTypeError; ArgumentError for a negative eps.
 * Source: Zhang and Sennrich 2019, eq. 4; gated form as `RMSNormGated` of Mamba-2 (arXiv 2405.21060, section 7).
 */
export const rmsNorm: Op<typeof inputs, typeof attrs> = defineOp({
  name: "rmsNorm",
  inputs,
  attrs,
  outputs: { y: "... d" },
  whole: ["groupSize"],
  check: ({ dims: { d } }, { eps, groupSize }) => {
    if (!(eps >= 0)) throw new ArgumentError(`rmsNorm: eps must be >= 0, got ${eps}`);
    if (groupSize < 0 || (groupSize > 0 && d % groupSize !== 0))
      throw new ShapeError(`rmsNorm: groupSize ${groupSize} must divide d = ${d}`);
  },
  differentiable: ["x", "weight", "z"],
  reference: ({ x, weight, z }, { eps, groupSize, normBeforeGate }) => {
    const d = x.shape.at(-1)!;
    const size = groupSize || d;
    const y = ndzeros(x.shape);
    for (let from = 0; from < x.data.length; from += size) {
      const gated = (i: number): number => x.data[from + i]! * (z && !normBeforeGate ? siluOf(z.data[from + i]!) : 1);
      let squares = 0;
      for (let i = 0; i < size; i++) squares += gated(i) ** 2;
      const scale = 1 / Math.sqrt(squares / size + eps);
      for (let i = 0; i < size; i++) {
        const w = weight ? weight.data[(from + i) % d]! : 1;
        const gate = z && normBeforeGate ? siluOf(z.data[from + i]!) : 1;
        y.data[from + i] = gated(i) * scale * w * gate;
      }
    }
    return { y };
  },
  compose: ({ x, weight, z }, { eps, groupSize, normBeforeGate }) => {
    const size = groupSize || x.shape.at(-1)!;
    const gate = (value: Tensor): Tensor => (z ? mul(value, silu(z)) : value);
    const groups = reshape(normBeforeGate ? x : gate(x), [-1, size]);
    const scaled = reshape(mul(groups, rsqrt(add(mean(square(groups), -1, true), eps))), x.shape);
    const y = weight ? mul(scaled, weight) : scaled;
    return { y: normBeforeGate ? gate(y) : y };
  },
  cut: "...",
  cost: ({ lead, dims: { d } }) => ({ flops: 5 * sizeOf(lead) * d, bytes: 8 * sizeOf(lead) * d }),
});
