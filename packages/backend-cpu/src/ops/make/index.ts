import type { DType } from "@statespace/core";
import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

const full: Kernel<CpuBackend> = (backend, _, attrs) => {
  const y = backend.output(attrs.shape as number[], attrs.dtype as DType);
  const to = backend.numbers(y);
  backend.launch(() => {
    to.fill(attrs.value as number);
  });
  return y;
};

const cast: Kernel<CpuBackend> = (backend, { x }, attrs) => {
  const dtype = attrs.dtype as DType;
  const y = backend.output(x!.shape, dtype);
  const [from, to] = [backend.numbers(x!), backend.numbers(y)];
  backend.launch(() => {
    if (dtype === "bool") for (let i = 0; i < from.length; i++) to[i] = from[i] === 0 ? 0 : 1;
    else to.set(from); // storing into an Int32Array cuts toward zero
  });
  return y;
};

const where: Kernel<CpuBackend> = (backend, { condition, t, e }) => {
  const y = backend.output(t!.shape, t!.dtype as DType);
  const [holds, yes, no, to] = [backend.ints(condition!), backend.numbers(t!), backend.numbers(e!), backend.numbers(y)];
  backend.launch(() => {
    for (let i = 0; i < to.length; i++) to[i] = holds[i] !== 0 ? yes[i]! : no[i]!;
  });
  return y;
};

/** Kernels that make values or choose between them. */
export const kernels: KernelTable<CpuBackend> = { full, cast, where };
