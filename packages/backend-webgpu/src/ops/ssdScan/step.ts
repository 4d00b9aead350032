import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { skipMode, ssdExtents } from "./chunkedScan.ts";
import { ssdCoefficients, stepLimits } from "./forward.ts";

/** One token of Mamba-2's scan; the state is changed in place. */
export function ssdScanStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { b, h, g, p, n } = ssdExtents(inputs);
  const { x, B, C, D, z, state, dt, A, dtBias } = inputs;
  const y = backend.output(x!.shape);
  const constants = { SKIP: skipMode(D) };
  const params = { rows: b * h * p, h, g, p, n, ...stepLimits(attrs) };
  const buffers = { x: x!, B: B!, C: C!, D, z, state: state!, y };
  if (backend.traits.maxStorageBuffers >= 10) {
    backend.runOver("ssdScan/step", b * h * p, 4, {
      variant: { OPERANDS: "apart" },
      constants: { ...constants, SOFTPLUS: !!attrs.dtSoftplus },
      params,
      buffers: { ...buffers, dt: dt!, A: A!, dtBias },
    });
    return [y];
  }
  const coefficients = ssdCoefficients(backend, inputs, attrs, { b, l: 1, h });
  backend.runOver("ssdScan/step", b * h * p, 4, {
    variant: { OPERANDS: "made" },
    constants,
    params,
    buffers: { ...buffers, coefficients },
  });
  backend.release(coefficients);
  return [y];
}
