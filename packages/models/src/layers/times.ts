import { mul, type Tensor } from "@statespace/core";

/** x times a number; x itself where that is 1, as it is in most models. */
export function times(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : mul(x, factor);
}
