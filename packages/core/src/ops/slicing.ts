import { ShapeError } from "../errors.ts";
import { full, tensor } from "../tensor/create.ts";
import { wrap } from "../tensor/scope.ts";
import { isRecording } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkWhole } from "./attributes.ts";
import { normalAxes, show } from "./axes.ts";
import { apply, defineOp } from "./defineOp.ts";
import { gatherBy } from "./loops.ts";
import { broadcastTo, reshape, same } from "./movement.ts";
import { count, moves, pick, type X } from "./moves.ts";

const sliceOp = defineOp({
  ...moves,
  name: "slice",
  attrs: { begin: [] as readonly number[], size: [] as readonly number[] },
  whole: ["begin", "size"],
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
  checkWhole("slice", "begin", begin);
  checkWhole("slice", "size", size);
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

type Paddings = readonly (readonly [number, number])[];

const padOp = defineOp({
  ...moves,
  name: "pad",
  attrs: { paddings: [] as Paddings, value: 0 },
  whole: ["paddings"],
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
    y: paddings.reduce((y, _, axis) => padAxis(y, axis, paddings, value), same(x)),
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
