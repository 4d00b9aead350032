import { fftConv } from "@statespace/core/ops";
import type { OpCase } from "./opCase.ts";

function conv([b, l, d, m]: readonly [number, number, number, number], skip = true): OpCase {
  const size = 2 ** Math.ceil(Math.log2(l + Math.min(m, l)));
  return {
    op: fftConv,
    name: `[${b}, ${l}, ${d}] with ${m} taps${skip ? " and a skip" : ""}`,
    make: (draw) => ({
      u: draw.normal([b, l, d]),
      k: draw.normal([d, m], 1 / Math.sqrt(m)),
      ...(skip ? { D: draw.normal([d]) } : {}),
    }),
    scale: "peak",
    bound: {
      forward: 16 + 8 * Math.log2(size),
      backward: 64 + 16 * Math.log2(size),
      reason:
        "three transforms of log2(size) passes each, whose roundings spread over the whole row: against the largest output",
    },
  };
}

export const fftConvCases: readonly OpCase[] = [
  conv([1, 1, 1, 1]),
  conv([1, 2, 1, 2], false),
  conv([2, 17, 6, 17]),
  conv([3, 33, 5, 33]),
  conv([1, 64, 3, 64]),
  conv([2, 65, 2, 65], false),
  conv([2, 100, 3, 7]),
  conv([2, 9, 4, 40]),
  conv([1, 257, 2, 257]),
  conv([4, 31, 9, 31]),
  conv([1, 12, 130, 12]),
];
