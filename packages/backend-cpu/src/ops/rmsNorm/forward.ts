import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu } from "../../math.ts";

/** y = x / rms(x) weight over groups of the last axis, gated by silu(z) before or after. */
export function rmsNorm(backend: CpuBackend, { x, weight, z }: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const size = (attrs.groupSize as number) || d;
  const eps = attrs.eps as number;
  const y = backend.output(x!.shape);
  const [xs, out] = [backend.floats(x!), backend.floats(y)];
  const weights = weight && backend.floats(weight);
  const gates = z && backend.floats(z);
  backend.launch(() => {
    const gated = new Float64Array(size);
    for (let from = 0; from < xs.length; from += size) {
      let squares = 0;
      for (let i = 0; i < size; i++) {
        const value = gates && !attrs.normBeforeGate ? xs[from + i]! * silu(gates[from + i]!) : xs[from + i]!;
        gated[i] = value;
        squares += value * value;
      }
      const scale = 1 / Math.sqrt(squares / size + eps);
      for (let i = 0; i < size; i++) {
        const weighted = gated[i]! * scale * (weights ? weights[(from + i) % d]! : 1);
        out[from + i] = gates && attrs.normBeforeGate ? weighted * silu(gates[from + i]!) : weighted;
      }
    }
  });
  return [y];
}
