import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** Places of the k largest of each row: k times the largest of those that are left. */
const topK: Kernel<CpuBackend> = (backend, { x }, attrs) => {
  const n = x!.shape.at(-1)!;
  const k = attrs.k as number;
  const y = backend.output([...x!.shape.slice(0, -1), k], "int32");
  const [from, to] = [backend.floats(x!), backend.ints(y)];
  backend.launch(() => {
    const taken = new Uint8Array(n);
    for (let row = 0; row * k < to.length; row++) {
      taken.fill(0);
      for (let slot = 0; slot < k; slot++) {
        let best = -1;
        for (let i = 0; i < n; i++) if (!taken[i] && (best < 0 || from[row * n + i]! > from[row * n + best]!)) best = i;
        taken[best] = 1;
        to[row * k + slot] = best;
      }
    }
  });
  return y;
};

/** Kernels of this room. */
export const kernels: KernelTable<CpuBackend> = { topK };
