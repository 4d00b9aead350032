import {
  broadcastShape,
  opsIn,
  opTable,
  type KernelInputs,
  type KernelTable,
  type TensorInfo,
} from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, type BinaryIntKernel, type BinaryKernel } from "../../kernels.gen.ts";
import { capital, listAxes, mergeAxes, sizeOf, stridesOf } from "../shapes.ts";

/** Strides of an operand over the broadcast shape: 0 along axes it is repeated over. */
function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
}

function run(
  backend: WasmBackend,
  kernel: BinaryKernel | BinaryIntKernel,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
): TensorInfo {
  const strideA = broadcastStrides(a.shape, out.shape);
  const strideB = broadcastStrides(b.shape, out.shape);
  const axes = mergeAxes(out.shape.map((extent, i) => ({ extent, strides: [strideA[i]!, strideB[i]!] })));
  if (axes.length === 0) axes.push({ extent: sizeOf(out.shape), strides: [1, 1] });
  call[kernel](backend, { out, a, b, ...listAxes(axes) }, 2 * sizeOf(out.shape));
  return out;
}

function binary(name: string) {
  const compares = (opTable[name]!.spec.outputs as { readonly y: string }).y.startsWith("bool");
  return (backend: WasmBackend, { a, b }: KernelInputs): TensorInfo => {
    const dtype = a!.dtype === "float32" ? "float32" : "int32";
    const kernel = `binary${capital(name)}${dtype === "int32" ? "Int" : ""}` as BinaryKernel | BinaryIntKernel;
    const out = backend.output(broadcastShape(name, a!.shape, b!.shape), compares ? "bool" : dtype);
    return run(backend, kernel, a!, b!, out);
  };
}

/** Kernels of two operands that broadcast. */
export const kernels: KernelTable<WasmBackend> = {
  ...Object.fromEntries(
    opsIn("binary")
      .filter((name) => `binary${capital(name)}` in call)
      .map((name) => [name, binary(name)]),
  ),
  logicalAnd: (backend, { a, b }) =>
    run(backend, "logicalAnd", a!, b!, backend.output(broadcastShape("logicalAnd", a!.shape, b!.shape), "bool")),
};
