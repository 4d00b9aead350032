import { opTable } from "@statespace/core/backend";
import { elementBound } from "./bounds.ts";
import type { OpCase } from "./opCase.ts";

const SIZES: readonly (readonly [number, number, number, number, number])[] = [
  [1, 1, 1, 1, 1],
  [1, 1, 5, 7, 3],
  [2, 2, 9, 17, 6],
  [3, 1, 4, 8, 5],
  [1, 3, 4, 8, 5],
  [1, 1, 65, 70, 67],
  [1, 1, 130, 33, 129],
  [1, 1, 1, 300, 64],
];

const TURNS: readonly (readonly [boolean, boolean])[] = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
];

/** Batched products of [m, k] and [k, n], each side stored as it is or turned. */
export const matMulCases: readonly OpCase[] = SIZES.flatMap(([ba, bb, m, k, n]) =>
  TURNS.map(([transposeA, transposeB]): OpCase => ({
    op: opTable["matMul"]!,
    name: `${ba}x[${m}, ${k}]${transposeA ? "^T" : ""} ${bb}x[${k}, ${n}]${transposeB ? "^T" : ""}`,
    attrs: { transposeA, transposeB },
    make: (d) => ({
      a: d.normal([ba, ...(transposeA ? [k, m] : [m, k])]),
      b: d.normal([bb, ...(transposeB ? [n, k] : [k, n])]),
    }),
    scale: "value",
    bound: elementBound(
      0,
      "a dot product of k normal terms in any order, against its typical size sqrt(k), fourfold",
      (4 + 2 * Math.sqrt(k)) * Math.sqrt(k) * 4,
    ),
  })),
);
