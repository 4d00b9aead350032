import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { RmsNormAttrs } from "./spec.ts";

const silu = (x: number): number => x / (1 + Math.exp(-x));

/** y = x / rms(x) * weight over groups of the last axis, gated by silu(z) before or after. */
export function rmsNormReference(
  { x, weight, z }: NdArrays,
  { eps, groupSize, normBeforeGate }: Required<RmsNormAttrs>,
): NdArrays {
  const d = x!.shape.at(-1)!;
  const size = groupSize || d;
  const y = ndzeros(x!.shape);
  for (let from = 0; from < x!.data.length; from += size) {
    const gated = (i: number): number => x!.data[from + i]! * (z && !normBeforeGate ? silu(z.data[from + i]!) : 1);
    let squares = 0;
    for (let i = 0; i < size; i++) squares += gated(i) ** 2;
    const scale = 1 / Math.sqrt(squares / size + eps);
    for (let i = 0; i < size; i++) {
      const w = weight ? weight.data[(from + i) % d]! : 1;
      const gate = z && normBeforeGate ? silu(z.data[from + i]!) : 1;
      y.data[from + i] = gated(i) * scale * w * gate;
    }
  }
  return { y };
}
