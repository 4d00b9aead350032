import type { Kernel } from "@statespace/core";
import type { CpuBackend } from "../../backend.ts";
import { erf, gelu, sigmoid, silu, softplus } from "../../math.ts";

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

function unary(f: (x: number) => number): Kernel<CpuBackend> {
  return (backend, { x }) => {
    const y = backend.output(x!.shape, x!.dtype as "float32" | "int32");
    const from = backend.numbers(x!);
    const to = backend.numbers(y);
    backend.launch(() => {
      for (let i = 0; i < from.length; i++) to[i] = f(from[i]!);
    });
    return y;
  };
}

/** Elementwise functions, computed in float64 and rounded once. */
export const unaryKernels: Readonly<Record<string, Kernel<CpuBackend>>> = {
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Exp: unary(Math.exp),
  Expm1: unary(Math.expm1),
  Log: unary(Math.log),
  Log1p: unary(Math.log1p),
  Sqrt: unary(Math.sqrt),
  Rsqrt: unary((x) => 1 / Math.sqrt(x)),
  Square: unary((x) => x * x),
  Reciprocal: unary((x) => 1 / x),
  Sigmoid: unary(sigmoid),
  Tanh: unary(Math.tanh),
  Softplus: unary(softplus),
  Relu: unary((x) => Math.max(x, 0)),
  Silu: unary(silu),
  Gelu: unary(gelu),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Erf: unary(erf),
  Sign: unary(Math.sign),
  Floor: unary(Math.floor),
  Round: unary(roundHalfEven),
  LogicalNot: unary((x) => (x === 0 ? 1 : 0)),
  ClipByValue: (backend, { x }, { min, max }) => {
    const [low, high] = [min as number, max as number];
    return unary((value) => Math.min(Math.max(value, low), high))(backend, { x: x! }, {});
  },
};
