import type { Kernel, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { Grid } from "../../shader/types.ts";
import { foldAxis, foldOps } from "../reduce/index.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { sumsOf } from "../shared/sums.ts";

/** Which norm it is. */
interface Switches {
  readonly LAYER: boolean;
  readonly NORM_BEFORE_GATE?: boolean;
}

interface Spread {
  readonly variant: { readonly SUMS: "workgroup" | "subgroup" };
  readonly constants: { readonly WG: number; readonly LANES: number };
  readonly params: { readonly groups: number; readonly size: number; readonly d: number; readonly eps: number };
  readonly grid: Grid;
}

/** How the groups of a norm are spread over threads. */
function spread(backend: WebGpuBackend, { x }: KernelInputs, groupSize: number, eps: number): Spread {
  const d = x!.shape.at(-1)!;
  const size = groupSize || d;
  const groups = sizeOf(x!.shape) / size;
  const WG = Math.min(256, backend.traits.maxInvocations);
  const LANES = size > 128 ? WG : 32;
  return {
    variant: { SUMS: sumsOf(backend.traits) },
    constants: { WG, LANES },
    params: { groups, size, d, eps },
    grid: foldGrid(Math.ceil(groups / (WG / LANES))),
  };
}

function forward(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  other: TensorInfo | undefined,
  groupSize: number,
  eps: number,
  switches: Switches,
): TensorInfo[] {
  const y = backend.output(inputs.x!.shape);
  if (sizeOf(y.shape) === 0) return [y];
  const { constants, ...rest } = spread(backend, inputs, groupSize, eps);
  backend.run("norm/forward", {
    ...rest,
    constants: { ...constants, ...switches },
    buffers: { x: inputs.x!, weight: inputs.weight, other, y },
  });
  return [y];
}

/** dx, and where present dWeight and dz. */
function backward(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  groupSize: number,
  eps: number,
  switches: Switches,
): Record<"x" | "weight" | "z", TensorInfo | undefined> {
  const { x, weight, z, dY } = inputs;
  const dx = backend.output(x!.shape);
  const dz = z ? backend.output(z.shape) : undefined;
  const terms = weight ? backend.output(x!.shape) : undefined;
  const { constants, ...rest } = spread(backend, inputs, groupSize, eps);
  backend.run("norm/backward", {
    ...rest,
    constants: { ...constants, ...switches },
    buffers: { x: x!, weight, z, dy: dY!, dx, dz, terms },
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
