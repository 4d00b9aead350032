import type { DType } from "@statespace/core";
import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Bits of a float32 that is no number. */
export const NAN_BITS = 0x7fc00000;

/** Picks by index along an axis. */
export const gather: Kernel<WebGpuBackend> = (backend, { x, indices }, attrs) => {
  const axis = attrs.axis as number;
  const [lead, tail] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
  const y = backend.output([...lead, ...indices!.shape, ...tail], x!.dtype as DType);
  const size = sizeOf(y.shape);
  backend.runOver("indexing/gather", size, 256, {
    params: {
      size,
      ids: sizeOf(indices!.shape),
      extent: x!.shape[axis]!,
      inner: sizeOf(tail),
      first: 0,
      whole: x!.shape[axis]!,
      none: x!.dtype === "float32" ? NAN_BITS : 0,
    },
    buffers: { x: x!, indices: indices!, y },
  });
  return y;
};

/** Rows of zeros with a one where the index says. */
export const oneHot: Kernel<WebGpuBackend> = (backend, { indices }, attrs) => {
  const depth = attrs.depth as number;
  const y = backend.output([...indices!.shape, depth]);
  const size = sizeOf(y.shape);
  backend.runOver("indexing/gather", size, 256, {
    constants: { ONE_HOT: true },
    params: { size, ids: sizeOf(indices!.shape), extent: 1, inner: depth, first: 0, whole: 1, none: 0 },
    buffers: { indices: indices!, y },
  });
  return y;
};
