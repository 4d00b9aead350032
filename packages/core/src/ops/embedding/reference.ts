import { ndzeros } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";

/** Row ids[i] of the weight, for each i. */
export function embeddingReference({ ids, weight }: NdArrays): NdArrays {
  const d = weight!.shape[1]!;
  const y = ndzeros([...ids!.shape, d]);
  ids!.data.forEach((id, i) => y.data.set(weight!.data.subarray(id * d, (id + 1) * d), i * d));
  return { y };
}
