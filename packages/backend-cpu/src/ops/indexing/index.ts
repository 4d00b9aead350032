import type { DType } from "@statespace/core";
import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const gather: Kernel<CpuBackend> = (backend, { x, indices }, attrs) => {
  const axis = attrs.axis as number;
  const [lead, tail] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
  const y = backend.output([...lead, ...indices!.shape, ...tail], x!.dtype as DType);
  const [outer, extent, inner] = [sizeOf(lead), x!.shape[axis]!, sizeOf(tail)];
  const [from, ids, to] = [backend.numbers(x!), backend.ints(indices!), backend.numbers(y)];
  const none = x!.dtype === "float32" ? Number.NaN : 0;
  backend.launch(() => {
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < ids.length; j++) {
        const id = ids[j]!;
        const row = (i * extent + id) * inner;
        const at = (i * ids.length + j) * inner;
        if (id < 0 || id >= extent) to.fill(none, at, at + inner);
        else for (let k = 0; k < inner; k++) to[at + k] = from[row + k]!;
      }
    }
  });
  return y;
};

const oneHot: Kernel<CpuBackend> = (backend, { indices }, attrs) => {
  const depth = attrs.depth as number;
  const y = backend.output([...indices!.shape, depth]);
  const [ids, to] = [backend.ints(indices!), backend.floats(y)];
  backend.launch(() => {
    to.fill(0);
    ids.forEach((id, i) => {
      if (id >= 0 && id < depth) to[i * depth + id] = 1;
    });
  });
  return y;
};

const segmentSum: Kernel<CpuBackend> = (backend, { x, ids }, attrs) => {
  const [n, ...rest] = x!.shape as [number, ...number[]];
  const count = attrs.count as number;
  const width = sizeOf(rest);
  const y = backend.output([count, ...rest], x!.dtype as DType);
  const [from, rows, to] = [backend.numbers(x!), backend.ints(ids!), backend.numbers(y)];
  backend.launch(() => {
    const sums = new Float64Array(count * width);
    for (let i = 0; i < n; i++) {
      if (rows[i]! < 0 || rows[i]! >= count) continue;
      for (let k = 0; k < width; k++) sums[rows[i]! * width + k]! += from[i * width + k]!;
    }
    to.set(sums);
  });
  return y;
};

/** Kernels that pick or add up rows by index. */
export const kernels: KernelTable<CpuBackend> = {
  gather,
  oneHot,
  segmentSum,
};
