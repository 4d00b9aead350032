import { UNARY_KERNELS, type KernelInputs, type KernelTable, type TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { call, type UnaryIntKernel, type UnaryKernel } from "../../kernels.gen.ts";
import { capital, sizeOf } from "../shapes.ts";

/** Elementary operations an element takes, roughly: only for deciding about threads. */
const COST = 8;

function run(
  backend: WasmBackend,
  kernel: UnaryKernel | UnaryIntKernel | "castFloatToInt",
  from: TensorInfo,
  y: TensorInfo,
  cost = 1,
): TensorInfo {
  const count = sizeOf(from.shape);
  call[kernel](backend, { y, from, count }, cost * count);
  return y;
}

function unary(name: (typeof UNARY_KERNELS)[number]) {
  return (backend: WasmBackend, { x }: KernelInputs): TensorInfo => {
    const ints = x!.dtype === "int32";
    // The ops let only neg, abs and square through for integers.
    const kernel = ints ? (`unary${capital(name)}Int` as UnaryIntKernel) : (`unary${capital(name)}` as const);
    return run(backend, kernel, x!, backend.output(x!.shape, ints ? "int32" : "float32"), COST);
  };
}

/** Kernels of one operand of the same shape. */
export const unaryKernels: KernelTable<WasmBackend> = {
  ...Object.fromEntries(UNARY_KERNELS.map((name) => [name, unary(name)])),
  logicalNot: (backend, { x }) => run(backend, "logicalNot", x!, backend.output(x!.shape, "bool")),
  cast: (backend, { x }, { dtype }) => {
    const to = dtype as "float32" | "int32" | "bool";
    if (to === x!.dtype) return backend.alias(x!);
    const y = backend.output(x!.shape, to);
    if (to === "bool") return run(backend, x!.dtype === "float32" ? "castFloatToBool" : "castIntToBool", x!, y);
    if (to === "float32") return run(backend, "castIntToFloat", x!, y);
    if (x!.dtype === "float32") return run(backend, "castFloatToInt", x!, y);
    const count = sizeOf(x!.shape);
    call.copyWords(backend, { out: y, from: x!, count }, count);
    return y;
  },
  clip: (backend, { x }, { min, max }) => {
    const y = backend.output(x!.shape);
    const count = sizeOf(x!.shape);
    call.clip(backend, { y, from: x!, count, min: min as number, max: max as number }, count);
    return y;
  },
  full: (backend, _, { shape, value, dtype }) =>
    filled(backend, backend.output(shape as number[], (dtype ?? "float32") as "float32"), value),
  where: (backend, { condition, t, e }) => {
    const out = backend.output(t!.shape, t!.dtype as "float32");
    const count = sizeOf(t!.shape);
    call.selectWords(backend, { out, condition: condition!, t: t!, e: e!, count }, 2 * count);
    return out;
  },
};

/** A tensor with one value everywhere. */
export function filled(backend: WasmBackend, y: TensorInfo, value: unknown): TensorInfo {
  const count = sizeOf(y.shape);
  if (y.dtype === "float32") call.fill(backend, { y, value: value as number, count }, count);
  else call.fillInt(backend, { y, value: Number(value), count }, count);
  return y;
}
