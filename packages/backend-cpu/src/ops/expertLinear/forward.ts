import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { weightRows } from "../../packedRows.ts";
import { choicesByExpert } from "./choices.ts";

/** y_rs = W_(ids_rs) x_r; each row of a chosen expert is read once. */
export function expertLinear(backend: CpuBackend, { x, weight, ids }: KernelInputs): TensorInfo[] {
  const [e, n, k] = weight!.shape as [number, number, number];
  const s = ids!.shape.at(-1)!;
  const y = backend.output([...ids!.shape, n]); // [..., s, n]
  const [xs, chosen, out] = [backend.floats(x!), backend.ints(ids!), backend.floats(y)];
  const rows = weightRows(backend, weight!);
  backend.launch(() => {
    const row = new Float64Array(k);
    out.fill(0);
    choicesByExpert(chosen, e).forEach((choices, expert) => {
      if (choices.length === 0) return;
      for (let j = 0; j < n; j++) {
        rows.load(expert * n + j, row, 0, 1);
        for (const choice of choices) {
          const from = Math.floor(choice / s) * k;
          let dot = 0;
          for (let i = 0; i < k; i++) dot += row[i]! * xs[from + i]!;
          out[choice * n + j] = dot;
        }
      }
    });
  });
  return [y];
}
