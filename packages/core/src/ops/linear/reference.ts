import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** y = x W^T + bias, row by row. */
export function linearReference({ x, weight, bias }: NdArrays): NdArrays {
  const [n, k] = weight!.shape as [number, number];
  const rows = x!.data.length / k;
  const y = ndzeros([...x!.shape.slice(0, -1), n]);
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < n; j++) {
      let dot = bias ? bias.data[j]! : 0;
      for (let i = 0; i < k; i++) dot += x!.data[r * k + i]! * weight!.data[j * k + i]!;
      y.data[r * n + j] = dot;
    }
  }
  return { y };
}
