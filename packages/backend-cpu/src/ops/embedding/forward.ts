import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { weightRows } from "../../packedRows.ts";

/** Row ids[i] of the weight, for each i. */
export function embedding(backend: CpuBackend, { ids, weight }: KernelInputs): TensorInfo[] {
  const [v, d] = weight!.shape as [number, number];
  const y = backend.output([...ids!.shape, d]); // [..., d]
  const table = weightRows(backend, weight!);
  const [rows, out] = [backend.ints(ids!), backend.floats(y)];
  backend.launch(() => {
    const row = new Float64Array(d);
    for (let i = 0; i < rows.length; i++) {
      if (rows[i]! < 0 || rows[i]! >= v) row.fill(Number.NaN);
      else table.load(rows[i]!, row, 0, 1);
      out.set(row, i * d);
    }
  });
  return [y];
}
