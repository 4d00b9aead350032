import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { moments } from "./moments.ts";

/** With h the normalised row and dh = dY weight: dX = (dh - mean(dh) - h mean(h dh)) / sqrt(var + eps). */
export function layerNormGrad(
  backend: CpuBackend,
  { x, weight, bias, dY }: KernelInputs,
  attrs: KernelAttrs,
): TensorInfo[] {
  const d = x!.shape.at(-1)!;
  const dXInfo = backend.output(x!.shape);
  const dWeightInfo = weight && backend.output([d]);
  const dBiasInfo = bias && backend.output([d]);
  const [xs, dy, dX] = [backend.floats(x!), backend.floats(dY!), backend.floats(dXInfo)];
  const weights = weight && backend.floats(weight);
  const dWeight = dWeightInfo && backend.floats(dWeightInfo);
  const dBias = dBiasInfo && backend.floats(dBiasInfo);
  backend.launch(() => {
    const weightSums = new Float64Array(d);
    const biasSums = new Float64Array(d);
    for (let from = 0; from < xs.length; from += d) {
      const { mean, scale } = moments(xs, from, d, attrs.eps as number);
      const normed = (i: number): number => (xs[from + i]! - mean) * scale;
      const upstream = (i: number): number => dy[from + i]! * (weights ? weights[i]! : 1);
      let sum = 0;
      let dot = 0;
      for (let i = 0; i < d; i++) {
        sum += upstream(i);
        dot += upstream(i) * normed(i);
        weightSums[i]! += dy[from + i]! * normed(i);
        biasSums[i]! += dy[from + i]!;
      }
      for (let i = 0; i < d; i++) dX[from + i] = scale * (upstream(i) - sum / d - (normed(i) * dot) / d);
    }
    dWeight?.set(weightSums);
    dBias?.set(biasSums);
  });
  return [dXInfo, dWeightInfo, dBiasInfo].filter((info) => info !== undefined);
}
