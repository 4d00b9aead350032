import type { DType } from "@statespace/core";
import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { finite } from "../shared/finite.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** In the order of the switch in unary.wgsl. */
export const unaryOps = [
  "neg",
  "abs",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "rsqrt",
  "square",
  "reciprocal",
  "sigmoid",
  "tanh",
  "softplus",
  "relu",
  "silu",
  "gelu",
  "sin",
  "cos",
  "erf",
  "sign",
  "floor",
  "round",
  "clip",
  "logicalNot",
] as const;

function unary(OP: number): Kernel<WebGpuBackend> {
  return (backend, { x }, { min, max }) => {
    const y = backend.output(x!.shape, x!.dtype as DType);
    const size = sizeOf(x!.shape);
    backend.runOver("unary/unary", size, 256, {
      constants: { OP, INT: x!.dtype !== "float32" },
      // A range may be open on one side.
      params: { size, low: finite(Number(min ?? 0)), high: finite(Number(max ?? 0)) },
      buffers: { x: x!, y },
    });
    return y;
  };
}

/** Functions of one operand, element by element. */
export const kernels: KernelTable<WebGpuBackend> = Object.fromEntries(unaryOps.map((name, i) => [name, unary(i)]));
