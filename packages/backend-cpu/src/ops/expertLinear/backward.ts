import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { choicesByExpert } from "./choices.ts";

/** dX_r = the sum over s of W_(ids_rs)^T dY_rs; dW_e = the sum over the choices of e of dY_rs x_r^T. */
export function expertLinearGrad(backend: CpuBackend, { x, weight, ids, dY }: KernelInputs): TensorInfo[] {
  const [e, n, k] = weight!.shape as [number, number, number];
  const s = ids!.shape.at(-1)!;
  const [dX, dWeight] = [backend.output(x!.shape), backend.output(weight!.shape)];
  const [xs, weights, dy] = [backend.floats(x!), backend.floats(weight!), backend.floats(dY!)];
  const [dxs, dws, chosen] = [backend.floats(dX), backend.floats(dWeight), backend.ints(ids!)];
  backend.launch(() => {
    const toX = new Float64Array(dxs.length);
    const toRow = new Float64Array(k);
    choicesByExpert(chosen, e).forEach((choices, expert) => {
      for (let j = 0; j < n; j++) {
        const row = (expert * n + j) * k;
        toRow.fill(0);
        for (const choice of choices) {
          const from = Math.floor(choice / s) * k;
          const upstream = dy[choice * n + j]!;
          for (let i = 0; i < k; i++) {
            toX[from + i]! += upstream * weights[row + i]!;
            toRow[i]! += upstream * xs[from + i]!;
          }
        }
        dws.set(toRow, row);
      }
    });
    dxs.set(toX);
  });
  return [dX, dWeight];
}
