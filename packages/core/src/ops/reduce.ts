import { refuseUnknown } from "../options/index.ts";
import { ShapeError } from "../errors.ts";
import { ndarray, ndclone, sizeOf, stridesOf, type NdArray } from "../math/ndarray.ts";
import { full, range } from "../tensor/create.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normalAxes, show } from "./axes.ts";
import { add, div, equal, maximum, minimum, mul, sub, type Binary } from "./binary.ts";
import type { BackwardContext } from "./declaration.ts";
import { defineOp } from "./defineOp.ts";
import { cast, where } from "./make.ts";
import { broadcastTo, reshape, same } from "./movement.ts";
import { pad, sliceAxis } from "./slicing.ts";
import type { BoundDims, Shaped } from "./shapes.ts";
import { byFirstAxis, cutFold, fold, foldArray, foldedShape, spread, sum, type FoldAttrs } from "./sum.ts";
import { exp } from "./unary.ts";

/** Mean over axes (all by default). */
export function mean(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  const count = normalAxes("mean", axes, x.shape.length).reduce((n, axis) => n * x.shape[axis]!, 1);
  // The mean of nothing is no number, here as in other libraries.
  return tidy(() => (count === 0 ? add(sum(x, axes, keepDims), Number.NaN) : mul(sum(x, axes, keepDims), 1 / count)));
}

/** Folds axes by halves: log2 of their extents many steps. */
function byHalves(x: Tensor, attrs: FoldAttrs, larger: Binary): Tensor {
  const y = attrs.axes.reduce((folded, axis) => {
    let part = same(folded);
    while (part.shape[axis]! > 1) {
      const half = Math.floor(part.shape[axis]! / 2);
      const pairs = larger(sliceAxis(part, axis, 0, half), sliceAxis(part, axis, half, half));
      part = part.shape[axis]! % 2 === 0 ? pairs : larger(pairs, sliceAxis(part, axis, 2 * half, 1));
    }
    return part;
  }, x);
  return reshape(y, foldedShape(x.shape, attrs));
}

/** @throws ShapeError where the largest of nothing would have to be told */
function checkSome(op: string, shape: readonly number[], axes: readonly number[]): void {
  if (sizeOf(shape) === 0 && shape.every((extent, i) => extent > 0 || axes.includes(i)))
    throw new ShapeError(`${op}: ${show(shape)} has no elements along the axes [${axes.join(", ")}]`);
}

function extreme(name: "max" | "min", start: number, f: (a: number, b: number) => number, better: Binary) {
  return defineOp({
    ...fold,
    name,
    inputs: { x: "float32|int32 ..." },
    gradient: {
      save: ["x", "y"],
      backward: ({ saved: { x, y }, dy, attrs: { axes } }: BackwardContext<FoldAttrs>) => {
        const hit = cast(equal(x!, spread(y!, x!.shape, axes)), "float32");
        return { x: mul(div(hit, spread(sum(hit, axes), x!.shape, axes)), spread(dy, x!.shape, axes)) };
      },
    },
    reference: ({ x }, attrs) => ({ y: foldArray(x, attrs, start, f) }),
    check: ({ lead }, { axes }) => checkSome(name, lead, axes),
    compose: ({ x }, attrs) => ({ y: byHalves(x, attrs, better) }),
    cut: cutFold(false),
  });
}

const maxOp = extreme("max", Number.NEGATIVE_INFINITY, Math.max, maximum);
const minOp = extreme("min", Number.POSITIVE_INFINITY, Math.min, minimum);

/** Largest over axes; ties share the gradient. */
export function max(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return maxOp({ x }, { axes: normalAxes("max", axes, x.shape.length), keepDims }).y;
}

/** Smallest over axes; ties share the gradient. */
export function min(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  return minOp({ x }, { axes: normalAxes("min", axes, x.shape.length), keepDims }).y;
}

interface AxisAttr {
  readonly axis: number;
}

/** Extents before, at and after an axis. */
function around(shape: readonly number[], axis: number) {
  return { outer: sizeOf(shape.slice(0, axis)), extent: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) };
}

const scans = {
  room: "reduce",
  inputs: { x: "float32|int32 ..." },
  whole: ["axis"],
  cut: ({ x }: Readonly<Record<string, Shaped>>, { axis }: AxisAttr) => (axis === 0 ? undefined : byFirstAxis(x!)),
  cost: ({ lead }: BoundDims) => ({ flops: sizeOf(lead), bytes: 8 * sizeOf(lead) }),
} as const;

