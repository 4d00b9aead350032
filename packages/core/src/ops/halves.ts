import { ShapeError } from "../errors.ts";
import { fromHalf, toHalf } from "../backend/packing.ts";
import { ndarray, sizeOf, type NdArray } from "../math/ndarray.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineOp } from "./defineOp.ts";

type Shapes = Readonly<Record<"x", { readonly shape: readonly number[] }>>;
const withLast = ({ x }: Shapes, times: number): number[] => [...x.shape.slice(0, -1), x.shape.at(-1)! * times];

/** Floats as words, two neighbours in each: the nearest halves, the first one in the low bits. */
export function wordsOf({ shape, data }: NdArray): NdArray {
  const words = Float64Array.from(
    { length: data.length / 2 },
    (_, i) => toHalf(data[2 * i]!) | (toHalf(data[2 * i + 1]!) << 16),
  );
  return ndarray([...shape.slice(0, -1), shape.at(-1)! / 2], words);
}

/** Inverse of `wordsOf`, but for the rounding. */
export function floatsOf({ shape, data }: NdArray): NdArray {
  const floats = Float64Array.from({ length: 2 * data.length }, (_, i) =>
    fromHalf(i % 2 === 0 ? data[i >> 1]! & 0xffff : (data[i >> 1]! >>> 16) & 0xffff),
  );
  return ndarray([...shape.slice(0, -1), shape.at(-1)! * 2], floats);
}

const toHalvesOp = defineOp({
  name: "toHalves",
  room: "halves",
  inputs: { x: "... k" },
  attrs: {},
  outputs: { y: (inputs: Shapes) => withLast(inputs, 1 / 2) },
  outputType: () => "int32",
  differentiable: [],
  check: ({ dims: { k } }) => {
    if (k % 2 !== 0) throw new ShapeError(`toHalves: the last axis must be even, got k = ${k}`);
  },
  reference: ({ x }) => ({ y: wordsOf(x) }),
  cut: "...",
  cost: ({ lead, dims: { k } }) => ({ flops: 0, bytes: 6 * sizeOf(lead) * k }),
});

const fromHalvesOp = defineOp({
  name: "fromHalves",
  room: "halves",
  inputs: { x: "int32 ... w" },
  attrs: {},
  outputs: { y: (inputs: Shapes) => withLast(inputs, 2) },
  outputType: () => "float32",
  differentiable: [],
  reference: ({ x }) => ({ y: floatsOf(x) }),
  cut: "...",
  cost: ({ lead, dims: { w } }) => ({ flops: 0, bytes: 12 * sizeOf(lead) * w }),
});

/**
 * Rounds to the nearest IEEE half (ties to even; beyond 65,504 to infinity) and puts two neighbours in a word, the first in its low bits: half the memory.
 * @param x float32 [..., k], k even
 * @returns int32 [..., k / 2]
 * @throws ShapeError where k is odd; BackendError while gradients are recorded.
 */
export function toHalves(x: Tensor): Tensor {
  return toHalvesOp({ x }, {}).y;
}

/**
 * The numbers that words of halves stand for, exactly.
 * @param x int32 [..., w], as `toHalves` gives
 * @returns float32 [..., 2 w]
 */
export function fromHalves(x: Tensor): Tensor {
  return fromHalvesOp({ x }, {}).y;
}
