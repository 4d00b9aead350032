import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { gemm, rowsOf } from "../../gemm.ts";
import { weightRows } from "../../packedRows.ts";

/** y = x W^T + bias. */
export function linear(backend: CpuBackend, { x, weight, bias }: KernelInputs): TensorInfo[] {
  const [n, k] = weight!.shape as [number, number];
  const lead = x!.shape.slice(0, -1);
  const y = backend.output([...lead, n]); // [..., n]
  const m = lead.reduce((a, b) => a * b, 1);
  const a = rowsOf(backend.floats(x!), k, 0, k, 1);
  const b = weightRows(backend, weight!);
  const offsets = bias ? backend.floats(bias) : undefined;
  const out = backend.floats(y);
  backend.launch(() => gemm({ m, n, k, a, b, bias: offsets, out }));
  return [y];
}
