import type { Pattern } from "../pattern.ts";
import type { OpRecord } from "../record.ts";
import {
  factorOf,
  fuseRowProduct,
  gateOf,
  normOf,
  residualOf,
  rowConvolutionOf,
  rowProductOf,
  type Neighbours,
  type RowProduct,
} from "../rowProduct.ts";

/** Ops before or after a product, and what they are of it; undefined where they have nothing to do with it. */
interface Side {
  readonly ops: readonly string[];
  take(records: readonly OpRecord[], product: RowProduct): Neighbours | undefined;
}

const none: Side = { ops: [], take: () => ({}) };

/** What makes the row that the product reads. */
const before: readonly Side[] = [
  {
    ops: ["rmsNorm"],
    take([norm], product) {
      const input = normOf(norm!, product);
      return input && { input };
    },
  },
  {
    ops: ["silu", "mul"],
    take([silu, mul], product) {
      const input = gateOf(silu!, mul!, product);
      return input && { input };
    },
  },
  none,
];

/** What is made of the product; longer ones first. */
const after: readonly Side[] = [
  {
    ops: ["full", "mul", "add"],
    take([full, mul, add], product) {
      const factor = factorOf(full!, mul!, product);
      const residual = factor && residualOf(add!, product, factor);
      return residual && { residual };
    },
  },
  {
    ops: ["add"],
    take([add], product) {
      const residual = residualOf(add!, product, undefined);
      return residual && { residual };
    },
  },
  {
    ops: ["causalConv1dStep"],
    take([step], product) {
      const conv = rowConvolutionOf(step!, product);
      return conv && { conv };
    },
  },
  none,
];

function around(left: Side, right: Side): Pattern {
  const at = left.ops.length;
  return {
    ops: [...left.ops, "linear", ...right.ops],
    fuse(records, lowering) {
      const product = rowProductOf(records[at]!);
      const [input, output] = [
        product && left.take(records.slice(0, at), product),
        product && right.take(records.slice(at + 1), product),
      ];
      return product && input && output && fuseRowProduct(lowering, product, { ...input, ...output });
    },
  };
}

/** A product of one row with what stands on both sides of it, then with what stands on one. */
export const rowProducts: readonly Pattern[] = before
  .flatMap((left) => after.map((right) => ({ left, right })))
  .filter(({ left, right }) => left !== none || right !== none)
  .map(({ left, right }) => around(left, right));
