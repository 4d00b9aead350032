import { ShapeError, type DType } from "@statespace/core";
import { type Kernel, type KernelTable, type TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { collapse, rowMajor, type LoopAxis } from "../shared/strides.ts";

/** One side of a strided copy. */
interface Side {
  readonly tensor: TensorInfo;
  readonly offset: number;
  readonly strides: readonly number[];
}

const offsetOf = (begin: readonly number[], strides: readonly number[]): number =>
  begin.reduce((sum, from, axis) => sum + from * strides[axis]!, 0);

/** Whether both sides lie in whole vec4s, one after another along the last axis. */
function inQuads(axes: readonly LoopAxis[], ...offsets: readonly number[]): boolean {
  const last = axes.at(-1);
  if (last === undefined || last.extent % 4 !== 0 || last.strides.some((stride) => stride !== 1)) return false;
  const places = [...offsets, ...axes.slice(0, -1).flatMap(({ strides }) => strides)];
  return places.every((place) => place % 4 === 0);
}

function copyStrided(backend: WebGpuBackend, shape: readonly number[], source: Side, target: Side): void {
  const axes = collapse(shape, [source.strides, target.strides]);
  if (axes.length > 8) throw new ShapeError(`strided copy: at most 8 axes that do not join, got ${axes.length}`);
  const unit = inQuads(axes, source.offset, target.offset) ? 4 : 1;
  const last = axes.length - 1;
  const size = sizeOf(shape) / unit;
  backend.runOver("movement/strided", size, 256, {
    variant: { UNIT: unit === 4 ? "vec4" : "word" },
    constants: { RANK: axes.length },
    params: {
      size,
      source: source.offset / unit,
      destination: target.offset / unit,
      dims: axes.flatMap(({ extent, strides: [from, to] }, axis) =>
        axis === last ? [extent / unit, from!, to!, 0] : [extent, from! / unit, to! / unit, 0],
      ),
    },
    buffers: { x: source.tensor, y: target.tensor },
  });
}

/** Writes a matrix [m, width] into the columns of y [m, n] from `first` on. */
export function copyColumns(
  backend: WebGpuBackend,
  columns: TensorInfo,
  m: number,
  width: number,
  y: TensorInfo,
  n: number,
  first: number,
): void {
  copyStrided(
    backend,
    [m, width],
    { tensor: columns, offset: 0, strides: [width, 1] },
    { tensor: y, offset: first, strides: [n, 1] },
  );
}

/** A matrix [m, width] of the columns of x [m, n] from `first` on. */
export function takeColumns(
  backend: WebGpuBackend,
  x: TensorInfo,
  m: number,
  n: number,
  first: number,
  width: number,
): TensorInfo {
  const y = backend.output([m, width]);
  copyStrided(
    backend,
    [m, width],
    { tensor: x, offset: first, strides: [n, 1] },
    { tensor: y, offset: 0, strides: [width, 1] },
  );
  return y;
}

/** An output of `shape` read from `x` with other strides, from another first element. */
function viewed(
  backend: WebGpuBackend,
  x: TensorInfo,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  loopShape: readonly number[] = shape,
): TensorInfo {
  const y = backend.output(shape, x.dtype as DType);
  copyStrided(
    backend,
    loopShape,
    { tensor: x, offset, strides },
    { tensor: y, offset: 0, strides: rowMajor(loopShape) },
  );
  return y;
}

const transpose: Kernel<WebGpuBackend> = (backend, { x }, { perm }) => {
  const strides = rowMajor(x!.shape);
  const axes = perm as number[];
  return viewed(
    backend,
    x!,
    axes.map((axis) => x!.shape[axis]!),
    axes.map((axis) => strides[axis]!),
    0,
  );
};

const slice: Kernel<WebGpuBackend> = (backend, { x }, { begin, size }) => {
  const strides = rowMajor(x!.shape);
  return viewed(backend, x!, size as number[], strides, offsetOf(begin as number[], strides));
};

const reverse: Kernel<WebGpuBackend> = (backend, { x }, attrs) => {
  const axes = attrs.axes as number[];
  const strides = rowMajor(x!.shape);
  const last = x!.shape.map((extent, axis) => (axes.includes(axis) ? Math.max(0, extent - 1) : 0));
  return viewed(
    backend,
    x!,
    x!.shape,
    strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    offsetOf(last, strides),
  );
};

/** Each axis becomes two: the repetition, with stride 0, and the axis itself. */
const tile: Kernel<WebGpuBackend> = (backend, { x }, attrs) => {
  const reps = attrs.reps as number[];
  const shape = x!.shape.map((extent, axis) => extent * reps[axis]!);
  return viewed(
    backend,
    x!,
    shape,
    rowMajor(x!.shape).flatMap((stride) => [0, stride]),
    0,
    x!.shape.flatMap((extent, axis) => [reps[axis]!, extent]),
  );
};

const pad: Kernel<WebGpuBackend> = (backend, { x }, { paddings, value }) => {
  const around = paddings as [number, number][];
  const y = backend.output(
    x!.shape.map((extent, axis) => extent + around[axis]![0] + around[axis]![1]),
    x!.dtype as DType,
  );
  const strides = rowMajor(y.shape);
  fillWith(backend, y, Number(value));
  copyStrided(
    backend,
    x!.shape,
    { tensor: x!, offset: 0, strides: rowMajor(x!.shape) },
    {
      tensor: y,
      offset: offsetOf(
        around.map(([before]) => before),
        strides,
      ),
      strides,
    },
  );
  return y;
};

const concat: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  const axis = attrs.axis as number;
  const xs = Object.keys(inputs).map((_, i) => inputs[String(i)]!);
  const shape = xs[0]!.shape.map((extent, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : extent));
  const y = backend.output(shape, xs[0]!.dtype as DType);
  const strides = rowMajor(shape);
  let before = 0;
  for (const x of xs) {
    copyStrided(
      backend,
      x.shape,
      { tensor: x, offset: 0, strides: rowMajor(x.shape) },
      { tensor: y, offset: before * strides[axis]!, strides },
    );
    before += x.shape[axis]!;
  }
  return y;
};

/** Kernels that move values about; all are strided copies. */
export const kernels: KernelTable<WebGpuBackend> = {
  transpose,
  slice,
  reverse,
  tile,
  pad,
  concat,
};
