import type { Kernel, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { floatBits } from "../../shader/checkRequest.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** A value as a tensor of this type stores it, in one word. */
function storedWord(value: number, dtype: string): number {
  if (dtype === "float32") return floatBits(value);
  return dtype === "bool" ? Number(value !== 0) : Math.trunc(value);
}

/** Overwrites a tensor with one value. */
export function fillWith(backend: WebGpuBackend, out: TensorInfo, value: number): void {
  const size = sizeOf(out.shape);
  const bits = storedWord(value, out.dtype);
  const most = Math.floor(backend.traits.maxBinding / 256) * 64;
  for (let first = 0; first < size; first += most) {
    const count = Math.min(most, size - first);
    backend.runOver("make/fill", count, 256, {
      params: { size: count, bits },
      buffers: { out: size <= most ? out : backend.bindPart(out, first, count) },
    });
  }
}

/** A tensor of one value. */
export const full: Kernel<WebGpuBackend> = (backend, _inputs, { shape, value, dtype }) => {
  const out = backend.output(shape as number[], dtype as "float32");
  fillWith(backend, out, Number(value));
  return out;
};
