import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { silu, siluGradient } from "../../math.ts";

/**
 * With g the (gated) input, s = 1 / rms(g), h = g s and dh the gradient of h: dg = s (dh - h mean(h dh)).
 * The gate's gradient is read off on the side of the norm where it acted.
 */
export function rmsNormGrad(backend: CpuBackend, { x, weight, z, dY }: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const size = (attrs.groupSize as number) || d;
  const eps = attrs.eps as number;
  const dXInfo = backend.output(x!.shape);
  const dWeightInfo = weight && backend.output([d]);
  const dZInfo = z && backend.output(z.shape);
  const [xs, dy, dX] = [backend.floats(x!), backend.floats(dY!), backend.floats(dXInfo)];
  const weights = weight && backend.floats(weight);
  const dWeight = dWeightInfo && backend.floats(dWeightInfo);
  const gates = z && backend.floats(z);
  const dZ = dZInfo && backend.floats(dZInfo);
  const gateFirst = gates !== undefined && !attrs.normBeforeGate;
  const gateLast = gates !== undefined && !gateFirst;
  backend.launch(() => {
    const weightSums = new Float64Array(d);
    const normed = new Float64Array(size);
    const dNormed = new Float64Array(size);
    for (let from = 0; from < xs.length; from += size) {
      let squares = 0;
      for (let i = 0; i < size; i++) {
        const value = gateFirst ? xs[from + i]! * silu(gates[from + i]!) : xs[from + i]!;
        normed[i] = value;
        squares += value * value;
      }
      const scale = 1 / Math.sqrt(squares / size + eps);
      let dot = 0;
      for (let i = 0; i < size; i++) {
        const h = normed[i]! * scale;
        const w = weights ? weights[(from + i) % d]! : 1;
        const upstream = gateLast ? dy[from + i]! * silu(gates[from + i]!) : dy[from + i]!;
        if (gateLast) dZ![from + i] = dy[from + i]! * h * w * siluGradient(gates[from + i]!);
        weightSums[(from + i) % d]! += upstream * h;
        normed[i] = h;
        dNormed[i] = upstream * w;
        dot += h * dNormed[i]!;
      }
      for (let i = 0; i < size; i++) {
        const dGated = scale * (dNormed[i]! - (normed[i]! * dot) / size);
        dX[from + i] = gateFirst ? dGated * silu(gates[from + i]!) : dGated;
        if (gateFirst) dZ![from + i] = dGated * xs[from + i]! * siluGradient(gates[from + i]!);
      }
    }
    dWeight?.set(weightSums);
  });
  return [dXInfo, dWeightInfo, dZInfo].filter((info) => info !== undefined);
}
