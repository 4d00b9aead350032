import { UNARY_KERNELS, type KernelInputs, type KernelTable, type TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";
import type { KernelNumber } from "../../binaries.gen.ts";
import { capital, sizeOf } from "../shapes.ts";

/** Elementary operations an element takes, roughly: only for deciding about threads. */
const COST = 8;

function unary(name: (typeof UNARY_KERNELS)[number]) {
  return (backend: WasmBackend, { x }: KernelInputs): TensorInfo => {
    const dtype = x!.dtype === "int32" ? "int32" : "float32";
    const kernel = `unary${capital(name)}${dtype === "int32" ? "Int" : ""}` as KernelNumber;
    const out = backend.output(x!.shape, dtype);
    const count = sizeOf(x!.shape);
    backend.call(kernel, [backend.at(out), backend.at(x!), count], COST * count);
    return out;
  };
}

function castKernel(from: string, to: string): KernelNumber {
  if (to === "bool") return from === "float32" ? "castFloatToBool" : "castIntToBool";
  if (to === "float32") return "castIntToFloat";
  return from === "float32" ? "castFloatToInt" : "copyWords";
}

/** Kernels of one operand of the same shape. */
export const unaryKernels: KernelTable<WasmBackend> = {
  ...Object.fromEntries(UNARY_KERNELS.map((name) => [name, unary(name)])),
  logicalNot: (backend, { x }) => {
    const out = backend.output(x!.shape, "bool");
    const count = sizeOf(x!.shape);
    backend.call("logicalNot", [backend.at(out), backend.at(x!), count], count);
    return out;
  },
  cast: (backend, { x }, { dtype }) => {
    const to = dtype as "float32" | "int32" | "bool";
    if (to === x!.dtype) return backend.alias(x!);
    const out = backend.output(x!.shape, to);
    const count = sizeOf(x!.shape);
    backend.call(castKernel(x!.dtype, to), [backend.at(out), backend.at(x!), count], count);
    return out;
  },
  clip: (backend, { x }, { min, max }) => {
    const out = backend.output(x!.shape);
    const count = sizeOf(x!.shape);
    backend.call(
      "clip",
      [backend.at(out), backend.at(x!), count, floatWord(min as number), floatWord(max as number)],
      count,
    );
    return out;
  },
  full: (backend, _, { shape, value, dtype }) => {
    const out = backend.output(shape as number[], (dtype ?? "float32") as "float32");
    const word = out.dtype === "float32" ? floatWord(value as number) : Number(value);
    const count = sizeOf(out.shape);
    backend.call("fill", [backend.at(out), word, count], count);
    return out;
  },
  where: (backend, { condition, t, e }) => {
    const out = backend.output(t!.shape, t!.dtype as "float32");
    const count = sizeOf(t!.shape);
    backend.call(
      "selectWords",
      [backend.at(out), backend.at(condition!), backend.at(t!), backend.at(e!), count],
      2 * count,
    );
    return out;
  },
};
