import { ArgumentError } from "../errors.ts";
import { ndarray, sizeOf } from "../math/ndarray.ts";
import { range, tensor } from "../tensor/create.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, equal, greater, mul } from "./binary.ts";
import { defineOp } from "./defineOp.ts";
import { cast } from "./make.ts";
import { reshape } from "./movement.ts";
import { sum } from "./sum.ts";

const topKOp = defineOp({
  name: "topK",
  inputs: { x: "... n" },
  attrs: { k: 1 },
  outputs: { y: "... k" },
  outputType: () => "int32",
  differentiable: [],
  flat: true,
  check: ({ dims: { n } }, { k }) => {
    if (!Number.isInteger(k) || k < 1 || k > n)
      throw new ArgumentError(`topK: k must be a whole number in 1..n = ${n}, got ${k}`);
  },
  reference: ({ x }, { k }) => {
    const n = x.shape.at(-1)!;
    const rows = x.data.length / Math.max(1, n);
    const y = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: n }, (_, i) => i)
        .sort((a, b) => x.data[row * n + b]! - x.data[row * n + a]! || a - b)
        .slice(0, k),
    );
    return { y: ndarray([...x.shape.slice(0, -1), k], Float64Array.from(y.flat())) };
  },
  // An element's rank is the count of those that go before it; n^2 comparisons.
  compose: ({ x }, { k }) => {
    const { backend } = x;
    const n = x.shape.at(-1)!;
    const rows = x.size / n;
    const [own, other] = [reshape(x, [rows, n, 1]), reshape(x, [rows, 1, n])];
    const lower = tensor(
      Float32Array.from({ length: n * n }, (_, i) => Number(i % n < Math.floor(i / n))),
      [n, n],
      { backend },
    );
    const before = add(cast(greater(other, own), "float32"), mul(cast(equal(other, own), "float32"), lower));
    const rank = reshape(sum(before, -1), [rows, 1, n]);
    const hit = cast(equal(rank, cast(reshape(range(0, k, 1, { backend }), [k, 1]), "float32")), "float32");
    const places = sum(mul(hit, cast(range(0, n, 1, { backend }), "float32")), -1);
    return { y: cast(reshape(places, [...x.shape.slice(0, -1), k]), "int32") };
  },
  cut: "...",
  cost: ({ lead, dims: { n } }, { k }) => ({ flops: sizeOf(lead) * n * k, bytes: 4 * sizeOf(lead) * (n + k) }),
});

/**
 * Indices of the k largest along the last axis, the largest first; the lower index wins ties.
 * @param x [..., n]
 * @returns int32 [..., k]
 * @throws ArgumentError for a k that is not in 1..n.
 */
export function topK(x: Tensor, k: number): Tensor {
  return topKOp({ x }, { k }).y;
}
