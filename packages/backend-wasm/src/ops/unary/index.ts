import { opsIn, type KernelInputs, type KernelTable, type TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, type UnaryIntKernel, type UnaryKernel } from "../../kernels.gen.ts";
import { capital, sizeOf } from "../shapes.ts";

/** Elementary operations an element takes, roughly: only for deciding about threads. */
const COST = 8;

/** Kernels of one operand that take no settings. */
type ElementwiseKernel = UnaryKernel | UnaryIntKernel | "castFloatToInt";

/** Runs a kernel over every element of `from`, into y. */
export function elementwise(
  backend: WasmBackend,
  kernel: ElementwiseKernel,
  from: TensorInfo,
  y: TensorInfo,
  cost = 1,
): TensorInfo {
  const count = sizeOf(from.shape);
  call[kernel](backend, { y, from, count }, cost * count);
  return y;
}

function unary(name: string) {
  return (backend: WasmBackend, { x }: KernelInputs): TensorInfo => {
    const ints = x!.dtype === "int32";
    // The ops let only neg, abs and square through for integers.
    const kernel = ints ? (`unary${capital(name)}Int` as UnaryIntKernel) : (`unary${capital(name)}` as UnaryKernel);
    return elementwise(backend, kernel, x!, backend.output(x!.shape, ints ? "int32" : "float32"), COST);
  };
}

/** Kernels of one operand of the same shape. */
export const kernels: KernelTable<WasmBackend> = {
  ...Object.fromEntries(
    opsIn("unary")
      .filter((name) => `unary${capital(name)}` in call)
      .map((name) => [name, unary(name)]),
  ),
  logicalNot: (backend, { x }) => elementwise(backend, "logicalNot", x!, backend.output(x!.shape, "bool")),
  clip: (backend, { x }, { min, max }) => {
    const y = backend.output(x!.shape);
    const count = sizeOf(x!.shape);
    call.clip(backend, { y, from: x!, count, min: min as number, max: max as number }, count);
    return y;
  },
};
