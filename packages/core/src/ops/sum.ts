import { ndarray, sizeOf, type NdArray } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normalAxes } from "./axes.ts";
import type { Cut } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { broadcastIndex } from "./loops.ts";
import { broadcastTo, reshape } from "./movement.ts";
import type { BoundDims, Shaped } from "./shapes.ts";

/** Attributes of a fold: ascending axes, and whether they stay with extent 1. */
export interface FoldAttrs {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** A shape without the axes that were folded, or with extent 1 there. */
export function foldedShape(shape: readonly number[], { axes, keepDims }: FoldAttrs): number[] {
  return keepDims
    ? shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
    : shape.filter((_, i) => !axes.includes(i));
}

/** A fold in float64. */
export function foldArray(x: NdArray, attrs: FoldAttrs, start: number, f: (a: number, b: number) => number): NdArray {
  const kept = foldedShape(x.shape, { ...attrs, keepDims: true });
  const out = new Float64Array(sizeOf(kept)).fill(start);
  x.data.forEach((value, i) => {
    const at = broadcastIndex(i, x.shape, kept);
    out[at] = f(out[at]!, value);
  });
  return ndarray(foldedShape(x.shape, attrs), out);
}

/** A fold is cut by its first axis, which it keeps, or whose parts add up. */
export function cutFold(
  additive: boolean,
): (inputs: Readonly<Record<string, Shaped>>, attrs: FoldAttrs) => Cut | undefined {
  return ({ x }, { axes }) => {
    const keepsFirst = !axes.includes(0);
    if (!keepsFirst && !additive) return undefined;
    return { ...byFirstAxis(x!), outputs: [keepsFirst ? "joined" : "summed"] };
  };
}

/** Cut by the first axis of x. */
export function byFirstAxis({ shape }: Shaped): Cut {
  return { lead: shape.slice(0, 1), inputs: ["x"], width: sizeOf(shape.slice(1)) };
}

/** What the folds have in common. */
export const fold = {
  room: "reduce",
  attrs: { axes: [] as readonly number[], keepDims: false },
  whole: ["axes"] as const,
  outputs: { y: ({ x }: { x: Shaped }, attrs: FoldAttrs): number[] => foldedShape(x.shape, attrs) },
  differentiable: ["x"] as const,
  cost: ({ lead }: BoundDims): { flops: number; bytes: number } => ({ flops: sizeOf(lead), bytes: 4 * sizeOf(lead) }),
};

const sumOp = defineOp({
  ...fold,
  name: "sum",
  inputs: { x: "float32|int32 ..." },
  gradient: { save: [], backward: ({ dy, shapes, attrs: { axes } }) => ({ x: spread(dy, shapes["x"]!, axes) }) },
  reference: ({ x }, attrs) => ({ y: foldArray(x, attrs, 0, (a, b) => a + b) }),
  empty: ({ x }, _, { y }) => ({ y: zeros(y!, { dtype: x.dtype, backend: x.backend }) }),
  cut: cutFold(true),
});

/** Sum over axes (all by default). */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return sumOp({ x }, { axes: normalAxes("sum", axes, x.shape.length), keepDims }).y;
}

/** A reduced gradient repeated over the axes that were reduced. */
export function spread(dy: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  return broadcastTo(reshape(dy, foldedShape(shape, { axes, keepDims: true })), shape);
}
