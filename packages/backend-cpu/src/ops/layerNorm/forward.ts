import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { moments } from "./moments.ts";

/** y = (x - mean) / sqrt(var + eps) weight + bias over the last axis. */
export function layerNorm(backend: CpuBackend, { x, weight, bias }: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const y = backend.output(x!.shape);
  const [xs, out] = [backend.floats(x!), backend.floats(y)];
  const weights = weight && backend.floats(weight);
  const offsets = bias && backend.floats(bias);
  backend.launch(() => {
    for (let from = 0; from < xs.length; from += d) {
      const { mean, scale } = moments(xs, from, d, attrs.eps as number);
      for (let i = 0; i < d; i++) {
        out[from + i] = (xs[from + i]! - mean) * scale * (weights ? weights[i]! : 1) + (offsets ? offsets[i]! : 0);
      }
    }
  });
  return [y];
}
