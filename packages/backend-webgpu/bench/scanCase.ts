import { readFloats, tensor, type Tensor } from "@statespace/core";
import { runKernel } from "@statespace/core/backend";
import { uniform } from "./random.ts";

/** What a scan case contains. */
export interface ScanCase {
  b: number;
  l: number;
  d: number;
  n: number;
  g?: number;
  z?: boolean;
  D?: boolean;
  bias?: boolean;
  initial?: boolean;
  seq?: boolean;
  softplus?: boolean;
}

/** Inputs in the range a trained block sees. */
export function scanInputs(c: ScanCase): Record<string, Tensor> {
  const { b, l, d, n, g } = c;
  const bc = g ? [b, l, g, n] : [b, l, n];
  const size = bc.reduce((x, y) => x * y, 1);
  return {
    u: tensor(uniform(1, b * l * d), [b, l, d]),
    delta: tensor(uniform(2, b * l * d, c.softplus ? -4 : 0.001, c.softplus ? 1 : 0.2), [b, l, d]),
    A: tensor(uniform(3, d * n, -4, -0.2), [d, n]),
    B: tensor(uniform(4, size), bc),
    C: tensor(uniform(5, size), bc),
    ...(c.D ? { D: tensor(uniform(6, d), [d]) } : {}),
    ...(c.z ? { z: tensor(uniform(7, b * l * d, -2, 2), [b, l, d]) } : {}),
    ...(c.bias ? { deltaBias: tensor(uniform(8, d), [d]) } : {}),
    ...(c.initial ? { initialState: tensor(uniform(9, b * d * n), [b, d, n]) } : {}),
    ...(c.seq
      ? {
          seqIdx: tensor(
            Int32Array.from({ length: b * l }, (_, i) => Math.floor((i % l) / 7)),
            [b, l],
          ),
        }
      : {}),
  };
}

/** Outputs and every gradient on the backend that is set. */
export async function scanResults(c: ScanCase): Promise<Record<string, Float32Array>> {
  const inputs = scanInputs(c);
  const { b, l, d, n } = c;
  const dY = tensor(uniform(10, b * l * d), [b, l, d]);
  const dLast = tensor(uniform(11, b * d * n), [b, d, n]);
  const names = Object.keys(inputs).filter((name) => name !== "seqIdx");
  const attrs = { deltaSoftplus: !!c.softplus, returnLastState: true };
  const [y, lastState] = runKernel("selectiveScan", inputs, attrs);
  const grads = runKernel("selectiveScanGrad", { ...inputs, dY, dLastState: dLast }, attrs);
  const kept: Record<string, Tensor> = { y: y!, lastState: lastState! };
  grads.forEach((grad, i) => (kept[`d${names[i]}`] = grad));
  const results: Record<string, Float32Array> = {};
  for (const [name, t] of Object.entries(kept)) results[name] = await readFloats(t);
  for (const t of [...Object.values(kept), ...Object.values(inputs), dY, dLast]) t.dispose();
  return results;
}
