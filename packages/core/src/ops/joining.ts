import { DTypeError, ShapeError } from "../errors.ts";
import { ndarray } from "../math/ndarray.ts";
import { zeros } from "../tensor/create.ts";
import { runComposite } from "../tensor/run.ts";
import { tidy } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normalAxes, sameShape, show } from "./axes.ts";
import { apply, defineOp } from "./defineOp.ts";
import { gatherBy } from "./loops.ts";
import { reshape, same } from "./movement.ts";
import { moves } from "./moves.ts";
import type { Shaped } from "./shapes.ts";
import { pad, sliceAxis } from "./slicing.ts";

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
  whole: ["axis"],
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
  empty: (inputs, { axis }) => ({
    y: concat(
      listed(inputs).filter(({ size }) => size > 0),
      axis,
    ),
  }),
  cost: () => ({ flops: 0, bytes: 0 }),
});

/** Tensors laid one after another along an axis. */
export function concat(xs: readonly Tensor[], axis = 0): Tensor {
  if (xs.length === 0) throw new ShapeError("concat: needs at least one tensor");
  if (xs.length === 1) return same(xs[0]!);
  const [at] = normalAxes("concat", axis, xs[0]!.shape.length);
  return concatOp(Object.fromEntries(xs.map((x, i) => [String(i), x])), { axis: at }).y;
}

/** Tensors of one shape along a new axis, counted from the end of the new shape where negative. */
export function stack(xs: readonly Tensor[], axis = 0): Tensor {
  const shape = xs[0]?.shape ?? [];
  const [at] = normalAxes("stack", axis, shape.length + 1) as [number];
  return tidy(() =>
    concat(
      xs.map((x) => {
        if (!sameShape(x.shape, shape)) throw new ShapeError(`stack: ${show(x.shape)} does not fit ${show(shape)}`);
        return reshape(x, [...shape.slice(0, at), 1, ...shape.slice(at)]);
      }),
      at,
    ),
  );
}
