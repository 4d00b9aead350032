import { DTypeError, ShapeError } from "../../errors.ts";
import { tidy, zeros } from "../create.ts";
import { engine, isRecording } from "../engine.ts";
import { broadcastShape, expectDType, normalAxes, one, show } from "./rules.ts";
import { currentBackend } from "../registry.ts";
import { runComposite } from "../run.ts";
import type { Tensor } from "../types.ts";

/** Another handle on the same values, so that every op's result is the caller's to dispose. */
export function same(x: Tensor): Tensor {
  return one("identity", { x }, {}, () => ({ save: [], backward: ([dy]) => ({ x: dy! }) }));
}

/** Repeats axes of extent 1 (and adds leading ones) to reach a shape. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.join() === shape.join()) return same(x);
  if (broadcastShape("broadcastTo", x.shape, shape).join() !== shape.join())
    throw new ShapeError(`broadcastTo: ${show(x.shape)} does not broadcast to ${show(shape)}`);
  const padded = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  return tidy(() =>
    tile(
      reshape(x, padded),
      shape.map((extent, i) => (padded[i] === extent ? 1 : extent)),
    ),
  );
}

/** The same values under another shape, without a copy; one extent may be -1. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const known = shape.reduce((size, extent) => (extent === -1 ? size : size * extent), 1);
  const full = shape.map((extent) => (extent === -1 ? x.size / known : extent));
  if (full.some((extent) => !Number.isInteger(extent)) || full.reduce((a, b) => a * b, 1) !== x.size) {
    throw new ShapeError(`reshape: ${show(x.shape)} has ${x.size} elements and does not fit ${show(shape)}`);
  }
  return one("reshape", { x }, { shape: full }, () => ({
    save: [],
    backward: ([dy]) => ({ x: reshape(dy!, x.shape) }),
  }));
}

/** Reorders axes; reverses them by default. */
export function transpose(x: Tensor, perm: readonly number[] = x.shape.map((_, i) => x.shape.length - 1 - i)): Tensor {
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.shape.length)
    throw new ShapeError(`transpose: perm [${perm.join(", ")}] is not an order of the axes of ${show(x.shape)}`);
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return one("transpose", { x }, { perm: [...perm] }, () => ({
    save: [],
    backward: ([dy]) => ({ x: transpose(dy!, inverse) }),
  }));
}

/** `size` elements from `begin` along every axis; -1 takes the rest. */
export function slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  const full = size.map((extent, i) => (extent === -1 ? x.shape[i]! - begin[i]! : extent));
  const inside =
    begin.length === x.shape.length &&
    full.length === x.shape.length &&
    begin.every((from, i) => from >= 0 && full[i]! >= 0 && from + full[i]! <= x.shape[i]!);
  if (!inside)
    throw new ShapeError(
      `slice: begin [${begin.join(", ")}], size [${size.join(", ")}] is not inside ${show(x.shape)}`,
    );
  const alias = contiguousView(x, begin, full);
  if (alias !== undefined) return alias;
  const paddings = x.shape.map((extent, i) => [begin[i]!, extent - begin[i]! - full[i]!] as const);
  return one("slice", { x }, { begin: [...begin], size: full }, () => ({
    save: [],
    backward: ([dy]) => ({ x: pad(dy!, paddings) }),
  }));
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
  const backend = currentBackend();
  if ((4 * offset) % backend.viewAlignment !== 0) return undefined;
  return engine().makeTensorFromTensorInfo(backend.view(x, size, offset));
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
        dys.map((dy, i) => dy ?? zeros(parts[i]!.shape)),
        at,
      ),
    }),
  }));
}

