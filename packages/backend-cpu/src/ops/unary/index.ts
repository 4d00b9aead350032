import type { Kernel, KernelTable } from "@statespace/core/backend";
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
export const kernels: KernelTable<CpuBackend> = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  expm1: unary(Math.expm1),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  square: unary((x) => x * x),
  reciprocal: unary((x) => 1 / x),
  sigmoid: unary(sigmoid),
  tanh: unary(Math.tanh),
  softplus: unary(softplus),
  relu: unary((x) => Math.max(x, 0)),
  silu: unary(silu),
  gelu: unary(gelu),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  erf: unary(erf),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  round: unary(roundHalfEven),
  logicalNot: unary((x) => (x === 0 ? 1 : 0)),
  clip: (backend, { x }, { min, max }) => {
    const [low, high] = [min as number, max as number];
    return unary((value) => Math.min(Math.max(value, low), high))(backend, { x: x! }, {});
  },
};
