import { opTable } from "@statespace/core/backend";
import { ndarray } from "@statespace/core/math";
import { wordsOfFloats } from "./halfWords.ts";
import type { Draw, OpCase } from "./opCase.ts";

const EXACT = {
  forward: 0,
  backward: 0,
  reason: "the nearest half, and the number that a half stands for, are each one",
};
/** Ties, the least halves and what lies below, the largest and what lies beyond, no number, zeros of both signs. */
// prettier-ignore
const EDGES = [
  0, -0, 1, -1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 2 ** -14, 2 ** -14 - 2 ** -26, 2 ** -24, 2 ** -25, 2 ** -25 + 2 ** -40,
  3 * 2 ** -25, -5 * 2 ** -25, 2 ** -26, 1e-30, 65504, 65519.99, 65520, -65520, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45,
];
/** All halves that are numbers, those of one sign before the other's. */
const FINITE = Uint16Array.from({ length: 63488 }, (_, i) => (i < 31744 ? i : i + 1024));
const drawn = (draw: Draw, shape: readonly number[]) => draw.normal(shape, 3);

const shapes = [[2], [3, 2], [1, 5, 3, 2], [2, 3, 70], [7, 34], [0, 4], [3, 0], [4099, 2]];
const named = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

export const halvesCases: readonly OpCase[] = [
  ...shapes.flatMap((shape): OpCase[] => [
    {
      op: opTable["toHalves"]!,
      name: named(shape),
      make: (draw) => ({ x: drawn(draw, shape) }),
      bound: EXACT,
    },
    {
      op: opTable["fromHalves"]!,
      name: named(shape),
      make: (draw) => ({ x: wordsOfFloats(drawn(draw, shape)) }),
      bound: EXACT,
    },
  ]),
  {
    op: opTable["toHalves"]!,
    name: "edges",
    make: () => ({ x: ndarray([EDGES.length], Float64Array.from(EDGES, Math.fround)) }),
    bound: EXACT,
  },
  {
    op: opTable["fromHalves"]!,
    name: "every finite half",
    make: () => ({
      x: ndarray(
        [248, 128],
        Float64Array.from(FINITE.subarray(0, 31744), (half, i) => half | (FINITE[31744 + i]! << 16)),
      ),
    }),
    bound: EXACT,
  },
];
