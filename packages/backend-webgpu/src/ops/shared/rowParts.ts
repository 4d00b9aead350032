import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";

/** Rows of a part are a multiple of this, so that parts of anything with a value a row begin where the device can bind. */
const rowUnit = 64;

/** Runs `use` on a tensor [n, ..] of 4 bytes an element, or on its parts by rows where the whole is too large for one binding. */
export function forRowParts(
  backend: WebGpuBackend,
  weight: TensorInfo,
  use: (part: TensorInfo, first: number, rows: number) => void,
): void {
  const [n, ...rest] = weight.shape as [number, ...number[]];
  const k = rest.reduce((a, b) => a * b, 1);
  if (4 * n * k <= backend.traits.maxBinding) {
    use(weight, 0, n);
    return;
  }
  const rows = Math.max(rowUnit, Math.floor(backend.traits.maxBinding / (4 * k * rowUnit)) * rowUnit);
  for (let first = 0; first < n; first += rows) {
    const count = Math.min(rows, n - first);
    const part = backend.view(weight, [count, ...rest], first * k);
    use(part, first, count);
    backend.release(part);
  }
}
