import { packBytes, unpackToF32, type TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "./backend.ts";
import { rowsOf, type Rows } from "./gemm.ts";

/** Rows of a weight [..., k] in whatever format it is stored; packed rows are unpacked as they are read. */
export function weightRows(backend: CpuBackend, weight: TensorInfo): Rows {
  const k = weight.shape.at(-1)!;
  const format = backend.formatOf(weight);
  if (format === "f32" || format === "i32") return rowsOf(backend.floats(weight), k, 0, k, 1);
  const { block, byteOffset, bytes } = backend.locatePacked(weight);
  const packed = new Uint8Array(block.buffer, byteOffset, bytes);
  const rowBytes = packBytes([k], format);
  return {
    load: (row, target, at, step) => {
      const values = unpackToF32(packed.subarray(row * rowBytes, (row + 1) * rowBytes), [k], format);
      for (let i = 0; i < k; i++) target[at + i * step] = values[i]!;
    },
  };
}