const argMaxOp = defineOp({
  ...scans,
  name: "argMax",
  attrs: { axis: 0 },
  outputs: { y: ({ x }: { x: Shaped }, { axis }: AxisAttr) => x.shape.filter((_, i) => i !== axis) },
  outputType: () => "int32",
  check: ({ lead }, { axis }) => checkSome("argMax", lead, [axis]),
  differentiable: [],
  flat: true,
  reference: ({ x }, { axis }) => {
    const { outer, extent, inner } = around(x.shape, axis);
    const y = Float64Array.from({ length: outer * inner }, (_, i) => {
      const first = Math.floor(i / inner) * extent * inner + (i % inner);
      let best = 0;
      for (let k = 1; k < extent; k++) if (x.data[first + k * inner]! > x.data[first + best * inner]!) best = k;
      return best;
    });
    return {
      y: ndarray(
        x.shape.filter((_, i) => i !== axis),
        y,
      ),
    };
  },
  // The least of the places where the largest stands.
  compose: ({ x }, { axis }) => {
    const extent = x.shape[axis]!;
    const best = equal(x, broadcastTo(max(x, axis, true), x.shape));
    const place = reshape(
      range(0, extent, 1, { backend: x.backend }),
      x.shape.map((_, i) => (i === axis ? extent : 1)),
    );
    return {
      y: min(
        where(best, broadcastTo(place, x.shape), full(x.shape, extent, { dtype: "int32", backend: x.backend })),
        axis,
      ),
    };
  },
});

/** Index of the largest along an axis, int32; the lowest index wins ties. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return argMaxOp({ x }, { axis: normalAxes("argMax", axis, x.shape.length)[0]! }).y;
}

const softmaxOp = defineOp({
  name: "softmax",
  room: "reduce",
  inputs: { x: "... n" },
  attrs: {},
  outputs: { y: "... n" },
  differentiable: ["x"],
  gradient: {
    save: ["y"],
    backward: ({ saved: { y }, dy }) => {
      const weighted = mul(dy, y!);
      return { x: sub(weighted, mul(y!, sum(weighted, -1, true))) };
    },
  },
  reference: ({ x }) => {
    const y = ndclone(x);
    const n = x.shape.at(-1)!;
    for (let from = 0; from < y.data.length; from += n) {
      const row = y.data.subarray(from, from + n);
      const peak = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      row.forEach((value, i) => (row[i] = Math.exp(value - peak)));
      const total = row.reduce((a, b) => a + b, 0);
      row.forEach((value, i) => (row[i] = value / total));
    }
    return { y };
  },
  compose: ({ x }) => {
    const weights = exp(sub(x, max(x, -1, true)));
    return { y: div(weights, sum(weights, -1, true)) };
  },
  cut: "...",
  cost: ({ lead, dims: { n } }) => ({
    flops: 4 * sizeOf(lead) * n,
    bytes: 8 * sizeOf(lead) * n,
    exps: sizeOf(lead) * n,
  }),
});

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  return softmaxOp({ x }).y;
}

interface CumsumAttrs extends AxisAttr {
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** True where element `from` of an axis is part of running sum `to`. */
const counts = (from: number, to: number, { exclusive, reverse }: CumsumAttrs): boolean =>
  reverse ? (exclusive ? from > to : from >= to) : exclusive ? from < to : from <= to;

const cumsumOp = defineOp({
  ...scans,
  name: "cumsum",
  attrs: { axis: 0, exclusive: false, reverse: false },
  outputs: { y: "float32|int32 ..." },
  differentiable: ["x"],
  gradient: {
    save: [],
    backward: ({ dy, attrs: { axis, exclusive, reverse } }) => ({
      x: cumsum(dy, axis, { exclusive, reverse: !reverse }),
    }),
  },
  reference: ({ x }, attrs) => ({
    y: ndarray(
      x.shape,
      x.data.map((_, i) => runningSum(x, i, attrs)),
    ),
  }),
  // Sums of 1, 2, 4, ... elements: each is half of the next. Additions alone, so that NaN comes into the sums it is part of, and int32 wraps around.
  compose: ({ x }, { axis, exclusive, reverse }) => {
    const extent = x.shape[axis]!;
    let sums = exclusive ? movedOn(x, axis, 1, reverse) : same(x);
    for (let count = 1; count < extent; count *= 2) sums = add(sums, movedOn(sums, axis, count, reverse));
    return { y: sums };
  },
});

/** Every element `by` places on along an axis (or back); zeros come in. */
function movedOn(x: Tensor, axis: number, by: number, back: boolean): Tensor {
  const extent = x.shape[axis]!;
  const kept = Math.max(0, extent - by);
  const gap = extent - kept;
  const paddings = x.shape.map((_, i): [number, number] => (i !== axis ? [0, 0] : back ? [0, gap] : [gap, 0]));
  return pad(sliceAxis(x, axis, back ? gap : 0, kept), paddings);
}

function runningSum(x: NdArray, index: number, attrs: CumsumAttrs): number {
  const stride = stridesOf(x.shape)[attrs.axis]!;
  const extent = x.shape[attrs.axis]!;
  const to = Math.floor(index / stride) % extent;
  let total = 0;
  for (let from = 0; from < extent; from++) if (counts(from, to, attrs)) total += x.data[index + (from - to) * stride]!;
  return total;
}

/** Running sum along an axis. */
export function cumsum(x: Tensor, axis = -1, options: { exclusive?: boolean; reverse?: boolean } = {}): Tensor {
  refuseUnknown("cumsum", options, ["exclusive", "reverse"]);
  return cumsumOp({ x }, { ...options, axis: normalAxes("cumsum", axis, x.shape.length)[0]! }).y;
}
