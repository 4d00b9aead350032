import { opTable } from "@statespace/core/backend";
import { expertLinear } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { values, type Draw, type OpCase } from "./opCase.ts";

/** Roundings of a dot product of k terms in any order of summation. */
const dot = (k: number): number => 4 + Math.min(k, 16 + 2 * Math.ceil(Math.sqrt(k)));

function projection(
  name: string,
  rows: readonly number[],
  [e, s]: readonly [experts: number, chosen: number],
  [k, n]: readonly [number, number],
  ids: (draw: Draw) => NdArray = (draw) => draw.integers([...rows, s], e),
): OpCase {
  const count = rows.reduce((a, b) => a * b, s);
  return {
    op: expertLinear,
    name: `${name}: [${[...rows, k]}] by ${s} of ${e} [${n}, ${k}]`,
    make: (draw) => ({ x: draw.normal([...rows, k]), weight: draw.normal([e, n, k]), ids: ids(draw) }),
    bound: {
      forward: dot(k),
      backward: dot(Math.max(k, n * s, count)),
      reason: "a dot product in any order of summation",
    },
  };
}

export const expertLinearCases: readonly OpCase[] = [
  projection("one of everything", [1], [1, 1], [1, 1]),
  projection("one token", [1], [8, 2], [32, 24]),
  projection("odd extents", [3, 5], [6, 3], [7, 11]),
  projection("more choices than are taken one by one", [2, 17], [5, 2], [33, 18]),
  projection("an expert with many rows", [80], [2, 1], [16, 40]),
  projection("most experts are left out", [40], [64, 1], [12, 8], () =>
    ndarray([40, 1], new Float64Array(40).fill(37)),
  ),
  projection("larger than tiles", [70], [3, 2], [132, 68]),
];

function largest(name: string, k: number, make: (draw: Draw) => NdArray): OpCase {
  return {
    op: opTable["topK"]!,
    name: `${name}: ${k}`,
    attrs: { k },
    make: (draw) => ({ x: make(draw) }),
    bound: { forward: 0, backward: 0, reason: "places are the same or not" },
  };
}

export const topKCases: readonly OpCase[] = [
  largest("one of one", 1, (draw) => draw.normal([1, 1])),
  largest("of [3, 5, 8]", 2, (draw) => draw.normal([3, 5, 8])),
  largest("all, in order", 7, (draw) => draw.normal([4, 7])),
  largest("of 512", 10, (draw) => draw.normal([33, 512])),
  largest("ties", 3, () => values([2, 6], [1, 2, 2, 1, 2, 0, 5, 5, 5, 5, 5, 5])),
  largest("below zero", 2, () => values([5], [-3, -1, Number.NEGATIVE_INFINITY, -2, -1])),
];
