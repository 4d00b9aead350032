import type { DType } from "@statespace/core";
import type { Kernel, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { copyPart, rowMajor, type Numbers } from "../../strided.ts";

const offsetOf = (begin: readonly number[], strides: readonly number[]): number =>
  begin.reduce((sum, from, axis) => sum + from * strides[axis]!, 0);

/** An output of `shape` read from `x` with other strides, from another first element. */
function viewed(
  backend: CpuBackend,
  x: TensorInfo,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  loopShape: readonly number[] = shape,
): TensorInfo {
  const y = backend.output(shape, x.dtype as DType);
  const [from, to] = [backend.numbers(x), backend.numbers(y)];
  backend.launch(() =>
    copyPart(loopShape, { data: from, offset, strides }, { data: to, offset: 0, strides: rowMajor(loopShape) }),
  );
  return y;
}

const transpose: Kernel<CpuBackend> = (backend, { x }, attrs) => {
  const perm = attrs.perm as number[];
  const strides = rowMajor(x!.shape);
  return viewed(
    backend,
    x!,
    perm.map((axis) => x!.shape[axis]!),
    perm.map((axis) => strides[axis]!),
    0,
  );
};

const slice: Kernel<CpuBackend> = (backend, { x }, { begin, size }) => {
  const strides = rowMajor(x!.shape);
  return viewed(backend, x!, size as number[], strides, offsetOf(begin as number[], strides));
};

const reverse: Kernel<CpuBackend> = (backend, { x }, attrs) => {
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
const tile: Kernel<CpuBackend> = (backend, { x }, attrs) => {
  const reps = attrs.reps as number[];
  const strides = rowMajor(x!.shape);
  const shape = x!.shape.map((extent, axis) => extent * reps[axis]!);
  return viewed(
    backend,
    x!,
    shape,
    strides.flatMap((stride) => [0, stride]),
    0,
    x!.shape.flatMap((extent, axis) => [reps[axis]!, extent]),
  );
};

const pad: Kernel<CpuBackend> = (backend, { x }, attrs) => {
  const paddings = attrs.paddings as [number, number][];
  const shape = x!.shape.map((extent, axis) => extent + paddings[axis]![0] + paddings[axis]![1]);
  const y = backend.output(shape, x!.dtype as DType);
  const strides = rowMajor(shape);
  const offset = offsetOf(
    paddings.map(([before]) => before),
    strides,
  );
  const [from, to] = [backend.numbers(x!), backend.numbers(y)];
  backend.launch(() => {
    to.fill(attrs.value as number);
    copyPart(x!.shape, { data: from, offset: 0, strides: rowMajor(x!.shape) }, { data: to, offset, strides });
  });
  return y;
};

const concat: Kernel<CpuBackend> = (backend, inputs, attrs) => {
  const axis = attrs.axis as number;
  const xs = Object.keys(inputs).map((_, i) => inputs[String(i)]!);
  const shape = xs[0]!.shape.map((extent, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : extent));
  const y = backend.output(shape, xs[0]!.dtype as DType);
  const strides = rowMajor(shape);
  const to = backend.numbers(y);
  let before = 0;
  const parts = xs.map((x): { x: TensorInfo; from: Numbers; offset: number } => {
    const part = { x, from: backend.numbers(x), offset: before * strides[axis]! };
    before += x.shape[axis]!;
    return part;
  });
  backend.launch(() => {
    for (const { x, from, offset } of parts)
      copyPart(x.shape, { data: from, offset: 0, strides: rowMajor(x.shape) }, { data: to, offset, strides });
  });
  return y;
};

/** Kernels that move values about; all are strided copies. */
export const kernels: KernelTable<CpuBackend> = {
  transpose,
  slice,
  reverse,
  tile,
  pad,
  concat,
};
