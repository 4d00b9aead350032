import { broadcastShape, type DType, type Kernel } from "@statespace/core";
import type { CpuBackend } from "../../backend.ts";
import { broadcastStrides, eachRun, makeLoop, rowMajor } from "../../strided.ts";

/** `result` is the dtype of the output; that of the inputs by default. */
function binary(f: (a: number, b: number) => number, result?: DType): Kernel<CpuBackend> {
  return (backend, { a, b }) => {
    const shape = broadcastShape("binary", a!.shape, b!.shape);
    const y = backend.output(shape, result ?? (a!.dtype as DType));
    const loop = makeLoop(shape, [
      rowMajor(shape),
      broadcastStrides(a!.shape, shape),
      broadcastStrides(b!.shape, shape),
    ]);
    const [left, right, out] = [backend.numbers(a!), backend.numbers(b!), backend.numbers(y)];
    const run = loop.shape.at(-1)!;
    const stepA = loop.strides[1]!.at(-1)!;
    const stepB = loop.strides[2]!.at(-1)!;
    backend.launch(() =>
      eachRun(loop, ([at, p, q]) => {
        for (let i = 0; i < run; i++) out[at! + i] = f(left[p! + i * stepA]!, right[q! + i * stepB]!);
      }),
    );
    return y;
  };
}

const compare = (f: (a: number, b: number) => boolean): Kernel<CpuBackend> =>
  binary((a, b) => (f(a, b) ? 1 : 0), "bool");

/** Two operands, broadcast as in NumPy; a quotient of int32 is cut toward zero. */
export const binaryKernels: Readonly<Record<string, Kernel<CpuBackend>>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Multiply: binary((a, b) => a * b),
  RealDiv: binary((a, b) => a / b),
  Maximum: binary((a, b) => Math.max(a, b)),
  Minimum: binary((a, b) => Math.min(a, b)),
  Pow: binary((a, b) => a ** b),
  Equal: compare((a, b) => a === b),
  NotEqual: compare((a, b) => a !== b),
  Less: compare((a, b) => a < b),
  LessEqual: compare((a, b) => a <= b),
  Greater: compare((a, b) => a > b),
  GreaterEqual: compare((a, b) => a >= b),
  LogicalAnd: compare((a, b) => a !== 0 && b !== 0),
};
