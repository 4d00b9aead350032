import {
  add,
  BackendError,
  broadcastTo,
  cast,
  clone,
  concat,
  full,
  gather,
  mul,
  pad,
  reshape,
  slice,
  split,
  stack,
  tensor,
  transpose,
  type Tensor,
} from "@statespace/core";
import { oneHot, reverse, segmentSum, tile } from "@statespace/core/ops";
import {
  backend_util,
  slice_util,
  util,
  type BroadCastToAttrs,
  type CastAttrs,
  type ConcatAttrs,
  type ExpandDimsAttrs,
  type FillAttrs,
  type GatherV2Attrs,
  type OneHotAttrs,
  type PackAttrs,
  type PadV2Attrs,
  type RangeAttrs,
  type ReshapeAttrs,
  type ReverseAttrs,
  type SliceAttrs,
  type SplitVAttrs,
  type StridedSliceAttrs,
  type TileAttrs,
  type TransposeAttrs,
  type UnsortedSegmentSumAttrs,
} from "@tensorflow/tfjs-core";
import { toOwn, type TfKernel } from "../tfBackend.ts";

const axisOf = (axis: number, x: Tensor): number => util.parseAxisParam(axis, [...x.shape])[0]!;

function take(x: Tensor, axis: number, places: readonly number[]): Tensor {
  return gather(x, tensor(Int32Array.from(places), [places.length], { backend: x.backend }), axis);
}

/** Every step-th element of each axis, and the shape without the axes that a single index picked. */
function stridedSlice(x: Tensor, attrs: StridedSliceAttrs): Tensor {
  const { begin, end, strides, finalShape } = slice_util.sliceInfo(
    [...x.shape],
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  const extents = slice_util.computeOutShape(begin, end, strides);
  let y = x;
  extents.forEach((extent, axis) => {
    if (extent === x.shape[axis] && strides[axis] === 1) return;
    y = take(
      y,
      axis,
      Array.from({ length: extent }, (_, i) => begin[axis]! + i * strides[axis]!),
    );
  });
  return reshape(y, finalShape);
}

const shapes: Record<string, TfKernel> = {
  Identity: ({ x }) => clone(x!),
  Reshape: ({ x }, attrs) =>
    reshape(x!, util.inferFromImplicitShape((attrs as unknown as ReshapeAttrs).shape, x!.size)),
  ExpandDims: ({ input }, attrs) => {
    const { dim } = attrs as unknown as ExpandDimsAttrs;
    const at = dim < 0 ? input!.shape.length + dim + 1 : dim;
    return reshape(input!, [...input!.shape.slice(0, at), 1, ...input!.shape.slice(at)]);
  },
  BroadcastTo: ({ x }, attrs) => {
    const { shape } = attrs as unknown as BroadCastToAttrs;
    return broadcastTo(
      x!,
      shape.map((extent, i) => (extent === -1 ? x!.shape[i - shape.length + x!.shape.length]! : extent)),
    );
  },
  Cast: ({ x }, attrs) => {
    const { dtype } = attrs as unknown as CastAttrs;
    return cast(x!, toOwn(dtype));
  },
  Transpose: ({ x }, attrs) => transpose(x!, (attrs as unknown as TransposeAttrs).perm),
};

const parts: Record<string, TfKernel> = {
  Slice: ({ x }, attrs) => {
    const { begin, size } = attrs as unknown as SliceAttrs;
    const [from, extents] = slice_util.parseSliceParams(asTf(x!), begin, size);
    return slice(x!, from!, extents!);
  },
  StridedSlice: ({ x }, attrs) => stridedSlice(x!, attrs as unknown as StridedSliceAttrs),
  SplitV: ({ x }, attrs) => {
    const { numOrSizeSplits, axis } = attrs as unknown as SplitVAttrs;
    const at = axisOf(axis, x!);
    return split(x!, backend_util.prepareSplitSize(asTf(x!), numOrSizeSplits, at), at);
  },
  Unpack: ({ value }, attrs) => {
    const at = axisOf((attrs as unknown as PackAttrs).axis, value!);
    const shape = value!.shape.filter((_, i) => i !== at);
    return split(value!, Array<number>(value!.shape[at]!).fill(1), at).map((part) => reshape(part, shape));
  },
  Concat: ({ list }, attrs) => {
    const at = axisOf((attrs as unknown as ConcatAttrs).axis, list[0]!);
    const filled = list.filter(({ size }) => size > 0);
    return concat(filled.length > 0 ? filled : list, at);
  },
  Pack: ({ list }, attrs) => {
    const { axis } = attrs as unknown as PackAttrs;
    return stack(list, axis < 0 ? list[0]!.shape.length + axis + 1 : axis);
  },
  Reverse: ({ x }, attrs) => {
    const axes = util.parseAxisParam((attrs as unknown as ReverseAttrs).dims, [...x!.shape]);
    return x!.shape.length === 0 ? clone(x!) : reverse(x!, axes);
  },
  PadV2: ({ x }, attrs) => {
    const { paddings, constantValue } = attrs as unknown as PadV2Attrs;
    return pad(x!, paddings, constantValue);
  },
  Tile: ({ x }, attrs) => tile(x!, (attrs as unknown as TileAttrs).reps),
  GatherV2: ({ x, indices }, attrs) => {
    const { axis, batchDims } = attrs as unknown as GatherV2Attrs;
    if (batchDims !== 0) throw new BackendError(`GatherV2: only without batch dims, got ${batchDims}`);
    return gather(x!, cast(indices!, "int32"), axisOf(axis, x!));
  },
  UnsortedSegmentSum: ({ x, segmentIds }, attrs) =>
    segmentSum(x!, cast(segmentIds!, "int32"), (attrs as unknown as UnsortedSegmentSumAttrs).numSegments),
  OneHot: ({ indices }, attrs) => {
    const { depth, onValue, offValue, dtype } = attrs as unknown as OneHotAttrs;
    return cast(add(mul(oneHot(cast(indices!, "int32"), depth), onValue - offValue), offValue), toOwn(dtype));
  },
};

/** What tfjs's helpers read of a tensor. */
function asTf(x: Tensor): never {
  return { shape: [...x.shape], rank: x.shape.length } as never;
}

const filled = (x: Tensor, value: number): Tensor => full(x.shape, value, { dtype: x.dtype, backend: x.backend });

/** Values moved, picked and laid side by side. */
export const movementKernels: Readonly<Record<string, TfKernel>> = {
  ...shapes,
  ...parts,
  Fill: (_, attrs, backend) => {
    const { shape, value, dtype } = attrs as unknown as FillAttrs;
    return full(shape, Number(value), { dtype: toOwn(dtype), backend });
  },
  Range: (_, attrs, backend) => {
    const { start, stop, step, dtype } = attrs as unknown as RangeAttrs;
    const size = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length: size }, (__, i) => start + i * step);
    return tensor(values, [size], { dtype: toOwn(dtype), backend });
  },
  ZerosLike: ({ x }) => filled(x!, 0),
  OnesLike: ({ x }) => filled(x!, 1),
};