/** Tensors laid one after another along an axis. */
export function concat(xs: readonly Tensor[], axis = 0): Tensor {
  if (xs.length === 0) throw new ShapeError("concat: needs at least one tensor");
  if (xs.length === 1) return same(xs[0]!);
  const [at] = normalAxes("concat", axis, xs[0]!.shape.length);
  for (const x of xs) {
    if (x.shape.length !== xs[0]!.shape.length || x.shape.some((extent, i) => i !== at && extent !== xs[0]!.shape[i]))
      throw new ShapeError(`concat: ${show(x.shape)} does not fit ${show(xs[0]!.shape)} along axis ${at}`);
    if (x.dtype !== xs[0]!.dtype)
      throw new DTypeError(`concat: tensors must have one dtype, got ${xs[0]!.dtype} and ${x.dtype}`);
  }
  const extents = xs.map((x) => x.shape[at!]!);
  return one("concat", { ...xs } as unknown as Record<string, Tensor>, { axis: at }, () => ({
    save: [],
    backward: ([dy]) => Object.fromEntries(split(dy!, extents, at).map((part, i) => [String(i), part])),
  }));
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

/** The order of some axes turned around. */
export function reverse(x: Tensor, axes: number | readonly number[]): Tensor {
  const at = normalAxes("reverse", axes, x.shape.length);
  return one("reverse", { x }, { axes: at }, () => ({ save: [], backward: ([dy]) => ({ x: reverse(dy!, at) }) }));
}

/** Adds `value` around: [before, after] for every axis. */
export function pad(x: Tensor, paddings: readonly (readonly [number, number])[], value = 0): Tensor {
  if (paddings.length !== x.shape.length || paddings.some(([a, b]) => a < 0 || b < 0))
    throw new ShapeError(`pad: needs [before, after] >= 0 for each axis of ${show(x.shape)}`);
  return one("pad", { x }, { paddings, value }, () => ({
    save: [],
    backward: ([dy]) => ({
      x: slice(
        dy!,
        paddings.map(([before]) => before),
        x.shape,
      ),
    }),
  }));
}

/** The whole tensor repeated along each axis. */
export function tile(x: Tensor, reps: readonly number[]): Tensor {
  if (reps.length !== x.shape.length)
    throw new ShapeError(`tile: needs one count for each axis of ${show(x.shape)}, got [${reps.join(", ")}]`);
  return one("tile", { x }, { reps: [...reps] }, () => ({
    save: [],
    backward: ([dy]) => {
      const apart = sum(
        reshape(
          dy!,
          reps.flatMap((rep, i) => [rep, x.shape[i]!]),
        ),
        reps.map((_, i) => 2 * i),
      );
      return { x: reshape(apart, x.shape) };
    },
  }));
}

/** Rows (or slices along an axis) picked by index. */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  if (indices.dtype !== "int32") throw new DTypeError(`gather: indices must be int32, got ${indices.dtype}`);
  const [at] = normalAxes("gather", axis, x.shape.length);
  return one("gather", { x, indices }, { axis: at }, () => ({
    save: [indices],
    backward: ([dy], [ids]) => {
      const lead = x.shape.slice(0, at);
      const tail = x.shape.slice(at! + 1);
      const order = [at!, ...lead.map((_, i) => i), ...tail.map((_, i) => at! + 1 + i)];
      const flat = reshape(dy!, [...lead, ids!.size, ...tail]);
      const rows = segmentSum(transpose(flat, order), reshape(ids!, [ids!.size]), x.shape[at!]!);
      return {
        x: transpose(
          rows,
          order.map((_, i) => order.indexOf(i)),
        ),
      };
    },
  }));
}

/** Rows added up by id: out[ids[i]] += x[i]. */
export function segmentSum(x: Tensor, ids: Tensor, count: number): Tensor {
  if (ids.dtype !== "int32" || ids.shape.join() !== String(x.shape[0]))
    throw new ShapeError(`segmentSum: ids must be int32 [n] = [${x.shape[0]}], got ${ids.dtype} ${show(ids.shape)}`);
  return one("segmentSum", { x, ids }, { count }, () => ({
    save: [ids],
    backward: ([dy], [at]) => ({ x: gather(dy!, at!) }),
  }));
}

/** Sum over axes (all by default). */
export function sum(x: Tensor, axes?: number | readonly number[], keepDims = false): Tensor {
  expectDType("sum", "x", x, "float32", "int32");
  const at = normalAxes("sum", axes, x.shape.length);
  return one("sum", { x }, { axes: at, keepDims }, () => ({
    save: [],
    backward: ([dy]) => ({ x: spread(dy!, x.shape, at) }),
  }));
}

/** A reduced gradient repeated over the axes that were reduced. */
export function spread(dy: Tensor, shape: readonly number[], axes: readonly number[]): Tensor {
  return broadcastTo(
    reshape(
      dy,
      shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
    ),
    shape,
  );
}
