import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** destination := source, in place. */
export function copy(backend: CpuBackend, { destination, source }: KernelInputs): TensorInfo[] {
  const [to, from] = [backend.numbers(destination!), backend.numbers(source!)];
  backend.launch(() => to.set(from));
  return [];
}
