import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { mamba3Coefficients, mamba3Extents } from "./forward.ts";

/** One token of Mamba-3's scan; state, lastK and lastV are changed in place. */
export function mamba3ScanStep(backend: WebGpuBackend, inputs: KernelInputs): TensorInfo[] {
  const { b, h, r, p, n } = mamba3Extents(inputs);
  const { q, k, v, D, z, state, lastK, lastV } = inputs;
  const y = backend.output(v!.shape);
  const coefficients = mamba3Coefficients(backend, inputs, { b, l: 1, h }, true);
  backend.dispatchOver("mamba3Scan/advance", b * h * p * n, 256, {
    params: [b * h * p * n, r, p, n],
    bindings: [coefficients, k, v, lastK, lastV, state],
  });
  backend.dispatchOver("mamba3Scan/readOut", b * h * r * p, 4, {
    constants: { HAS_D: !!D, HAS_Z: !!z },
    params: [b * h * r * p, h, r, p, n],
    bindings: [state, q, v, D, z, lastV, y],
  });
  backend.copyInto(lastK!, 0, k!);
  backend.release(coefficients);
  return [y];
}
