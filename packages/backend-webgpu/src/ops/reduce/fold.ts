import type { DType } from "@statespace/core";
import type { Kernel, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Elements that one workgroup (rows) or thread (columns) folds before the parts are folded again. */
const rowPart = 16_384;
const columnPart = 64;

/** Codes of rows.wgsl and columns.wgsl. */
export const foldOps = { sum: 0, max: 1, min: 2, squares: 3, peak: 4 } as const;

/** Folds the middle axis of x, seen as [outer, extent, inner], in as many rounds as it takes; the result has outer * inner elements. */
export function foldAxis(
  backend: WebGpuBackend,
  OP: number,
  x: TensorInfo,
  outer: number,
  extent: number,
  inner: number,
  out: TensorInfo,
): void {
  const INT = x.dtype !== "float32";
  // A lane per column needs columns enough to be worth it.
  const most =
    inner === 1 ? rowPart : Math.max(columnPart, Math.ceil(extent / Math.max(1, Math.ceil(65_536 / (outer * inner)))));
  const parts = Math.max(1, Math.ceil(extent / most));
  const part = Math.ceil(extent / parts);
  const target = parts === 1 ? out : backend.output([outer, parts, inner], x.dtype as DType);
  if (inner === 1) {
    backend.run("reduce/rows", {
      constants: { OP, INT, WG: Math.min(256, backend.traits.maxInvocations) },
      params: { rows: outer, extent, part, parts },
      buffers: { x, y: target },
      grid: foldGrid(outer * parts),
    });
  } else {
    backend.runOver("reduce/columns", outer * parts * inner, 64, {
      constants: { OP, INT },
      params: { outer, extent, inner, part, parts },
      buffers: { x, y: target },
    });
  }
  if (parts > 1) {
    foldAxis(backend, OP === foldOps.squares ? foldOps.sum : OP, target, outer, parts, inner, out);
    backend.release(target);
  }
}

/** Runs of neighbouring axes, last first, so that each fold leaves the others where they are. */
function axisRuns(axes: readonly number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run && run[1] === axis - 1) run[1] = axis;
    else runs.push([axis, axis]);
  }
  return runs.reverse();
}

function fold(op: number): Kernel<WebGpuBackend> {
  return (backend, { x }, attrs) => {
    const axes = attrs.axes as number[];
    const kept = x!.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const shape = attrs.keepDims ? kept : kept.filter((_, axis) => !axes.includes(axis));
    const runs = axisRuns(axes);
    if (runs.length === 0) return backend.alias(x!, shape);
    let current = x!;
    let dims = [...x!.shape];
    runs.forEach(([first, last], i) => {
      const [outer, extent, inner] = [
        sizeOf(dims.slice(0, first)),
        sizeOf(dims.slice(first, last + 1)),
        sizeOf(dims.slice(last + 1)),
      ];
      dims = dims.map((size, axis) => (axis >= first && axis <= last ? 1 : size));
      const out = backend.output(i === runs.length - 1 ? shape : dims, x!.dtype as DType);
      foldAxis(backend, op, current, outer, extent, inner, out);
      if (current !== x) backend.release(current);
      current = out;
    });
    return current;
  };
}

/** Sums, maxima and minima over axes. */
export const foldKernels: KernelTable<WebGpuBackend> = {
  sum: fold(foldOps.sum),
  max: fold(foldOps.max),
  min: fold(foldOps.min),
};
