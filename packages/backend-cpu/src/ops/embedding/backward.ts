import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** dWeight[ids[i]] += dY[i]; rows that were not looked up get zero. */
export function embeddingGrad(backend: CpuBackend, { ids, weight, dY }: KernelInputs): TensorInfo[] {
  const [v, d] = weight!.shape as [number, number];
  const dWeight = backend.output([v, d]);
  const [rows, dy, out] = [backend.ints(ids!), backend.floats(dY!), backend.floats(dWeight)];
  backend.launch(() => {
    const sums = new Float64Array(v * d);
    for (let i = 0; i < rows.length; i++) {
      if (rows[i]! < 0 || rows[i]! >= v) continue;
      for (let c = 0; c < d; c++) sums[rows[i]! * d + c]! += dy[i * d + c]!;
    }
    out.set(sums);
  });
  return [dWeight];
}
