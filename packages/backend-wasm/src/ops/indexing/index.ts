import type { DType } from "@statespace/core";
import type { KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { aroundAxis, sizeOf } from "../shapes.ts";
import { noneOf } from "./none.ts";

/** Kernels that pick or add up rows by index. */
export const kernels: KernelTable<WasmBackend> = {
  gather: (backend, { x, indices }, attrs) => {
    const axis = attrs.axis as number;
    const { outer, count, inner } = aroundAxis(x!.shape, axis);
    const ids = sizeOf(indices!.shape);
    const out = backend.output(
      [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)],
      x!.dtype as DType,
    );
    const values = { y: out, x: x!, ids: indices!, outer, axis: count, inner, count: ids, none: noneOf(x!) };
    call.gather(backend, values, 2 * outer * ids * inner);
    return out;
  },
  oneHot: (backend, { indices }, { depth }) => {
    const count = sizeOf(indices!.shape);
    const out = backend.output([...indices!.shape, depth as number]);
    call.oneHot(backend, { y: out, ids: indices!, count, depth: depth as number }, 2 * sizeOf(out.shape));
    return out;
  },
  segmentSum: (backend, { x, ids }, { count }) => {
    const { inner } = aroundAxis(x!.shape, 0);
    const segments = count as number;
    const out = backend.output([segments, ...x!.shape.slice(1)], x!.dtype);
    const ints = x!.dtype !== "float32";
    const values = { y: out, x: x!, ids: ids!, count: x!.shape[0]!, inner, segments, ints };
    call.segmentSum(backend, values, sizeOf(x!.shape) + sizeOf(out.shape));
    return out;
  },
};
