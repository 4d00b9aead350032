import type { DType } from "@statespace/core";
import type { Kernel, KernelTable, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { eachRun, makeLoop, rowMajor } from "../../strided.ts";

/** Folds over `axes` in float64. */
function fold(start: number, f: (sum: number, x: number) => number): Kernel<CpuBackend> {
  return (backend, { x }, attrs) => {
    const axes = new Set(attrs.axes as number[]);
    const kept = x!.shape.map((extent, axis) => (axes.has(axis) ? 1 : extent));
    const shape = attrs.keepDims ? kept : kept.filter((_, axis) => !axes.has(axis));
    const y = backend.output(shape, x!.dtype as DType);
    const strides = rowMajor(kept).map((stride, axis) => (axes.has(axis) ? 0 : stride));
    const loop = makeLoop(x!.shape, [rowMajor(x!.shape), strides]);
    const run = loop.shape.at(-1)!;
    const step = loop.strides[1]!.at(-1)!;
    const [from, to] = [backend.numbers(x!), backend.numbers(y)];
    backend.launch(() => {
      const sums = new Float64Array(to.length).fill(start);
      eachRun(loop, ([p, q]) => {
        for (let i = 0; i < run; i++) sums[q! + i * step] = f(sums[q! + i * step]!, from[p! + i]!);
      });
      to.set(sums);
    });
    return y;
  };
}

/** Extents before, at and after an axis. */
function around({ x }: KernelInputs, axis: number): { outer: number; extent: number; inner: number } {
  const size = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);
  return { outer: size(x!.shape.slice(0, axis)), extent: x!.shape[axis]!, inner: size(x!.shape.slice(axis + 1)) };
}

function argMax(backend: CpuBackend, inputs: KernelInputs, attrs: Readonly<Record<string, unknown>>): TensorInfo {
  const axis = attrs.axis as number;
  const { outer, extent, inner } = around(inputs, axis);
  const y = backend.output(
    inputs.x!.shape.filter((_, i) => i !== axis),
    "int32",
  );
  const [from, to] = [backend.numbers(inputs.x!), backend.ints(y)];
  backend.launch(() => {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        const at = i * extent * inner + j;
        let best = 0;
        for (let k = 1; k < extent; k++) if (from[at + k * inner]! > from[at + best * inner]!) best = k;
        to[i * inner + j] = best;
      }
    }
  });
  return y;
}

function cumsum(backend: CpuBackend, inputs: KernelInputs, attrs: Readonly<Record<string, unknown>>): TensorInfo {
  const { outer, extent, inner } = around(inputs, attrs.axis as number);
  const y = backend.output(inputs.x!.shape, inputs.x!.dtype as DType);
  const [from, to] = [backend.numbers(inputs.x!), backend.numbers(y)];
  backend.launch(() => {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < inner; j++) {
        let sum = 0;
        for (let k = 0; k < extent; k++) {
          const at = (i * extent + (attrs.reverse ? extent - 1 - k : k)) * inner + j;
          const value = from[at]!;
          to[at] = attrs.exclusive ? sum : sum + value;
          sum += value;
        }
      }
    }
  });
  return y;
}

/** Softmax over the last axis, shifted by the row's largest value. */
function softmax(backend: CpuBackend, { x }: KernelInputs): TensorInfo {
  const n = x!.shape.at(-1) ?? 1;
  const y = backend.output(x!.shape);
  const [from, to] = [backend.floats(x!), backend.floats(y)];
  backend.launch(() => {
    for (let row = 0; row < from.length; row += n) {
      let peak = Number.NEGATIVE_INFINITY;
      for (let i = row; i < row + n; i++) peak = Math.max(peak, from[i]!);
      let total = 0;
      for (let i = row; i < row + n; i++) total += Math.exp(from[i]! - peak);
      for (let i = row; i < row + n; i++) to[i] = Math.exp(from[i]! - peak) / total;
    }
  });
  return y;
}

/** Kernels that combine values along axes; all sums run in float64. */
export const kernels: KernelTable<CpuBackend> = {
  sum: fold(0, (a, b) => a + b),
  max: fold(Number.NEGATIVE_INFINITY, (a, b) => Math.max(a, b)),
  min: fold(Number.POSITIVE_INFINITY, (a, b) => Math.min(a, b)),
  argMax,
  cumsum,
  softmax,
};
