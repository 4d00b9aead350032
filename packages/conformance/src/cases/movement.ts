import * as ops from "@statespace/core/ops";
import { opTable } from "@statespace/core/backend";
import { ndarray } from "@statespace/core/math";
import { elementBound, moved } from "./bounds.ts";
import type { OpCase } from "./opCase.ts";

const common = { scale: "value", bound: moved } as const;

const PERMS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [5, 7],
    [1, 0],
  ],
  [
    [3, 4, 5],
    [0, 2, 1],
  ],
  [
    [3, 4, 5],
    [2, 0, 1],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 1, 3],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 2, 0],
  ],
  [
    [70, 65],
    [1, 0],
  ],
];

const transposeCases = PERMS.map(([shape, perm]): OpCase => ({
  ...common,
  op: opTable["transpose"]!,
  name: `[${shape}] by [${perm}]`,
  attrs: { perm },
  make: (d) => ({ x: d.normal(shape) }),
}));

const SLICES: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [[9], [2], [5]],
  [
    [4, 8],
    [1, 2],
    [2, 5],
  ],
  [
    [3, 4, 5],
    [0, 1, 2],
    [3, 2, 3],
  ],
  [
    [2, 3, 4, 5],
    [1, 0, 1, 1],
    [1, 3, 2, 3],
  ],
];

// The kernel, and the face, which makes a view of what is one run of memory.
const sliceCases = SLICES.flatMap(([shape, begin, size]): OpCase[] => {
  const kernel: OpCase = {
    ...common,
    op: opTable["slice"]!,
    name: `[${shape}] from [${begin}] size [${size}]`,
    attrs: { begin, size },
    make: (d) => ({ x: d.normal(shape) }),
  };
  return [kernel, { ...kernel, name: `${kernel.name}, the face`, face: ({ x }) => ops.slice(x!, begin, size) }];
});

const reverseCases = (
  [
    [[4, 5], [0]],
    [[4, 5], [1]],
    [
      [3, 4, 5],
      [0, 2],
    ],
  ] as const
).map(([shape, axes]): OpCase => ({
  ...common,
  op: opTable["reverse"]!,
  name: `[${shape}] over [${axes}]`,
  attrs: { axes },
  make: (d) => ({ x: d.normal(shape) }),
}));

const padCases = (
  [
    [
      [4, 5],
      [
        [1, 0],
        [2, 3],
      ],
    ],
    [[6], [[0, 2]]],
    [
      [2, 3, 4],
      [
        [0, 1],
        [1, 1],
        [2, 0],
      ],
    ],
  ] as const
).map(([shape, paddings]): OpCase => ({
  ...common,
  op: opTable["pad"]!,
  name: `[${shape}]`,
  attrs: { paddings, value: 0.5 },
  make: (d) => ({ x: d.normal(shape) }),
}));

const tileCases = (
  [
    [
      [3, 4],
      [2, 3],
    ],
    [[5], [4]],
    [
      [1, 3, 2],
      [3, 1, 2],
    ],
  ] as const
).map(([shape, reps]): OpCase => ({
  ...common,
  op: opTable["tile"]!,
  name: `[${shape}] by [${reps}]`,
  attrs: { reps },
  make: (d) => ({ x: d.normal(shape) }),
}));

const gatherCases = (
  [
    [[7, 4], 0, 5],
    [[3, 6, 2], 1, 4],
    [[5, 3], 1, 8],
  ] as const
).map(([shape, axis, count]): OpCase => ({
  ...common,
  op: opTable["gather"]!,
  name: `[${shape}] axis ${axis}`,
  attrs: { axis },
  make: (d) => ({ x: d.normal(shape), indices: d.integers([count], shape[axis]!) }),
}));

/** Ops that move values. */
export const movementCases: readonly OpCase[] = [
  ...transposeCases,
  ...sliceCases,
  ...reverseCases,
  ...padCases,
  ...tileCases,
  ...gatherCases,
  {
    ...common,
    op: opTable["concat"]!,
    name: "three",
    attrs: { axis: 1 },
    make: (d) => ({ 0: d.normal([3, 2, 4]), 1: d.normal([3, 1, 4]), 2: d.normal([3, 5, 4]) }),
  },
  {
    ...common,
    op: opTable["concat"]!,
    name: "split and swap",
    make: (d) => ({ x: d.normal([4, 3, 10]) }),
    face: ({ x }) => {
      const [a, b, c] = ops.split(x!, [3, 5, 2]);
      return ops.concat([c!, a!, b!], -1);
    },
    meaning: ({ x }) =>
      ndarray(
        [4, 3, 10],
        x!.data.map((_, i) => x!.data[i - (i % 10) + ((i + 8) % 10)]!),
      ),
  },
  {
    op: opTable["segmentSum"]!,
    name: "[9, 5] into 4",
    attrs: { count: 4 },
    make: (d) => ({ x: d.uniform([9, 5], 0.1, 1), ids: d.integers([9], 4) }),
    scale: "value",
    bound: elementBound(8, "a short sum"),
  },
  {
    ...common,
    op: opTable["oneHot"]!,
    name: "[2, 5] of 6",
    attrs: { depth: 6 },
    make: (d) => ({ indices: d.integers([2, 5], 6) }),
  },
  { ...common, op: opTable["identity"]!, name: "[3, 4]", make: (d) => ({ x: d.normal([3, 4]) }) },
  {
    ...common,
    op: opTable["reshape"]!,
    name: "[3, 4] to [2, 6]",
    attrs: { shape: [2, 6] },
    make: (d) => ({ x: d.normal([3, 4]) }),
  },
];
