import { DTypeError, ShapeError } from "../errors.ts";
import { ndarray, ndclone, sizeOf } from "../math/ndarray.ts";
import { full, tensor, zeros } from "../tensor/create.ts";
import { tidy, wrap } from "../tensor/scope.ts";
import { isRecording } from "../tensor/tape.ts";
import { runComposite } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normalAxes, sameShape, show } from "./axes.ts";
import { apply, defineOp } from "./defineOp.ts";
import { gatherBy } from "./loops.ts";
import { broadcastShape, type BoundDims, type Shaped } from "./shapes.ts";

/** What the ops have in common that only move values. */
const moves = {
  room: "movement",
  inputs: { x: "float32|int32|bool ..." },
  differentiable: ["x"],
  cost: ({ lead }: BoundDims) => ({ flops: 0, bytes: 8 * sizeOf(lead) }),
} as const;

interface X {
  readonly x: Shaped;
}

/** Elements of an axis picked by numbers that are known here: what these ops are made of where a backend lacks their kernels. */
function pick(x: Tensor, axis: number, numbers: readonly number[]): Tensor {
  return apply(
    "gather",
    { x, indices: tensor(Int32Array.from(numbers), [numbers.length], { backend: x.backend }) },
    { axis },
  );
}

const count = (extent: number): number[] => Array.from({ length: extent }, (_, i) => i);

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
  outputs: { y: (_: object, attrs: { shape: readonly number[] }) => attrs.shape },
  gradient: { save: [], backward: ({ dy, shapes }) => ({ x: reshape(dy, shapes["x"]!) }) },
  reference: ({ x }, { shape }) => ({ y: ndarray(shape, x.data) }),
});

/** The same values under another shape, without a copy; one extent may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const whole = shape.map((extent) => (extent === -1 ? x.size / known : extent));
  if (whole.some((extent) => !Number.isInteger(extent)) || sizeOf(whole) !== x.size)
    throw new ShapeError(`reshape: ${show(x.shape)} has ${x.size} elements and does not fit ${show(shape)}`);
  return reshapeOp({ x }, { shape: whole }).y;
}

const transposeOp = defineOp({
  ...moves,
  name: "transpose",
  attrs: { perm: [] as readonly number[] },
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

const sliceOp = defineOp({
  ...moves,
  name: "slice",
  attrs: { begin: [] as readonly number[], size: [] as readonly number[] },
  outputs: { y: (_: object, { size }: { size: readonly number[] }) => size },
  gradient: {
    save: [],
    backward: ({ dy, shapes, attrs: { begin, size } }) => ({
      x: pad(
        dy,
        shapes["x"]!.map((extent, i) => [begin[i]!, extent - begin[i]! - size[i]!]),
      ),
    }),
  },
  reference: ({ x }, { begin, size }) => ({ y: gatherBy(size, x, (at) => at.map((k, axis) => k + begin[axis]!)) }),
  compose: ({ x }, { begin, size }) => ({
    y: size.reduce(
      (y, extent, axis) =>
        extent === y.shape[axis]
          ? y
          : pick(
              y,
              axis,
              count(extent).map((i) => i + begin[axis]!),
            ),
      same(x),
    ),
  }),
});

/** `size` elements from `begin` along every axis; -1 takes the rest. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const whole = size.map((extent, i) => (extent === -1 ? x.shape[i]! - begin[i]! : extent));
  const inside =
    begin.length === x.shape.length &&
    whole.length === x.shape.length &&
    begin.every((from, i) => from >= 0 && whole[i]! >= 0 && from + whole[i]! <= x.shape[i]!);
  if (!inside)
    throw new ShapeError(
      `slice: begin [${begin.join(", ")}], size [${size.join(", ")}] is not inside ${show(x.shape)}`,
    );
  return contiguousView(x, begin, whole) ?? sliceOp({ x }, { begin: [...begin], size: whole }).y;
}

/**
 * A slice that is one run of memory needs no copy where nothing is recorded: decoding at batch 1 cuts its projections so.
 * `undefined` where it is not one run, or the backend cannot bind at that offset.
 */
