import { sizeOf } from "../math/ndarray.ts";
import { tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Cost } from "./declaration.ts";
import { apply } from "./defineOp.ts";
import type { BoundDims, Shaped } from "./shapes.ts";

/** What the ops have in common that only move values. */
export const moves: {
  readonly room: "movement";
  readonly inputs: { readonly x: "float32|int32|bool ..." };
  readonly differentiable: readonly ["x"];
  cost(bound: BoundDims): Cost;
} = {
  room: "movement",
  inputs: { x: "float32|int32|bool ..." },
  differentiable: ["x"],
  cost: ({ lead }) => ({ flops: 0, bytes: 8 * sizeOf(lead) }),
};

/** The one operand of most of them. */
export interface X {
  readonly x: Shaped;
}

/** Elements of an axis picked by numbers that are known here: what these ops are made of where a backend lacks their kernels. */
export function pick(x: Tensor, axis: number, numbers: readonly number[]): Tensor {
  return apply(
    "gather",
    { x, indices: tensor(Int32Array.from(numbers), [numbers.length], { backend: x.backend }) },
    { axis },
  );
}

/** 0, 1, ... below an extent. */
export function count(extent: number): number[] {
  return Array.from({ length: extent }, (_, i) => i);
}
