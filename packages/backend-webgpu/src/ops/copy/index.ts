import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Overwrites a tensor with another. */
export const copy: Kernel<WebGpuBackend> = (backend, { destination, source }) => {
  if (sizeOf(source!.shape) > 0) backend.copyInto(destination!, 0, source!);
  return [];
};
