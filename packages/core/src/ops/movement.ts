import { ShapeError } from "../errors.ts";
import { ndarray, ndclone, sizeOf } from "../math/ndarray.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normalAxes, sameShape, show } from "./axes.ts";
import { apply, defineOp } from "./defineOp.ts";
import { gatherBy } from "./loops.ts";
import { count, moves, pick, type X } from "./moves.ts";
import { broadcastShape } from "./shapes.ts";

const identityOp = defineOp({
  ...moves,
  name: "identity",
  room: "contract",
  attrs: {},
  outputs: { y: "float32|int32|bool ..." },
  gradient: { save: [], backward: ({ dy }) => ({ x: dy }) },
  reference: ({ x }) => ({ y: ndclone(x) }),
});

/** Another handle on the same values, so that every op's result is the caller's to dispose. */
export function same(x: Tensor): Tensor {
  return identityOp({ x }).y;
}

const reshapeOp = defineOp({
  ...moves,
  name: "reshape",
  room: "contract",
  attrs: { shape: [] as readonly number[] },
  whole: ["shape"],
  outputs: { y: (_: object, attrs: { shape: readonly number[] }) => attrs.shape },
  gradient: { save: [], backward: ({ dy, shapes }) => ({ x: reshape(dy, shapes["x"]!) }) },
  reference: ({ x }, { shape }) => ({ y: ndarray(shape, x.data) }),
});

/** The same values under another shape, without a copy; one extent may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const open = shape.filter((extent) => extent === -1).length;
  const whole = shape.map((extent) => (extent === -1 ? x.size / known : extent));
  if (open > 1 || whole.some((extent) => !Number.isInteger(extent) || extent < 0) || sizeOf(whole) !== x.size)
    throw new ShapeError(`reshape: ${show(x.shape)} has ${x.size} elements and does not fit ${show(shape)}`);
  return reshapeOp({ x }, { shape: whole }).y;
}

const transposeOp = defineOp({
  ...moves,
  name: "transpose",
  attrs: { perm: [] as readonly number[] },
  whole: ["perm"],
  outputs: { y: ({ x }: X, { perm }: { perm: readonly number[] }) => perm.map((axis) => x.shape[axis]!) },
  check: ({ lead }, { perm }) => {
    if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== lead.length)
      throw new ShapeError(`transpose: perm [${perm.join(", ")}] is not an order of the axes of ${show(lead)}`);
  },
  gradient: { save: [], backward: ({ dy, attrs: { perm } }) => ({ x: transpose(dy, inverse(perm)) }) },
  reference: ({ x }, { perm }) => ({
    y: gatherBy(
      perm.map((axis) => x.shape[axis]!),
      x,
      (at) => inverse(perm).map((axis) => at[axis]!),
    ),
  }),
});

const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** Reorders axes; reverses them by default. */
export function transpose(x: Tensor, perm: readonly number[] = count(x.shape.length).reverse()): Tensor {
  return transposeOp({ x }, { perm: [...perm] }).y;
}

const reverseOp = defineOp({
  ...moves,
  name: "reverse",
  attrs: { axes: [] as readonly number[] },
  whole: ["axes"],
  outputs: { y: "..." },
  gradient: { save: [], backward: ({ dy, attrs: { axes } }) => ({ x: reverse(dy, axes) }) },
  reference: ({ x }, { axes }) => ({
    y: gatherBy(x.shape, x, (at) => at.map((k, axis) => (axes.includes(axis) ? x.shape[axis]! - 1 - k : k))),
  }),
  compose: ({ x }, { axes }) => ({
    y: axes.reduce((y, axis) => pick(y, axis, count(y.shape[axis]!).reverse()), same(x)),
  }),
});

/** The order of some axes turned around. */
export function reverse(x: Tensor, axes: number | readonly number[]): Tensor {
  return reverseOp({ x }, { axes: normalAxes("reverse", axes, x.shape.length) }).y;
}

const tileOp = defineOp({
  ...moves,
  name: "tile",
  attrs: { reps: [] as readonly number[] },
  whole: ["reps"],
  outputs: { y: ({ x }: X, { reps }: { reps: readonly number[] }) => x.shape.map((extent, i) => extent * reps[i]!) },
  check: ({ lead }, { reps }) => {
    if (reps.length !== lead.length)
      throw new ShapeError(`tile: needs one count for each axis of ${show(lead)}, got [${reps.join(", ")}]`);
  },
  gradient: {
    save: [],
    backward: ({ dy, shapes, attrs: { reps } }) => {
      const shape = shapes["x"]!;
      const apart = reshape(
        dy,
        reps.flatMap((rep, i) => [rep, shape[i]!]),
      );
      return { x: reshape(apply("sum", { x: apart }, { axes: reps.map((_, i) => 2 * i), keepDims: false }), shape) };
    },
  },
  reference: ({ x }, { reps }) => ({
    y: gatherBy(
      x.shape.map((extent, i) => extent * reps[i]!),
      x,
      (at) => at.map((k, i) => k % x.shape[i]!),
    ),
  }),
  compose: ({ x }, { reps }) => ({
    y: reps.reduce(
      (y, rep, axis) =>
        rep === 1
          ? y
          : pick(
              y,
              axis,
              count(rep * y.shape[axis]!).map((i) => i % y.shape[axis]!),
            ),
      same(x),
    ),
  }),
});

/** The whole tensor repeated along each axis. */
export function tile(x: Tensor, reps: readonly number[]): Tensor {
  return tileOp({ x }, { reps: [...reps] }).y;
}

/** Repeats axes of extent 1 (and adds leading ones) to reach a shape. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(x.shape, shape)) return same(x);
  if (!sameShape(broadcastShape("broadcastTo", x.shape, shape), shape))
    throw new ShapeError(`broadcastTo: ${show(x.shape)} does not broadcast to ${show(shape)}`);
  const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  return tidy(() =>
    tile(
      reshape(x, padded),
      shape.map((extent, i) => (padded[i] === extent ? 1 : extent)),
    ),
  );
}
