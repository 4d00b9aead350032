import { cauchy } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import type { Draw, OpCase } from "./opCase.ts";

/** Poles in the left half plane, as delta A has them. */
function poles(draw: Draw, h: number, n: number): NdArray {
  const re = draw.uniform([h, n], -0.2, -0.01).data;
  const im = draw.uniform([h, n], -3, 0).data;
  return ndarray(
    [h, n, 2],
    Float64Array.from({ length: 2 * h * n }, (_, i) => (i % 2 === 0 ? re[i >> 1]! : im[i >> 1]!)),
  );
}

/** Where S4 looks: z = 2 (1 - omega) / (1 + omega) on the imaginary axis, without the point at infinity. */
function nodes(l: number): NdArray {
  return ndarray(
    [l, 2],
    Float64Array.from({ length: 2 * l }, (_, i) =>
      i % 2 === 0 ? 0 : Math.fround(2 * Math.tan((Math.PI * (i >> 1)) / (2 * l + 1))),
    ),
  );
}

function sums(name: string, [h, n, l]: readonly [number, number, number]): OpCase {
  return {
    op: cauchy,
    name,
    make: (draw) => ({ v: draw.normal([h, n, 2]), w: poles(draw, h, n), z: nodes(l) }),
    scale: "peak",
    bound: {
      forward: 64 + 8 * Math.sqrt(n),
      backward: 512 + 32 * Math.sqrt(n),
      reason:
        "z - w cancels where a node passes a pole at a distance of 0.01 |z|, and the reciprocal's error grows by as much; n terms add up; against the largest value",
    },
  };
}

export const cauchyCases: readonly OpCase[] = [
  sums("tiny", [1, 1, 1]),
  sums("n=1", [2, 1, 9]),
  sums("h=3 n=8 l=49", [3, 8, 49]),
  sums("n=32 l=129", [2, 32, 129]),
  sums("odd sizes", [5, 7, 67]),
  sums("wide", [70, 3, 5]),
  sums("n=12 l=600, where series replace terms in the cpu's gradient", [3, 12, 600]),
  sums("n=128 l=600, where series replace terms on the cpu", [2, 128, 600]),
];
