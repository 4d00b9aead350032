import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { skipMode, ssdExtents } from "./chunkedScan.ts";
import { ssdCoefficients } from "./forward.ts";

/** One token of Mamba-2's scan; the state is changed in place. */
export function ssdScanStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { b, h, g, p, n } = ssdExtents(inputs);
  const { x, B, C, D, z, state } = inputs;
  const y = backend.output(x!.shape);
  const coefficients = ssdCoefficients(backend, inputs, attrs, { b, l: 1, h });
  backend.runOver("ssdScan/step", b * h * p, 4, {
    constants: { SKIP: skipMode(D) },
    params: { rows: b * h * p, h, g, p, n },
    buffers: { coefficients, x: x!, B: B!, C: C!, D, z, state: state!, y },
  });
  backend.release(coefficients);
  return [y];
}