function contiguousView(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor | undefined {
  if (isRecording()) return undefined;
  const first = size.findIndex((extent) => extent !== 1);
  const cut = first < 0 ? size.length - 1 : first;
  if (size.some((extent, i) => extent === 0 || (i > cut && extent !== x.shape[i]))) return undefined;
  let offset = 0;
  x.shape.forEach((extent, i) => (offset = offset * extent + begin[i]!));
  const { backend } = x;
  if ((4 * offset) % backend.viewAlignment !== 0) return undefined;
  return wrap(backend.view(x, size, offset), backend);
}

/** One axis cut to [from, from + extent), the others whole. */
export function sliceAxis(x: Tensor, axis: number, from: number, extent: number): Tensor {
  const [at] = normalAxes("sliceAxis", axis, x.shape.length);
  return slice(
    x,
    x.shape.map((_, i) => (i === at ? from : 0)),
    x.shape.map((whole, i) => (i === at ? extent : whole)),
  );
}

/** An axis cut into parts of the given extents. */
export function split(x: Tensor, extents: readonly number[], axis = -1): Tensor[] {
  const [at] = normalAxes("split", axis, x.shape.length);
  if (extents.reduce((a, b) => a + b, 0) !== x.shape[at!])
    throw new ShapeError(`split: extents [${extents.join(", ")}] do not add up to ${x.shape[at!]} of ${show(x.shape)}`);
  const forward = (): Tensor[] => {
    let from = 0;
    return extents.map((extent) => {
      const part = sliceAxis(x, at!, from, extent);
      from += extent;
      return part;
    });
  };
  // One node for all parts: their gradients are laid side by side, instead of each padded with zeros and added.
  return runComposite("split", { x }, forward, (parts) => ({
    save: [],
    backward: (dys) => ({
      x: concat(
        dys.map((dy, i) => dy ?? zeros(parts[i]!.shape, { backend: x.backend })),
        at,
      ),
    }),
  }));
}

/** The arguments of `concat` in order. */
function listed<T>(inputs: Readonly<Record<string, T>>): T[] {
  return Object.keys(inputs).map((_, i) => inputs[String(i)]!);
}

const concatOp = defineOp({
  ...moves,
  name: "concat",
  inputs: { "...": "float32|int32|bool ..." } as Readonly<Record<string, string>>,
  attrs: { axis: 0 },
  outputs: {
    y: (inputs: Readonly<Record<string, Shaped>>, { axis }: { axis: number }) => {
      const shapes = listed(inputs).map(({ shape }) => shape);
      return shapes[0]!.map((extent, i) => (i === axis ? shapes.reduce((sum, s) => sum + s[axis]!, 0) : extent));
    },
  },
  differentiable: ["..."],
  check: (_, { axis }, inputs) => {
    const [first, ...rest] = listed(inputs);
    for (const x of rest) {
      if (x.shape.length !== first!.shape.length || x.shape.some((e, i) => i !== axis && e !== first!.shape[i]))
        throw new ShapeError(`concat: ${show(x.shape)} does not fit ${show(first!.shape)} along axis ${axis}`);
      if (x.dtype !== first!.dtype)
        throw new DTypeError(`concat: tensors must have one dtype, got ${first!.dtype} and ${x.dtype}`);
    }
  },
  gradient: {
    save: [],
    backward: ({ dy, shapes, attrs: { axis } }) => {
      const extents = listed(shapes).map((shape) => shape[axis]!);
      return Object.fromEntries(split(dy, extents, axis).map((part, i) => [String(i), part]));
    },
  },
  reference: (inputs, { axis }) => {
    const xs = listed(inputs);
    const starts = xs.map((_, i) => xs.slice(0, i).reduce((sum, x) => sum + x.shape[axis]!, 0));
    const shape = xs[0]!.shape.map((e, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : e));
    const parts = xs.map((x, p) =>
      gatherBy(shape, x, (at) => {
        const k = at[axis]! - starts[p]!;
        return k >= 0 && k < x.shape[axis]! ? at.map((from, i) => (i === axis ? k : from)) : undefined;
      }),
    );
    return {
      y: ndarray(
        shape,
        parts[0]!.data.map((_, i) => parts.reduce((sum, part) => sum + part.data[i]!, 0)),
      ),
    };
  },
  // Each part among zeros, all added up.
  compose: (inputs, { axis }) => {
    const xs = listed(inputs);
    const total = xs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    let from = 0;
    const parts = xs.map((x) => {
      const around = x.shape.map((e, i) => (i === axis ? ([from, total - from - e] as const) : ([0, 0] as const)));
      from += x.shape[axis]!;
      return pad(x.dtype === "bool" ? apply("cast", { x }, { dtype: "int32" }) : x, around);
    });
    const y = parts.reduce((a, b) => apply("add", { a, b }));
    return { y: xs[0]!.dtype === "bool" ? apply("cast", { x: y }, { dtype: "bool" }) : y };
  },
  cost: () => ({ flops: 0, bytes: 0 }),
});

/** Tensors laid one after another along an axis. */
export function concat(xs: readonly Tensor[], axis = 0): Tensor {
  if (xs.length === 0) throw new ShapeError("concat: needs at least one tensor");
  if (xs.length === 1) return same(xs[0]!);
  const [at] = normalAxes("concat", axis, xs[0]!.shape.length);
  return concatOp(Object.fromEntries(xs.map((x, i) => [String(i), x])), { axis: at }).y;
}

/** Tensors of one shape along a new axis. */
export function stack(xs: readonly Tensor[], axis = 0): Tensor {
  const shape = xs[0]?.shape ?? [];
  return tidy(() =>
    concat(
      xs.map((x) => reshape(x, [...shape.slice(0, axis), 1, ...shape.slice(axis)])),
      axis,
    ),
  );
}

const reverseOp = defineOp({
  ...moves,
  name: "reverse",
  attrs: { axes: [] as readonly number[] },
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

type Paddings = readonly (readonly [number, number])[];

const padOp = defineOp({
  ...moves,
  name: "pad",
  attrs: { paddings: [] as Paddings, value: 0 },
  outputs: {
    y: ({ x }: X, { paddings }: { paddings: Paddings }) =>
      x.shape.map((extent, i) => paddings[i]![0] + extent + paddings[i]![1]),
  },
  check: ({ lead }, { paddings }) => {
    if (paddings.length !== lead.length || paddings.some(([before, after]) => before < 0 || after < 0))
      throw new ShapeError(`pad: needs [before, after] >= 0 for each axis of ${show(lead)}`);
  },
  gradient: {
    save: [],
    backward: ({ dy, shapes, attrs: { paddings } }) => ({
      x: slice(
        dy,
        paddings.map(([before]) => before),
        shapes["x"]!,
      ),
    }),
  },
  reference: ({ x }, { paddings, value }) => ({
    y: gatherBy(
      x.shape.map((extent, i) => paddings[i]![0] + extent + paddings[i]![1]),
      x,
      (at) => {
        const from = at.map((k, i) => k - paddings[i]![0]);
        return from.every((k, i) => k >= 0 && k < x.shape[i]!) ? from : undefined;
      },
      value,
    ),
  }),
  compose: ({ x }, { paddings, value }) => ({
    y: paddings.reduce((y, _, axis) => padAxis(y, axis, paddings, value), x),
  }),
});

/** One axis padded: its elements picked, and the value where there is none. */
function padAxis(x: Tensor, axis: number, paddings: Paddings, value: number): Tensor {
  const extent = x.shape[axis]!;
  const [before, after] = paddings[axis]!;
  if (before + after === 0) return same(x);
  const shape = x.shape.map((e, i) => (i === axis ? before + extent + after : e));
  if (x.size === 0) return full(shape, value, { dtype: x.dtype, backend: x.backend });
  const numbers = count(before + extent + after).map((i) => Math.min(Math.max(i - before, 0), extent - 1));
  const inside = numbers.map((_, i) => Number(i >= before && i < before + extent));
  const mask = reshape(
    tensor(inside, [inside.length], { dtype: "bool", backend: x.backend }),
    shape.map((_, i) => (i === axis ? inside.length : 1)),
  );
  const y = pick(x, axis, numbers);
  const around = full(shape, value, { dtype: x.dtype, backend: x.backend });
  return apply("where", { condition: broadcastTo(mask, shape), t: y, e: around });
}

/** Adds `value` around: [before, after] for every axis. */
export function pad(x: Tensor, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
  return padOp({ x }, { paddings, value }).y;
}

const tileOp = defineOp({
  ...moves,
  name: "tile",
  attrs: { reps: [] as readonly number[] },
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
