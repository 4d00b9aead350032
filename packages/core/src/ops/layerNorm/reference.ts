import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { LayerNormAttrs } from "./spec.ts";

/** y = (x - mean) / sqrt(var + eps) * weight + bias over the last axis. */
export function layerNormReference({ x, weight, bias }: NdArrays, { eps }: Required<LayerNormAttrs>): NdArrays {
  const d = x!.shape.at(-1)!;
  const y = ndzeros(x!.shape);
  for (let from = 0; from < x!.data.length; from += d) {
    const row = x!.data.subarray(from, from + d);
    const mean = row.reduce((a, b) => a + b, 0) / d;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    row.forEach((value, i) => {
      y.data[from + i] = ((value - mean) / Math.sqrt(variance + eps)) * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
    });
  }
  return { y };
}
