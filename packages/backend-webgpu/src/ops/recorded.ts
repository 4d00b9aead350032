import type { KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../backend.ts";

/** The kernels of a table, each noted by its name while a graph is captured. */
export function recorded(table: KernelTable<WebGpuBackend>): KernelTable<WebGpuBackend> {
  return Object.fromEntries(
    Object.entries(table).map(([name, kernel]) => [
      name,
      (backend, inputs, attrs) => backend.record(name, inputs, attrs, () => kernel(backend, inputs, attrs)),
    ]),
  );
}
