import { mamba3Scan, mamba3ScanStep } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import type { Draw, OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly r: number;
  readonly p: number;
  readonly n: number;
}

interface Parts {
  readonly gate?: boolean;
  readonly skip?: boolean;
  readonly state?: boolean;
  readonly packed?: boolean;
}

function mamba3Inputs(
  draw: Draw,
  { b, l, h, r, p, n }: Size,
  { gate = true, skip = true, state = false, packed = false }: Parts,
): Record<string, NdArray> {
  return {
    q: draw.normal([b, l, h, r, n]),
    k: draw.normal([b, l, h, r, n]),
    v: draw.normal([b, l, h, r, p]),
    adt: draw.uniform([b, l, h], -0.3, 0),
    dt: draw.uniform([b, l, h], 0.01, 0.5),
    trap: draw.normal([b, l, h]),
    ...(skip ? { D: draw.normal([h]) } : {}),
    ...(gate ? { z: draw.normal([b, l, h, r, p]) } : {}),
    ...(state
      ? {
          initialState: draw.normal([b, h, p, n]),
          initialK: draw.normal([b, h, r, n]),
          initialV: draw.normal([b, h, r, p]),
        }
      : {}),
    ...(packed ? { seqIdx: draw.boundaries([b, l], 0.15) } : {}),
  };
}

const bound = {
  forward: 64,
  backward: 256,
  reason:
    "each step of the recurrence adds four roundings, an exponential and a sigmoid; the chunked form takes off again what the next token would add; gradients run through it twice",
};

function mamba3Case(name: string, size: Size, parts: Parts = {}, attrs: Record<string, unknown> = {}): OpCase {
  return {
    op: mamba3Scan,
    name,
    attrs: { returnLastState: true, ...attrs },
    make: (draw) => mamba3Inputs(draw, size, parts),
    bound,
    signed: ["adt", "trap"],
  };
}

/** Edges of a chunked scan: around a chunk of 16 and 64 tokens, primes, and single tokens. */
const lengths = [1, 2, 15, 16, 17, 63, 64, 65, 101].map((l) =>
  mamba3Case(`l=${l}`, { b: 1, l, h: 2, r: 1, p: 3, n: 4 }, { state: l % 2 === 1 }, { chunkSize: l < 20 ? 16 : 64 }),
);

export const mamba3ScanCases: readonly OpCase[] = [
  mamba3Case("tiny", { b: 1, l: 1, h: 1, r: 1, p: 1, n: 1 }, { gate: false, skip: false }),
  mamba3Case("plain", { b: 2, l: 7, h: 3, r: 1, p: 4, n: 5 }, { gate: false, skip: false }),
  mamba3Case("full", { b: 2, l: 40, h: 3, r: 1, p: 8, n: 16 }, { state: true }, { chunkSize: 16 }),
  mamba3Case("ranks", { b: 2, l: 20, h: 2, r: 4, p: 4, n: 8 }, { state: true }, { chunkSize: 8 }),
  mamba3Case("odd sizes", { b: 3, l: 37, h: 3, r: 3, p: 5, n: 7 }, { state: true }, { chunkSize: 8 }),
  mamba3Case("p=64 n=128", { b: 1, l: 33, h: 1, r: 1, p: 64, n: 128 }, {}, { chunkSize: 16 }),
  mamba3Case("packed", { b: 2, l: 70, h: 2, r: 1, p: 4, n: 8 }, { packed: true, state: true }, { chunkSize: 16 }),
  mamba3Case("packed ranks", { b: 1, l: 40, h: 2, r: 2, p: 3, n: 4 }, { packed: true }),
  mamba3Case("no last state", { b: 2, l: 9, h: 2, r: 1, p: 4, n: 3 }, {}, { returnLastState: false }),
  ...lengths,
];

export const mamba3ScanStepCases: readonly OpCase[] = (
  [
    ["one", { b: 1, l: 1, h: 1, r: 1, p: 1, n: 1 }],
    ["batch", { b: 4, l: 1, h: 3, r: 1, p: 8, n: 16 }],
    ["ranks", { b: 2, l: 1, h: 2, r: 4, p: 5, n: 7 }],
    ["p=64 n=128", { b: 1, l: 1, h: 2, r: 1, p: 64, n: 128 }],
  ] as const
).map(([name, size]): OpCase => ({
  op: mamba3ScanStep,
  name,
  make: (draw) => {
    const { initialState, initialK, initialV, ...rest } = mamba3Inputs(draw, size, { state: true });
    const step = Object.fromEntries(
      Object.entries(rest).map(([key, x]) => [
        key,
        key === "D" ? x : { shape: x.shape.filter((_, i) => i !== 1), data: x.data },
      ]),
    );
    return { state: initialState!, lastK: initialK!, lastV: initialV!, ...step };
  },
  bound,
  signed: ["adt", "trap"],
}));
