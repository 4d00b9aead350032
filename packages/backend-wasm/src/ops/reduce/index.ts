import type { DType } from "@statespace/core";
import type { KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { aroundAxis, sizeOf } from "../shapes.ts";

type Reduction = "sum" | "max" | "min";

/** Runs of neighbouring axes, last first: each is one pass over [outer, count, inner]. */
function runsOf(axes: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run && run.last === axis - 1) run.last = axis;
    else runs.push({ first: axis, last: axis });
  }
  return runs.reverse();
}

function pass(backend: WasmBackend, kind: Reduction, x: TensorInfo, first: number, last: number): TensorInfo {
  const outer = sizeOf(x.shape.slice(0, first));
  const count = sizeOf(x.shape.slice(first, last + 1));
  const inner = sizeOf(x.shape.slice(last + 1));
  const shape = x.shape.map((extent, i) => (i >= first && i <= last ? 1 : extent));
  const out = backend.output(shape, x.dtype as DType);
  if (kind === "sum" && x.dtype === "float32" && outer === 1 && inner === 1) {
    call.sumWhole(backend, { y: out, x, count }, count);
    return out;
  }
  const kernel = `${kind}Axis${x.dtype === "float32" ? "" : "Int"}` as const;
  call[kernel](backend, { y: out, x, outer, count, inner }, sizeOf(x.shape));
  return out;
}

function reduce(kind: Reduction) {
  return (
    backend: WasmBackend,
    { x }: Readonly<Record<string, TensorInfo>>,
    attrs: Readonly<Record<string, unknown>>,
  ): TensorInfo => {
    const axes = attrs.axes as number[];
    let current = x!;
    for (const { first, last } of runsOf(axes)) {
      const next = pass(backend, kind, current, first, last);
      if (current !== x) backend.disposeData(current.dataId);
      current = next;
    }
    const shape = attrs.keepDims ? current.shape : current.shape.filter((_, i) => !axes.includes(i));
    const result = backend.alias(current, shape);
    if (current !== x) backend.disposeData(current.dataId);
    return result;
  };
}

/** Reductions, softmax, running sums. */
export const kernels: KernelTable<WasmBackend> = {
  sum: reduce("sum"),
  max: reduce("max"),
  min: reduce("min"),
  argMax: (backend, { x }, attrs) => {
    const axis = attrs.axis as number;
    const { outer, count, inner } = aroundAxis(x!.shape, axis);
    const out = backend.output(
      x!.shape.filter((_, i) => i !== axis),
      "int32",
    );
    call.argMax(backend, { y: out, x: x!, outer, count, inner, ints: x!.dtype !== "float32" }, sizeOf(x!.shape));
    return out;
  },
  softmax: (backend, { x }) => {
    const count = x!.shape.at(-1) ?? 1;
    const out = backend.output(x!.shape);
    const size = sizeOf(x!.shape);
    call.softmax(backend, { y: out, x: x!, rows: size / count, count }, 10 * size);
    return out;
  },
  cumsum: (backend, { x }, { axis, exclusive, reverse }) => {
    const { outer, count, inner } = aroundAxis(x!.shape, axis as number);
    const out = backend.output(x!.shape, x!.dtype);
    const order = { exclusive: exclusive === true, reverse: reverse === true, ints: x!.dtype !== "float32" };
    call.cumsum(backend, { y: out, x: x!, outer, count, inner, ...order }, 2 * sizeOf(x!.shape));
    return out;
  },
};
