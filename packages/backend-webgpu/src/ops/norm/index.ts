import type { Kernel, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import type { Constants } from "../../device/pipelines.ts";
import { floatBits, foldGrid } from "../../device/launch.ts";
import { sizeOf } from "../base/fill.ts";
import { foldAxis, foldOps } from "../base/reduce.ts";

/** How the groups of a norm are spread over threads. */
function spread(
  backend: WebGpuBackend,
  { x }: KernelInputs,
  groupSize: number,
  eps: number,
): { constants: Constants; params: number[]; grid: [number, number, number]; suffix: "Subgroups" | "" } {
  const d = x!.shape.at(-1)!;
  const size = groupSize || d;
  const groups = sizeOf(x!.shape) / size;
  const WG = Math.min(256, backend.traits.maxInvocations);
  const LANES = size > 128 ? WG : 32;
  return {
    constants: { WG, LANES },
    params: [groups, size, d, floatBits(eps)],
    grid: foldGrid(Math.ceil(groups / (WG / LANES))),
    suffix: backend.traits.subgroupMin >= 32 ? "Subgroups" : "",
  };
}

function forward(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  other: TensorInfo | undefined,
  groupSize: number,
  eps: number,
  switches: Constants,
): TensorInfo[] {
  const y = backend.output(inputs.x!.shape);
  if (sizeOf(y.shape) === 0) return [y];
  const { constants, params, grid, suffix } = spread(backend, inputs, groupSize, eps);
  backend.dispatch(`norm/forward${suffix}`, {
    constants: { ...constants, ...switches, HAS_WEIGHT: !!inputs.weight, HAS_OTHER: !!other },
    params,
    bindings: [inputs.x, inputs.weight, other, y],
    grid,
  });
  return [y];
}

/** dx, and where present dWeight and dz. */
function backward(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  groupSize: number,
  eps: number,
  switches: Constants,
): Record<"x" | "weight" | "z", TensorInfo | undefined> {
  const { x, weight, z, dY } = inputs;
  const dx = backend.output(x!.shape);
  const dz = z ? backend.output(z.shape) : undefined;
  const terms = weight ? backend.output(x!.shape) : undefined;
  const { constants, params, grid, suffix } = spread(backend, inputs, groupSize, eps);
  backend.dispatch(`norm/backward${suffix}`, {
    constants: { ...constants, ...switches, HAS_WEIGHT: !!weight, HAS_Z: !!z },
    params,
    bindings: [x, weight, z, dY, dx, dz, terms],
    grid,
  });
  return { x: dx, z: dz, weight: terms && columnSums(backend, terms, weight!, true) };
}

/** Sums of x [.., d] over all but the last axis. */
function columnSums(backend: WebGpuBackend, x: TensorInfo, like: TensorInfo, release: boolean): TensorInfo {
  const d = like.shape[0]!;
  const out = backend.output(like.shape);
  foldAxis(backend, foldOps.sum, x, 1, sizeOf(x.shape) / d, d, out);
  if (release) backend.release(x);
  return out;
}

const present = (...tensors: (TensorInfo | undefined)[]): TensorInfo[] => tensors.filter((t) => t !== undefined);

/** rmsNorm and layerNorm with their gradients. */
export const normKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  rmsNorm: (backend, inputs, { eps, groupSize, normBeforeGate }) =>
    forward(backend, inputs, inputs.z, groupSize as number, eps as number, {
      LAYER: false,
      NORM_BEFORE_GATE: !!normBeforeGate,
    }),
  rmsNormGrad: (backend, inputs, { eps, groupSize, normBeforeGate }) => {
    const grads = backward(backend, inputs, groupSize as number, eps as number, {
      LAYER: false,
      NORM_BEFORE_GATE: !!normBeforeGate,
    });
    return present(grads.x, grads.weight, grads.z);
  },
  layerNorm: (backend, inputs, { eps }) => forward(backend, inputs, inputs.bias, 0, eps as number, { LAYER: true }),
  layerNormGrad: (backend, inputs, { eps }) => {
    const grads = backward(backend, inputs, 0, eps as number, { LAYER: true });
    return present(grads.x, grads.weight, inputs.bias && columnSums(backend, inputs.dY!, inputs.bias, false));
  },
};
