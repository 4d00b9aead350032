import { broadcastShape, type DType, type Kernel, type TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { floatBits } from "../../device/launch.ts";
import { sizeOf } from "./fill.ts";
import { broadcastStrides, collapse } from "./strides.ts";

/** In the order of the switch in unary.wgsl. */
const unaryOps = [
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

/** In the order of the switch in binary.wgsl. */
const binaryOps = [
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

function unary(OP: number): Kernel<WebGpuBackend> {
  return (backend, { x }, { min, max }) => {
    const y = backend.output(x!.shape, x!.dtype as DType);
    const size = sizeOf(x!.shape);
    // A range that is open on one side ends at the largest float: WGSL knows no infinities.
    const bound = (value: unknown): number =>
      floatBits(Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, Number(value ?? 0))));
    backend.dispatchOver("base/unary", size, 256, {
      constants: { OP, INT: x!.dtype !== "float32" },
      params: [size, bound(min), bound(max)],
      bindings: [x, y],
    });
    return y;
  };
}

function binary(OP: number): Kernel<WebGpuBackend> {
  return (backend, { a, b }) => {
    const shape = broadcastShape(binaryOps[OP]!, a!.shape, b!.shape);
    const y = backend.output(shape, OP >= firstComparison ? "bool" : (a!.dtype as DType));
    const dims = collapse(shape, [broadcastStrides(a!.shape, shape), broadcastStrides(b!.shape, shape)]);
    const size = sizeOf(shape);
    backend.dispatchOver("base/binary", size, 256, {
      constants: { OP, INT: a!.dtype !== "float32", RANK: dims.length },
      params: [size, 0, 0, 0, ...dims.flatMap(({ extent, strides }) => [extent, strides[0]!, strides[1]!, 0])],
      bindings: [a, b, y],
    });
    return y;
  };
}

const castModes: Readonly<Record<string, number>> = {
  "float32 int32": 1,
  "int32 float32": 2,
  "bool float32": 2,
  "float32 bool": 3,
  "int32 bool": 4,
};

const cast: Kernel<WebGpuBackend> = (backend, { x }, { dtype }) => {
  const mode = castModes[`${x!.dtype} ${dtype as string}`];
  if (mode === undefined) return { ...backend.alias(x!), dtype: dtype as DType };
  return select(backend, mode, undefined, x!, undefined, dtype as DType);
};

function select(
  backend: WebGpuBackend,
  MODE: number,
  condition: TensorInfo | undefined,
  t: TensorInfo,
  e: TensorInfo | undefined,
  dtype: DType,
): TensorInfo {
  const y = backend.output(t.shape, dtype);
  const size = sizeOf(t.shape);
  backend.dispatchOver("base/select", size, 256, {
    constants: { MODE },
    params: [size],
    bindings: [condition, t, e, y],
  });
  return y;
}

/** Kernels that work element by element. */
export const elementwiseKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  ...Object.fromEntries(unaryOps.map((name, i) => [name, unary(i)])),
  ...Object.fromEntries(binaryOps.map((name, i) => [name, binary(i)])),
  cast,
  where: (backend, { condition, t, e }) => select(backend, 0, condition, t!, e, t!.dtype as DType),
};
