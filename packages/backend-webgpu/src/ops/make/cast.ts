import type { DType } from "@statespace/core";
import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Codes of cast.wgsl. */
const modes: Readonly<Record<string, number>> = {
  "float32 int32": 1,
  "int32 float32": 2,
  "bool float32": 2,
  "float32 bool": 3,
  "int32 bool": 4,
};

/** Another type; one that is stored alike is the same storage. */
export const cast: Kernel<WebGpuBackend> = (backend, { x }, attrs) => {
  const dtype = attrs.dtype as DType;
  const MODE = modes[`${x!.dtype} ${dtype}`];
  if (MODE === undefined) return { ...backend.alias(x!), dtype };
  const y = backend.output(x!.shape, dtype);
  const size = sizeOf(x!.shape);
  backend.runOver("make/cast", size, 256, { constants: { MODE }, params: { size }, buffers: { x: x!, y } });
  return y;
};
