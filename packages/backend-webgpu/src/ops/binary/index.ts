import { type DType } from "@statespace/core";
import { broadcastShape, type Kernel, type KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { broadcastStrides, collapse } from "../shared/strides.ts";

/** In the order of the switch in binary.wgsl. */
export const binaryOps = [
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "minimum",
  "pow",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "logicalAnd",
] as const;
const firstComparison = binaryOps.indexOf("equal");

function binary(OP: number): Kernel<WebGpuBackend> {
  return (backend, { a, b }) => {
    const shape = broadcastShape(binaryOps[OP]!, a!.shape, b!.shape);
    const y = backend.output(shape, OP >= firstComparison ? "bool" : (a!.dtype as DType));
    const dims = collapse(shape, [broadcastStrides(a!.shape, shape), broadcastStrides(b!.shape, shape)]);
    const size = sizeOf(shape);
    backend.runOver("binary/binary", size, 256, {
      constants: { OP, INT: a!.dtype !== "float32", RANK: dims.length },
      params: { size, dims: dims.flatMap(({ extent, strides }) => [extent, strides[0]!, strides[1]!, 0]) },
      buffers: { a: a!, b: b!, y },
    });
    return y;
  };
}

/** The sum of two tensors, broadcast. */
export const add: Kernel<WebGpuBackend> = binary(binaryOps.indexOf("add"));

/** Functions of two operands, broadcast. */
export const kernels: KernelTable<WebGpuBackend> = {
  ...Object.fromEntries(binaryOps.map((name, i) => [name, binary(i)])),
  add,
};
