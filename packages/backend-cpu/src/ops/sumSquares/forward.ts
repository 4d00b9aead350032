import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** Sum of squares, a scalar. */
export function sumSquares(backend: CpuBackend, { x }: KernelInputs): TensorInfo[] {
  const y = backend.output([]);
  const [xs, out] = [backend.floats(x!), backend.floats(y)];
  backend.launch(() => {
    let sum = 0;
    for (let i = 0; i < xs.length; i++) sum += xs[i]! * xs[i]!;
    out[0] = sum;
  });
  return [y];
}

/** Sum of the squares of all entries of several tensors, a scalar. */
export function squaredNorm(backend: CpuBackend, inputs: KernelInputs): TensorInfo[] {
  const y = backend.output([]);
  const all = Object.values(inputs).map((x) => backend.floats(x!));
  const out = backend.floats(y);
  backend.launch(() => {
    let sum = 0;
    for (const xs of all) for (let i = 0; i < xs.length; i++) sum += xs[i]! * xs[i]!;
    out[0] = sum;
  });
  return [y];
}
