import { ssdScan } from "@statespace/core";
import { ssdScanStep } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import { values, type Draw, type OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly p: number;
  readonly n: number;
  readonly g?: number;
}

interface Parts {
  readonly gate?: boolean;
  readonly skip?: "head" | "channel" | "none";
  readonly bias?: boolean;
  readonly state?: boolean;
  readonly packed?: boolean;
  readonly dtScale?: number;
}

function ssdInputs(draw: Draw, { b, l, h, p, n, g = 1 }: Size, parts: Parts): Record<string, NdArray> {
  const { gate = true, skip = "head", bias = true, state = false, packed = false, dtScale = 0.5 } = parts;
  return {
    x: draw.normal([b, l, h, p]),
    dt: draw.normal([b, l, h], dtScale),
    A: draw.uniform([h], -1, -0.02),
    B: draw.normal([b, l, g, n]),
    C: draw.normal([b, l, g, n]),
    ...(skip === "none" ? {} : { D: draw.normal(skip === "head" ? [h] : [h, p]) }),
    ...(gate ? { z: draw.normal([b, l, h, p]) } : {}),
    ...(bias ? { dtBias: draw.normal([h], 0.1, -1) } : {}),
    ...(state ? { initialState: draw.normal([b, h, p, n]) } : {}),
    ...(packed ? { seqIdx: draw.boundaries([b, l], 0.15) } : {}),
  };
}

const bound = {
  forward: 64,
  backward: 256,
  reason:
    "the chunked form sums over a chunk, a state and the decays between, whose exponents are running sums of dt A and so round with them; gradients run through it twice",
};

function ssdCase(name: string, size: Size, parts: Parts = {}, attrs: Record<string, unknown> = {}): OpCase {
  return {
    op: ssdScan,
    name,
    attrs: { dtSoftplus: true, returnLastState: true, ...attrs },
    make: (draw) => ssdInputs(draw, size, parts),
    bound,
    signed: ["dt", "A", "dtBias"],
  };
}

/** Edges of a chunked scan: around a chunk of 16, 64 and 128 tokens, primes, and single tokens. */
const lengths = [1, 2, 15, 16, 17, 31, 63, 64, 65, 101, 127, 128, 129].map((l) =>
  ssdCase(`l=${l}`, { b: 1, l, h: 2, p: 3, n: 4 }, { state: l % 2 === 1 }, { chunkSize: l % 3 === 0 ? 64 : 128 }),
);

export const ssdScanCases: readonly OpCase[] = [
  ssdCase("tiny", { b: 1, l: 1, h: 1, p: 1, n: 1 }, { gate: false, skip: "none", bias: false }),
  ssdCase("plain", { b: 2, l: 7, h: 3, p: 4, n: 5 }, { gate: false, skip: "none", bias: false }),
  ssdCase("full", { b: 2, l: 40, h: 4, p: 8, n: 16 }, { state: true }, { chunkSize: 16 }),
  ssdCase("odd sizes", { b: 3, l: 37, h: 3, p: 5, n: 7 }, { state: true }, { chunkSize: 8 }),
  ssdCase("p=64 n=128", { b: 1, l: 33, h: 2, p: 64, n: 128 }, {}, { chunkSize: 16 }),
  ssdCase("groups", { b: 2, l: 31, h: 6, p: 3, n: 8, g: 3 }, { state: true }),
  ssdCase("D a channel", { b: 2, l: 9, h: 3, p: 4, n: 3 }, { skip: "channel" }),
  ssdCase("packed", { b: 2, l: 70, h: 2, p: 4, n: 8 }, { packed: true, state: true }, { chunkSize: 16 }),
  ssdCase("packed groups", { b: 1, l: 40, h: 4, p: 3, n: 4, g: 2 }, { packed: true }),
  ssdCase("large steps", { b: 1, l: 30, h: 3, p: 4, n: 8 }, { dtScale: 10 }),
  ssdCase("clamped steps", { b: 1, l: 40, h: 3, p: 4, n: 4 }, {}, { dtMin: 0.2, dtMax: 0.5 }),
  ssdCase("no last state", { b: 2, l: 9, h: 2, p: 4, n: 3 }, {}, { returnLastState: false }),
  {
    ...ssdCase("steps as they are", { b: 1, l: 20, h: 2, p: 3, n: 4 }, { bias: false }, { dtSoftplus: false }),
    make: (draw) => ({
      ...ssdInputs(draw, { b: 1, l: 20, h: 2, p: 3, n: 4 }, { bias: false }),
      dt: draw.uniform([1, 20, 2], 0.001, 0.2),
    }),
  },
  {
    ...ssdCase("a state that is forgotten at once", { b: 1, l: 20, h: 2, p: 3, n: 4 }, { state: true }),
    // exp(dt A) underflows to 0 in float32, and a quotient of such decays would be 0 / 0.
    make: (draw) => ({
      ...ssdInputs(draw, { b: 1, l: 20, h: 2, p: 3, n: 4 }, { state: true }),
      A: values([2], [-800, -900]),
    }),
  },
  ...lengths,
];

export const ssdScanStepCases: readonly OpCase[] = (
  [
    ["one", { b: 1, l: 1, h: 1, p: 1, n: 1 }, "head"],
    ["batch", { b: 4, l: 1, h: 4, p: 8, n: 16 }, "head"],
    ["odd", { b: 1, l: 1, h: 3, p: 5, n: 7 }, "channel"],
    ["groups", { b: 2, l: 1, h: 6, p: 3, n: 8, g: 3 }, "none"],
    ["p=64 n=128", { b: 1, l: 1, h: 3, p: 64, n: 128 }, "head"],
  ] as const
).map(([name, size, skip]): OpCase => ({
  op: ssdScanStep,
  name,
  attrs: { dtSoftplus: true, dtMax: 0.9 },
  make: (draw) => {
    const { initialState, ...rest } = ssdInputs(draw, size, { state: true, skip });
    const step = Object.fromEntries(
      Object.entries(rest).map(([key, x]) => [
        key,
        ["x", "dt", "B", "C", "z"].includes(key) ? { shape: x.shape.filter((_, i) => i !== 1), data: x.data } : x,
      ]),
    );
    return { state: initialState!, ...step };
  },
  bound,
  signed: ["dt", "A", "dtBias"],
}));
