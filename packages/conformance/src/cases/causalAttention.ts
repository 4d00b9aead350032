import { causalAttention } from "@statespace/core";
import { ndarray } from "@statespace/core/math";
import type { OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly l: number;
  readonly m: number;
  readonly h: number;
  readonly hkv: number;
  readonly p: number;
}

interface Parts {
  readonly packed?: boolean;
  /** Every third key is hidden. */
  readonly hidden?: boolean;
  /** Spread of the queries: how sharp the softmax is. */
  readonly sharpness?: number;
  readonly sinks?: boolean;
}

const bound = {
  forward: 64,
  backward: 256,
  reason:
    "a score is a sum over p whose rounding shows relatively in its weight, exponentials err by some ulp, and outputs and gradients sum over the tokens",
};

function attentionCase(
  name: string,
  { b, l, m, h, hkv, p }: Size,
  { packed = false, hidden = false, sharpness = 1, sinks = false }: Parts = {},
  attrs: Record<string, unknown> = {},
): OpCase {
  return {
    op: causalAttention,
    name,
    attrs,
    make: (draw) => ({
      q: draw.normal([b, l, h, p], sharpness),
      k: draw.normal([b, m, hkv, p]),
      v: draw.normal([b, m, hkv, p]),
      ...(packed ? { seqIdx: draw.boundaries([b, l], 0.2) } : {}),
      ...(hidden
        ? {
            visible: ndarray(
              [b, m],
              Float64Array.from({ length: b * m }, (_, i) => (i % 3 === 1 ? 0 : 1)),
            ),
          }
        : {}),
      ...(sinks ? { sink: draw.normal([h], 2) } : {}),
    }),
    bound,
    scale: "peak",
  };
}

export const causalAttentionCases: readonly OpCase[] = [
  attentionCase("one", { b: 1, l: 1, m: 1, h: 1, hkv: 1, p: 1 }),
  attentionCase("square", { b: 2, l: 19, m: 19, h: 3, hkv: 3, p: 8 }),
  attentionCase("shared keys", { b: 1, l: 17, m: 17, h: 6, hkv: 2, p: 5 }),
  attentionCase("one key head", { b: 2, l: 9, m: 9, h: 4, hkv: 1, p: 16 }),
  attentionCase("keys in front", { b: 2, l: 5, m: 23, h: 2, hkv: 2, p: 4 }),
  attentionCase("one query", { b: 3, l: 1, m: 37, h: 4, hkv: 2, p: 8 }),
  attentionCase("p=64", { b: 1, l: 33, m: 33, h: 2, hkv: 2, p: 64 }),
  attentionCase("l=65", { b: 1, l: 65, m: 65, h: 1, hkv: 1, p: 7 }),
  attentionCase("l=130", { b: 1, l: 130, m: 130, h: 1, hkv: 1, p: 4 }),
  attentionCase("packed", { b: 2, l: 30, m: 30, h: 2, hkv: 1, p: 4 }, { packed: true }),
  attentionCase("packed, keys in front", { b: 2, l: 12, m: 20, h: 2, hkv: 2, p: 4 }, { packed: true, hidden: true }),
  attentionCase("hidden keys", { b: 2, l: 8, m: 20, h: 2, hkv: 1, p: 4 }, { hidden: true }),
  attentionCase("a scale of its own", { b: 1, l: 10, m: 10, h: 2, hkv: 2, p: 4 }, {}, { scale: 0.3 }),
  attentionCase("a soft cap", { b: 2, l: 21, m: 21, h: 4, hkv: 2, p: 8 }, { sharpness: 4 }, { softCap: 2 }),
  attentionCase(
    "a soft cap, few queries, wide heads, a window",
    { b: 1, l: 5, m: 70, h: 2, hkv: 1, p: 130 },
    { hidden: true },
    { softCap: 1.5, window: 66 },
  ),
  attentionCase("a window", { b: 2, l: 40, m: 40, h: 4, hkv: 2, p: 8 }, {}, { window: 7 }),
  attentionCase("a window of one", { b: 1, l: 5, m: 5, h: 2, hkv: 2, p: 4 }, {}, { window: 1 }),
  attentionCase("a window wider than all", { b: 1, l: 9, m: 9, h: 1, hkv: 1, p: 4 }, {}, { window: 100 }),
  attentionCase(
    "a window, keys in front",
    { b: 2, l: 20, m: 33, h: 2, hkv: 1, p: 8 },
    { hidden: true },
    { window: 10 },
  ),
  attentionCase("a window, packed", { b: 2, l: 70, m: 90, h: 2, hkv: 2, p: 4 }, { packed: true }, { window: 33 }),
  attentionCase("sinks", { b: 2, l: 19, m: 19, h: 3, hkv: 3, p: 8 }, { sinks: true }),
  attentionCase("sinks, one query, shared keys", { b: 3, l: 1, m: 37, h: 4, hkv: 2, p: 8 }, { sinks: true }),
  attentionCase(
    "sinks, a window, a soft cap, packed",
    { b: 2, l: 70, m: 90, h: 4, hkv: 2, p: 5 },
    { sinks: true, packed: true, hidden: true },
    { window: 33, softCap: 2 },
  ),
  attentionCase(
    "sinks, sharp",
    { b: 1, l: 12, m: 12, h: 2, hkv: 1, p: 4 },
    { sinks: true, sharpness: 6 },
    { scale: 1 },
  ),
  attentionCase("sinks, few queries, wide heads", { b: 2, l: 3, m: 70, h: 2, hkv: 1, p: 130 }, { sinks: true }),
  attentionCase("one query, a window", { b: 1, l: 1, m: 90, h: 2, hkv: 1, p: 256 }, {}, { window: 80 }),
  attentionCase("a window of 64", { b: 1, l: 200, m: 200, h: 2, hkv: 1, p: 4 }, {}, { window: 64 }),
  // Scores of some hundred: exp overflows unless the largest is taken off first.
  attentionCase("sharp", { b: 1, l: 12, m: 12, h: 1, hkv: 1, p: 4 }, { sharpness: 100 }, { scale: 1 }),
];
