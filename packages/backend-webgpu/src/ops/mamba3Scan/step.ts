import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { mamba3Coefficients, mamba3Extents } from "./forward.ts";

/** One token of Mamba-3's scan; state, lastK and lastV are changed in place. */
export function mamba3ScanStep(backend: WebGpuBackend, inputs: KernelInputs): TensorInfo[] {
  const { b, h, r, p, n } = mamba3Extents(inputs);
  const { q, k, v, D, z, state, lastK, lastV } = inputs;
  const y = backend.output(v!.shape);
  const coefficients = mamba3Coefficients(backend, inputs, { b, l: 1, h }, true);
  backend.runOver("mamba3Scan/advance", b * h * p * n, 256, {
    params: { count: b * h * p * n, r, p, n },
    buffers: { coefficients, k: k!, v: v!, lastK: lastK!, lastV: lastV!, state: state! },
  });
  backend.runOver("mamba3Scan/readOut", b * h * r * p, 4, {
    params: { rows: b * h * r * p, h, r, p, n },
    buffers: { state: state!, q: q!, v: v!, D, z, lastV: lastV!, y },
  });
  backend.copyInto(lastK!, 0, k!);
  backend.release(coefficients);
  return [y];
}
