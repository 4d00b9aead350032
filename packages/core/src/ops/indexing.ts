import { ShapeError } from "../errors.ts";
import { ndarray, ndzeros, sizeOf } from "../math/ndarray.ts";
import { full, range, zeros } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apartFinite } from "./apartFinite.ts";
import { normalAxes, show } from "./axes.ts";
import { add, equal, greater, less, mul, sub } from "./binary.ts";
import { defineOp } from "./defineOp.ts";
import { gatherBy } from "./loops.ts";
import { cast, where } from "./make.ts";
import { matMul } from "./matMul.ts";
import { reshape, transpose } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import type { Shaped } from "./shapes.ts";

interface AxisAttr {
  readonly axis: number;
}

const gathered = (x: Pick<Shaped, "shape">, indices: Pick<Shaped, "shape">, axis: number): number[] => [
  ...x.shape.slice(0, axis),
  ...indices.shape,
  ...x.shape.slice(axis + 1),
];

const gatherOp = defineOp({
  name: "gather",
  room: "indexing",
  // Two leads of their own: x is checked as it is.
  inputs: { x: "float32|int32|bool ~", indices: "int32 ..." },
  attrs: { axis: 0 },
  whole: ["axis"],
  ids: { indices: { below: (_, { axis }, { x }) => x!.shape[axis]! } },
  outputs: { y: ({ x, indices }: { x: Shaped; indices: Shaped }, { axis }: AxisAttr) => gathered(x, indices, axis) },
  differentiable: ["x"],
  gradient: {
    save: ["indices"],
    backward: ({ saved: { indices }, dy, shapes, attrs: { axis } }) => {
      const shape = shapes["x"]!;
      const rest = shape.flatMap((_, i) => (i === axis ? [] : [i]));
      const order = [axis, ...rest];
      const flat = reshape(dy, [...shape.slice(0, axis), indices!.size, ...shape.slice(axis + 1)]);
      const rows = segmentSum(transpose(flat, order), reshape(indices!, [indices!.size]), shape[axis]!);
      return {
        x: transpose(
          rows,
          order.map((_, i) => order.indexOf(i)),
        ),
      };
    },
  },
  reference: ({ x, indices }, { axis }) => {
    const flat = x.shape.map((extent, i) => (i === axis ? indices.data.length : extent));
    const y = gatherBy(flat, x, (at) => at.map((k, i) => (i === axis ? indices.data[k]! : k)));
    return { y: ndarray(gathered(x, indices, axis), y.data) };
  },
  cut: ({ x, indices }, { axis }) =>
    axis === 0 ? { lead: indices!.shape, inputs: ["indices"], width: sizeOf(x!.shape.slice(1)) } : undefined,
  cost: ({ lead }) => ({ flops: 0, bytes: 8 * sizeOf(lead) }),
});

/** Rows (or slices along an axis) picked by index. */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return gatherOp({ x, indices }, { axis: normalAxes("gather", axis, x.shape.length)[0]! }).y;
}

const oneHotOp = defineOp({
  name: "oneHot",
  room: "indexing",
  inputs: { indices: "int32 ..." },
  attrs: { depth: 1 },
  whole: ["depth"],
  outputs: { y: "... depth" },
  differentiable: [],
  flat: true,
  reference: ({ indices }, { depth }) => {
    const y = ndzeros([...indices.shape, depth]);
    indices.data.forEach((id, i) => id >= 0 && id < depth && (y.data[i * depth + id] = 1));
    return { y };
  },
  compose: ({ indices }, { depth }) => ({
    y: cast(
      equal(reshape(indices, [...indices.shape, 1]), range(0, depth, 1, { backend: indices.backend })),
      "float32",
    ),
  }),
  cut: ({ indices }, { depth }) => ({ lead: indices!.shape, inputs: ["indices"], width: depth }),
  cost: ({ lead }, { depth }) => ({ flops: 0, bytes: 4 * sizeOf(lead) * (1 + depth) }),
});

/** 1 at the index, 0 elsewhere, along a new last axis; an index that is none of the axis gives zeros. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  return oneHotOp({ indices }, { depth }).y;
}

const segmentSumOp = defineOp({
  name: "segmentSum",
  room: "indexing",
  inputs: { x: "float32|int32 ~", ids: "int32 n" },
  attrs: { count: 1 },
  whole: ["count"],
  ids: { ids: { below: (_, { count }) => count } },
  outputs: { y: ({ x }: { x: Shaped }, { count }: { count: number }) => [count, ...x.shape.slice(1)] },
  differentiable: ["x"],
  check: ({ dims: { n } }, _, { x }) => {
    if (x!.shape[0] !== n)
      throw new ShapeError(`segmentSum: ids must be int32 [n] = [${x!.shape[0]}], got int32 ${show([n])}`);
  },
  gradient: { save: ["ids"], backward: ({ saved: { ids }, dy }) => ({ x: gather(dy, ids!) }) },
  reference: ({ x, ids }, { count }) => {
    const width = sizeOf(x.shape.slice(1));
    const y = ndzeros([count, ...x.shape.slice(1)]);
    x.data.forEach((value, i) => (y.data[ids.data[Math.floor(i / width)]! * width + (i % width)]! += value));
    return { y };
  },
  compose: ({ x, ids }, { count }) => {
    const rows = reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);
    const sums = rows.dtype === "float32" ? sumsByProduct(rows, ids, count) : sumsByRow(rows, ids, count);
    return { y: reshape(sums, [count, ...x.shape.slice(1)]) };
  },
  cost: ({ broadcast = [] }) => ({ flops: sizeOf(broadcast), bytes: 8 * sizeOf(broadcast) }),
});

/**
 * A product with zeros and ones, of what is finite. Infinities and NaN are counted apart from it and added where they belong: in the
 * product they would reach every sum, since 0 times NaN is NaN.
 */
function sumsByProduct(rows: Tensor, ids: Tensor, count: number): Tensor {
  const chosen = oneHot(ids, count);
  const total = (x: Tensor): Tensor => matMul(chosen, x, true, false);
  const number = (value: number): Tensor => full([1], value, { backend: rows.backend });
  const { finite, lost } = apartFinite(rows);
  const above = mul(lost, cast(greater(rows, 0), "float32"));
  const below = mul(lost, cast(less(rows, 0), "float32"));
  const rest = [
    [above, Number.POSITIVE_INFINITY],
    [below, Number.NEGATIVE_INFINITY],
    [sub(sub(lost, above), below), Number.NaN],
  ] as const;
  return rest.reduce(
    (sums, [places, value]) => add(sums, where(greater(total(places), 0), number(value), number(0))),
    total(finite),
  );
}

/** Row after row, each added where it belongs: float32 cannot hold what int32 can. */
function sumsByRow(rows: Tensor, ids: Tensor, count: number): Tensor {
  const chosen = cast(oneHot(ids, count), "int32"); // [n, count]
  const [n, width] = rows.shape as [number, number];
  let sums = zeros([count, width], { dtype: "int32", backend: rows.backend });
  for (let i = 0; i < n; i++)
    sums = add(sums, mul(reshape(sliceAxis(chosen, 0, i, 1), [count, 1]), sliceAxis(rows, 0, i, 1)));
  return sums;
}

/** Rows added up by id: out[ids[i]] += x[i]. */
export function segmentSum(x: Tensor, ids: Tensor, count: number): Tensor {
  return segmentSumOp({ x, ids }, { count }).y;
}
