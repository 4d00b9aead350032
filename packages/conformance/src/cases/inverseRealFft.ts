import { inverseRealFft } from "@statespace/core/ops";
import type { OpCase } from "./opCase.ts";

export const inverseRealFftCases: readonly OpCase[] = (
  [
    [1, 1],
    [2, 2],
    [3, 3],
    [2, 8],
    [3, 96],
    [2, 101],
    [1, 256],
    [5, 77],
    [70, 6],
  ] as const
).map(([h, l]): OpCase => ({
  op: inverseRealFft,
  name: `h=${h} l=${l}`,
  attrs: { seqLen: l },
  make: (draw) => ({ x: draw.normal([h, Math.floor(l / 2) + 1, 2]) }),
  scale: "peak",
  bound: {
    forward: 16 + 16 * Math.log2(l + 1),
    backward: 64 + 16 * Math.log2(l + 1),
    reason:
      "log2(l) passes (three transforms of twice the length where l is no power of two), whose roundings spread over the row: against the largest value",
  },
}));
