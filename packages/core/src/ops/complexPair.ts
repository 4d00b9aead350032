import type { Tensor } from "../tensor/tensor.ts";
import { reshape } from "./movement.ts";
import { sliceAxis } from "./slicing.ts";
import { stack } from "./joining.ts";

/** A complex tensor as two real ones. */
export interface ComplexTensor {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** The two halves of a tensor whose last axis is (re, im). */
export function complexParts(x: Tensor): ComplexTensor {
  const part = (at: number): Tensor => reshape(sliceAxis(x, -1, at, 1), x.shape.slice(0, -1));
  return { re: part(0), im: part(1) };
}

/** Inverse of `complexParts`. */
export function complexPair({ re, im }: ComplexTensor): Tensor {
  return stack([re, im], re.shape.length);
}
