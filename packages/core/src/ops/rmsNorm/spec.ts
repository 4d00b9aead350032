import { ArgumentError, ShapeError } from "../../errors.ts";
import { defineOp, type Op, type Tensor } from "../../tensor/index.ts";
import { rmsNormReference } from "./reference.ts";

/** Arguments of `rmsNorm`; z is the gate. */
export interface RmsNormInputs {
  x: Tensor; // [..., d]
  weight?: Tensor | undefined; // [d]
  z?: Tensor | undefined; // [..., d]
}

/** Settings of `rmsNorm`. */
export interface RmsNormAttrs {
  /** Added to the mean square. */
  eps?: number;
  /** Extent of the groups normalised apart; 0 takes the whole last axis. */
  groupSize?: number;
  /** With z: gate after the norm (true) or before it (false, Mamba-2's default). */
  normBeforeGate?: boolean;
}

/**
 * Root-mean-square norm over the last axis, optionally in groups and gated by silu(z).
 *
 * Shapes: x, z, y [..., d]; weight [d] (1 if absent).
 * Errors: ShapeError, DTypeError; ArgumentError for a negative eps.
 * Source: Zhang and Sennrich 2019, eq. 4; gated form as `RMSNormGated` of Mamba-2 (arXiv 2405.21060, section 7).
 */
export const rmsNorm: Op<RmsNormInputs, RmsNormAttrs, { y: Tensor }> = defineOp<
  RmsNormInputs,
  RmsNormAttrs,
  { y: Tensor }
>({
  name: "rmsNorm",
  inputs: { x: "... d", weight: "d?", z: "... d?" },
  attrs: { eps: 1e-5, groupSize: 0, normBeforeGate: false },
  outputs: ({ lead, dims }) => ({ y: [...lead, dims.d!] }),
  check: ({ dims }, { eps, groupSize }) => {
    if (!(eps >= 0)) throw new ArgumentError(`rmsNorm: eps must be >= 0, got ${eps}`);
    if (groupSize < 0 || (groupSize > 0 && dims.d! % groupSize !== 0))
      throw new ShapeError(`rmsNorm: groupSize ${groupSize} must divide d = ${dims.d}`);
  },
  differentiable: ["x", "weight", "z"],
  reference: rmsNormReference,
  cost: ({ lead, dims }) => {
    const size = lead.reduce((a, b) => a * b, 1) * dims.d!;
    return { flops: 5 * size, bytes: 8 * size };
  },
});
