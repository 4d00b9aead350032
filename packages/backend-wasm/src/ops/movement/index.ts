import type { DType } from "@statespace/core";
import type { KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { listAxes, mergeAxes, stridesOf, type Axis } from "../shapes.ts";
import { filled } from "../make/index.ts";

/** Where a walk through a tensor begins: its element `at`. */
interface Place {
  readonly tensor: TensorInfo;
  readonly at?: number;
}

/**
 * Copies words along axes with a stride in each array. Axes are merged; the innermost two become the plane that the kernel
 * copies by rows or transposes in blocks, so the axis that `in` walks word by word is moved to the end of the plane.
 */
function stridedCopy(backend: WasmBackend, out: Place, from: Place, axes: readonly Axis[]): void {
  const merged = mergeAxes(axes);
  const total = merged.reduce((size, { extent }) => size * extent, 1);
  if (total === 0) return;
  const last = merged.at(-1);
  const words = merged.findIndex(({ strides }) => strides[1] === 1);
  // A transposition: `in` is dense along an outer axis, `out` along the last. Make them neighbours, the dense one of `in` last.
  if (last && last.strides[1] !== 1 && words >= 0) merged.push(...merged.splice(words, 1));
  while (merged.length < 2) merged.unshift({ extent: 1, strides: [0, 0] });
  const start = { outFrom: out.at ?? 0, inFrom: from.at ?? 0 };
  call.stridedCopy(backend, { out: out.tensor, in: from.tensor, ...start, ...listAxes(merged) }, 2 * total);
}

const like = (backend: WasmBackend, x: TensorInfo, shape: readonly number[]): TensorInfo =>
  backend.output(shape, x.dtype as DType);

function axesOf(extents: readonly number[], outStrides: readonly number[], inStrides: readonly number[]): Axis[] {
  return extents.map((extent, i) => ({ extent, strides: [outStrides[i]!, inStrides[i]!] }));
}

/** Kernels that move elements without changing them. */
export const kernels: KernelTable<WasmBackend> = {
  transpose: (backend, { x }, attrs) => {
    const perm = attrs.perm as number[];
    const out = like(
      backend,
      x!,
      perm.map((axis) => x!.shape[axis]!),
    );
    const strides = stridesOf(x!.shape);
    stridedCopy(
      backend,
      { tensor: out },
      { tensor: x! },
      axesOf(
        out.shape,
        stridesOf(out.shape),
        perm.map((axis) => strides[axis]!),
      ),
    );
    return out;
  },
  slice: (backend, { x }, attrs) => {
    const begin = attrs.begin as number[];
    const size = attrs.size as number[];
    const strides = stridesOf(x!.shape);
    const offset = begin.reduce((sum, from, i) => sum + from * strides[i]!, 0);
    // A contiguous part needs no copy.
    const firstCut = size.findIndex((extent) => extent !== 1);
    if (firstCut < 0 || size.slice(firstCut + 1).every((extent, i) => extent === x!.shape[firstCut + 1 + i]))
      return backend.view(x!, size, offset);
    const out = like(backend, x!, size);
    stridedCopy(backend, { tensor: out }, { tensor: x!, at: offset }, axesOf(size, stridesOf(size), strides));
    return out;
  },
  concat: (backend, inputs, { axis }) => {
    const xs = Object.keys(inputs).map((_, i) => inputs[i]!);
    const at = axis as number;
    const shape = [...xs[0]!.shape];
    shape[at] = xs.reduce((sum, x) => sum + x.shape[at]!, 0);
    const out = like(backend, xs[0]!, shape);
    const strides = stridesOf(shape);
    let from = 0;
    for (const x of xs) {
      stridedCopy(backend, { tensor: out, at: from }, { tensor: x }, axesOf(x.shape, strides, stridesOf(x.shape)));
      from += x.shape[at]! * strides[at]!;
    }
    return out;
  },
  reverse: (backend, { x }, attrs) => {
    const axes = attrs.axes as number[];
    const out = like(backend, x!, x!.shape);
    const strides = stridesOf(x!.shape);
    const offset = axes.reduce((sum, axis) => sum + Math.max(0, x!.shape[axis]! - 1) * strides[axis]!, 0);
    const turned = strides.map((stride, i) => (axes.includes(i) ? -stride : stride));
    stridedCopy(backend, { tensor: out }, { tensor: x!, at: offset }, axesOf(x!.shape, strides, turned));
    return out;
  },
  pad: (backend, { x }, attrs) => {
    const paddings = attrs.paddings as (readonly [number, number])[];
    const out = like(
      backend,
      x!,
      x!.shape.map((extent, i) => extent + paddings[i]![0] + paddings[i]![1]),
    );
    const strides = stridesOf(out.shape);
    const offset = paddings.reduce((sum, [before], i) => sum + before * strides[i]!, 0);
    filled(backend, out, attrs.value);
    stridedCopy(backend, { tensor: out, at: offset }, { tensor: x! }, axesOf(x!.shape, strides, stridesOf(x!.shape)));
    return out;
  },
  tile: (backend, { x }, attrs) => {
    const reps = attrs.reps as number[];
    const out = like(
      backend,
      x!,
      x!.shape.map((extent, i) => extent * reps[i]!),
    );
    const outStrides = stridesOf(out.shape);
    const inStrides = stridesOf(x!.shape);
    const axes = x!.shape.flatMap((extent, i) => [
      { extent: reps[i]!, strides: [extent * outStrides[i]!, 0] },
      { extent, strides: [outStrides[i]!, inStrides[i]!] },
    ]);
    stridedCopy(backend, { tensor: out }, { tensor: x! }, axes);
    return out;
  },
};
