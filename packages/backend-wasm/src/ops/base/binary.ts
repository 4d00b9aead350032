import {
  BINARY_KERNELS,
  COMPARE_KERNELS,
  broadcastShape,
  type KernelInputs,
  type KernelTable,
  type TensorInfo,
} from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import type { KernelNumber } from "../../binaries.gen.ts";
import { capital, mergeAxes, sizeOf, stridesOf } from "../shapes.ts";

/** Strides of an operand over the broadcast shape: 0 along axes it is repeated over. */
function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]!));
}

function run(backend: WasmBackend, kernel: KernelNumber, a: TensorInfo, b: TensorInfo, out: TensorInfo): TensorInfo {
  const strideA = broadcastStrides(a.shape, out.shape);
  const strideB = broadcastStrides(b.shape, out.shape);
  const axes = mergeAxes(out.shape.map((extent, i) => ({ extent, strides: [strideA[i]!, strideB[i]!] })));
  if (axes.length === 0) axes.push({ extent: sizeOf(out.shape), strides: [1, 1] });
  const words = [backend.at(out), backend.at(a), backend.at(b), axes.length];
  words.push(...axes.map((x) => x.extent), ...axes.map((x) => x.strides[0]!), ...axes.map((x) => x.strides[1]!));
  backend.call(kernel, words, 2 * sizeOf(out.shape));
  return out;
}

function binary(name: string, compares: boolean) {
  return (backend: WasmBackend, { a, b }: KernelInputs): TensorInfo => {
    const dtype = a!.dtype === "float32" ? "float32" : "int32";
    const kernel = `binary${capital(name)}${dtype === "int32" ? "Int" : ""}` as KernelNumber;
    return run(
      backend,
      kernel,
      a!,
      b!,
      backend.output(broadcastShape(name, a!.shape, b!.shape), compares ? "bool" : dtype),
    );
  };
}

/** Kernels of two operands that broadcast. */
export const binaryKernels: KernelTable<WasmBackend> = {
  ...Object.fromEntries(BINARY_KERNELS.map((name) => [name, binary(name, false)])),
  ...Object.fromEntries(COMPARE_KERNELS.map((name) => [name, binary(name, true)])),
  logicalAnd: (backend, { a, b }) =>
    run(backend, "logicalAnd", a!, b!, backend.output(broadcastShape("logicalAnd", a!.shape, b!.shape), "bool")),
};
