import type { TensorInfo } from "@statespace/core/backend";
import { sizeOf } from "./sizeOf.ts";

/** Elements before, at and after an axis: a tensor seen as [outer, extent, inner]. */
export function around({ shape }: TensorInfo, axis: number): [outer: number, extent: number, inner: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}
