import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { Grid } from "../../shader/types.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { sumsOf } from "../shared/sums.ts";
import { unread } from "../shared/wanted.ts";

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

/** y of a norm; `other` is the gate, or the bias of a layer norm. */
export function normForward(
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
  backend.run("rmsNorm/forward", {
    ...rest,
    constants: { ...constants, ...switches },
    buffers: { x: inputs.x!, weight: inputs.weight, other, y },
  });
  return [y];
}

/** Gradients of x, and where present of weight and z. */
export function normBackward(
  backend: WebGpuBackend,
  inputs: KernelInputs,
  groupSize: number,
  eps: number,
  switches: Switches,
  wantsWeight: boolean,
): Record<"x" | "weight" | "z", TensorInfo | undefined> {
  const { x, weight, z, dY } = inputs;
  const dx = backend.output(x!.shape);
  const dz = z ? backend.output(z.shape) : undefined;
  const terms = weight && wantsWeight ? backend.output(x!.shape) : undefined;
  const { constants, ...rest } = spread(backend, inputs, groupSize, eps);
  backend.run("rmsNorm/backward", {
    ...rest,
    constants: { ...constants, ...switches },
    buffers: { x: x!, weight, z, dy: dY!, dx, dz, terms },
  });
  return { x: dx, z: dz, weight: terms ? columnSums(backend, terms, weight!, true) : weight && unread(backend) };
}

/** Sums of x [.., d] over all but the last axis. */
export function columnSums(backend: WebGpuBackend, x: TensorInfo, like: TensorInfo, release: boolean): TensorInfo {
  const d = like.shape[0]!;
  const out = backend.output(like.shape);
  foldAxis(backend, foldOps.sum, x, 1, sizeOf(x.shape) / d, d, out);
  if (release) backend.release(x);
  return out;
}

/** Those that are there. */
export const present = (...tensors: (TensorInfo | undefined)[]): TensorInfo[] => tensors.filter((t) => t !== undefined);
