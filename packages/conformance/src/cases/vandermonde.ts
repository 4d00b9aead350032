import { vandermonde } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import type { Draw, OpCase } from "./opCase.ts";

/** log ABar = delta A with Re A = -1/2 and S4D-Lin's frequencies, as a layer has them. */
function logs(draw: Draw, h: number, n: number, step: number): NdArray {
  const scale = draw.uniform([h], 0.1 * step, step).data;
  return ndarray(
    [h, n, 2],
    Float64Array.from({ length: 2 * h * n }, (_, i) =>
      Math.fround(scale[Math.floor(i / (2 * n))]! * (i % 2 === 0 ? -0.5 : Math.PI * (Math.floor(i / 2) % n))),
    ),
  );
}

function filter(name: string, [h, n, l]: readonly [number, number, number], step: number): OpCase {
  const largestPhase = Math.PI * n * step;
  return {
    op: vandermonde,
    name,
    attrs: { seqLen: l },
    make: (draw) => ({ C: draw.normal([h, n, 2]), logABar: logs(draw, h, n, step) }),
    scale: "peak",
    bound: {
      forward: 64 + l * Math.min(largestPhase, Math.PI),
      backward: 256 + 4 * l * Math.min(largestPhase, Math.PI),
      reason:
        "a phase t im(logABar) rounded once in float32 errs by as many units as it has radians; sines and sums add the rest; against the largest tap",
    },
  };
}

export const vandermondeCases: readonly OpCase[] = [
  filter("tiny", [1, 1, 1], 0.1),
  filter("n=1", [2, 1, 50], 0.1),
  filter("h=3 n=8 l=96", [3, 8, 96], 0.1),
  filter("n=32 l=257", [2, 32, 257], 0.05),
  filter("small steps", [2, 16, 300], 0.001),
  filter("large steps", [2, 4, 65], 1),
  filter("odd sizes", [5, 7, 67], 0.1),
  filter("wide", [70, 3, 17], 0.1),
];
