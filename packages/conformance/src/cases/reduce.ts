import { opTable } from "@statespace/core/backend";
import { elementBound } from "./bounds.ts";
import type { OpCase } from "./opCase.ts";

const FOLDS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[7], [0]],
  [[4, 9], [0]],
  [[4, 9], [1]],
  [[3, 5, 4], [1]],
  [
    [3, 5, 4],
    [0, 2],
  ],
  [[2, 600], [1]],
  [[600, 3], [0]],
  [[5], []],
  [[1500], [0]],
];

const foldCases = FOLDS.flatMap(([shape, axes]) =>
  [false, true].flatMap((keepDims): OpCase[] => {
    const common = {
      name: `[${shape}] over [${axes}]${keepDims ? ", kept" : ""}`,
      attrs: { axes, keepDims },
      scale: "value",
    } as const;
    const picked = (name: string): OpCase => ({
      ...common,
      op: opTable[name]!,
      make: (draw) => ({ x: draw.normal(shape) }),
      bound: elementBound(0, "picked"),
    });
    const terms = axes.reduce((n, axis) => n * shape[axis]!, 1);
    return [
      {
        ...common,
        op: opTable["sum"]!,
        make: (draw) => ({ x: draw.uniform(shape, 0.1, 1) }),
        bound: elementBound(4 + 2 * Math.sqrt(terms), "a sum in any order of positive terms"),
      },
      picked("max"),
      picked("min"),
    ];
  }),
);

const softmaxCases = (
  [
    [3, 7],
    [2, 300],
    [1, 1],
    [65, 5],
  ] as const
).map((shape): OpCase => ({
  op: opTable["softmax"]!,
  name: `[${shape}]`,
  make: (d) => ({ x: d.normal(shape, 3) }),
  scale: "value",
  bound: elementBound(64, "an exponential of a difference of up to 20, and a sum"),
}));

const argMaxCases = (
  [
    [4, 9],
    [2, 300],
    [9, 64],
    [5, 65],
    [7, 3],
    [6, 1],
    // columns: whole vectors of four, and what is left of them
    [3, 8, 2],
    [2, 17, 3],
    [2, 5, 7],
    [1, 40, 5],
    [3, 1, 6],
  ] as const
).map((shape): OpCase => ({
  op: opTable["argMax"]!,
  name: `[${shape}]`,
  attrs: { axis: 1 },
  make: (d) => ({ x: d.integers(shape, 5) }),
  scale: "value",
  bound: elementBound(0, "the lowest index of the largest"),
}));

const cumsumCases = [false, true].flatMap((exclusive) =>
  [false, true].map((reverse): OpCase => ({
    op: opTable["cumsum"]!,
    name: `[3, 40, 2]${exclusive ? ", exclusive" : ""}${reverse ? ", reverse" : ""}`,
    attrs: { axis: 1, exclusive, reverse },
    make: (d) => ({ x: d.uniform([3, 40, 2], 0.1, 1) }),
    scale: "value",
    bound: elementBound(48, "a running sum of positive terms"),
  })),
);

/** Ops that combine values along axes. */
export const reduceCases: readonly OpCase[] = [...foldCases, ...softmaxCases, ...argMaxCases, ...cumsumCases];
