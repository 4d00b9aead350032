import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { floatBits } from "../../device/launch.ts";

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Overwrites a tensor with one value. */
export function fillWith(backend: WebGpuBackend, out: TensorInfo, value: number): void {
  const size = sizeOf(out.shape);
  const bits =
    out.dtype === "float32" ? floatBits(value) : out.dtype === "bool" ? Number(value !== 0) : Math.trunc(value) >>> 0;
  const most = Math.floor(backend.traits.maxBinding / 256) * 64;
  for (let first = 0; first < size; first += most) {
    const count = Math.min(most, size - first);
    backend.dispatchOver("fill", count, 256, {
      params: [count, bits],
      bindings: [size <= most ? out : backend.bindPart(out, first, count)],
    });
  }
}

export function fill(
  backend: WebGpuBackend,
  _inputs: KernelInputs,
  { shape, value, dtype }: KernelAttrs,
): TensorInfo[] {
  const out = backend.output(shape as number[], dtype as "float32");
  fillWith(backend, out, Number(value));
  return [out];
}
