import { type DType } from "@statespace/core";
import { broadcastShape, type Kernel, type KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { broadcastStrides, eachRun, makeLoop, rowMajor } from "../../strided.ts";

/** `result` is the dtype of the output, that of the inputs by default; `whole` is what is done with int32, the same by default. */
function binary(
  plain: (a: number, b: number) => number,
  result?: DType,
  whole: (a: number, b: number) => number = plain,
): Kernel<CpuBackend> {
  return (backend, { a, b }) => {
    const f = a!.dtype === "float32" ? plain : whole;
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

/** As in C and NumPy: 1 to any power and -1 to an infinite one are 1, where JavaScript has NaN. */
const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** a^b of 32 bits by squaring, which wraps around as a product does; cut toward zero where b < 0. */
function wholePower(a: number, b: number): number {
  if (b < 0) return Math.trunc(a ** b);
  let result = 1;
  for (let rest = b, square = a; rest > 0; rest = Math.floor(rest / 2), square = Math.imul(square, square))
    if (rest % 2 === 1) result = Math.imul(result, square);
  return result;
}

/** Two operands, broadcast as in NumPy; a quotient of int32 is cut toward zero. */
export const kernels: KernelTable<CpuBackend> = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b, undefined, Math.imul),
  div: binary((a, b) => a / b),
  maximum: binary((a, b) => Math.max(a, b)),
  minimum: binary((a, b) => Math.min(a, b)),
  pow: binary(power, undefined, wholePower),
  equal: compare((a, b) => a === b),
  notEqual: compare((a, b) => a !== b),
  less: compare((a, b) => a < b),
  lessEqual: compare((a, b) => a <= b),
  greater: compare((a, b) => a > b),
  greaterEqual: compare((a, b) => a >= b),
  logicalAnd: compare((a, b) => a !== 0 && b !== 0),
};
