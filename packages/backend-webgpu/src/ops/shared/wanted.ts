import type { KernelAttrs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";

/** Whether anybody asks for the gradient of an input: a frozen weight's is left out. */
export function isWanted({ unwanted }: KernelAttrs, input: string): boolean {
  return !(unwanted as readonly string[] | undefined)?.includes(input);
}

/** Stands where a gradient would that nobody reads. */
export function unread(backend: WebGpuBackend): TensorInfo {
  return backend.output([1]);
}
