import type { KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { sizeOf } from "../shapes.ts";
import { elementwise } from "../unary/index.ts";

/** Kernels that make values or choose between them. */
export const kernels: KernelTable<WasmBackend> = {
  cast: (backend, { x }, { dtype }) => {
    const to = dtype as "float32" | "int32" | "bool";
    if (to === x!.dtype) return backend.alias(x!);
    const y = backend.output(x!.shape, to);
    if (to === "bool") return elementwise(backend, x!.dtype === "float32" ? "castFloatToBool" : "castIntToBool", x!, y);
    if (to === "float32") return elementwise(backend, "castIntToFloat", x!, y);
    if (x!.dtype === "float32") return elementwise(backend, "castFloatToInt", x!, y);
    const count = sizeOf(x!.shape);
    call.copyWords(backend, { out: y, from: x!, count }, count);
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
