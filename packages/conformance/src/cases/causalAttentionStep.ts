import { causalAttentionStep } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { wordsOfFloats } from "./halfWords.ts";
import type { Draw, OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly m: number;
  readonly h: number;
  readonly hkv: number;
  readonly p: number;
}

interface Parts {
  /** Tokens in the cache of each row. */
  readonly at: readonly number[];
  /** Entries of q and k that are turned. */
  readonly r?: number;
  /** Every third key is hidden. */
  readonly hidden?: boolean;
  readonly sharpness?: number;
  readonly sinks?: boolean;
  /** The cache is of halves. Turns are then by quarters, so that what is rounded is the same everywhere. */
  readonly halves?: boolean;
}

const bound = {
  forward: 64,
  backward: 0,
  reason:
    "as causalAttention: a score's rounding shows relatively in its weight, exponentials err by some ulp, and outputs sum over the tokens",
};

/** Cosines and sines [m, r] of the angles t / 10000^(2i / r). */
function angles(m: number, r: number): number[] {
  const half = r / 2;
  return Array.from({ length: m * r }, (_, i) => {
    const angle = Math.floor(i / r) / 10000 ** ((i % half) / half);
    return i % r < half ? Math.cos(angle) : Math.sin(angle);
  });
}

/** As `angles`, of whole quarters: token t turns pair i by t + i of them. */
function quarters(m: number, r: number): number[] {
  const half = r / 2;
  return Array.from({ length: m * r }, (_, i) => {
    const quarter = (Math.floor(i / r) + (i % half)) % 4;
    return [1, 0, -1, 0][i % r < half ? quarter : (quarter + 3) % 4]!;
  });
}

function stepCase(
  name: string,
  { b, m, h, hkv, p }: Size,
  { at, r = 0, hidden = false, sharpness = 1, sinks = false, halves = false }: Parts,
  attrs: Record<string, unknown> = {},
): OpCase {
  const cached = (draw: Draw): NdArray => {
    const floats = draw.normal([b, m, hkv, p]);
    return halves ? wordsOfFloats(floats) : floats;
  };
  return {
    op: causalAttentionStep,
    name,
    attrs,
    ...(halves ? { dtypes: { keys: "int32", values: "int32" } } : {}),
    make: (draw: Draw) => ({
      q: draw.normal([b, h, p], sharpness),
      k: draw.normal([b, hkv, p]),
      v: draw.normal([b, hkv, p]),
      keys: cached(draw),
      values: cached(draw),
      position: ndarray([b], Float64Array.from(at)),
      ...(r > 0 ? { rotary: ndarray([m, r], Float64Array.from((halves ? quarters : angles)(m, r), Math.fround)) } : {}),
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

export const causalAttentionStepCases: readonly OpCase[] = [
  stepCase("one", { b: 1, m: 1, h: 1, hkv: 1, p: 1 }, { at: [0] }),
  stepCase("first token", { b: 2, m: 8, h: 2, hkv: 2, p: 4 }, { at: [0, 0] }),
  stepCase("last place", { b: 1, m: 37, h: 4, hkv: 2, p: 8 }, { at: [36] }),
  stepCase("rows apart", { b: 3, m: 70, h: 4, hkv: 1, p: 16 }, { at: [5, 64, 69] }),
  stepCase("p=64", { b: 1, m: 130, h: 2, hkv: 2, p: 64 }, { at: [129] }),
  stepCase("many tokens", { b: 2, m: 600, h: 2, hkv: 1, p: 12 }, { at: [255, 598], hidden: true }),
  stepCase("p=5, shared keys", { b: 1, m: 20, h: 6, hkv: 2, p: 5 }, { at: [17] }),
  stepCase("turned", { b: 2, m: 40, h: 4, hkv: 2, p: 8 }, { at: [3, 31], r: 8 }),
  stepCase(
    "partly turned, neighbours",
    { b: 1, m: 20, h: 2, hkv: 2, p: 10 },
    { at: [19], r: 6 },
    { interleaved: true },
  ),
  stepCase("hidden keys", { b: 2, m: 20, h: 2, hkv: 1, p: 4 }, { at: [10, 19], hidden: true }),
  stepCase("a scale of its own", { b: 1, m: 10, h: 2, hkv: 2, p: 4 }, { at: [8] }, { scale: 0.3 }),
  stepCase("a soft cap", { b: 2, m: 20, h: 4, hkv: 2, p: 8 }, { at: [10, 19], sharpness: 4 }, { softCap: 2 }),
  stepCase("sinks", { b: 2, m: 90, h: 4, hkv: 2, p: 8 }, { at: [3, 80], r: 8, sinks: true }),
  stepCase(
    "sinks, first token",
    { b: 1, m: 8, h: 2, hkv: 1, p: 4 },
    { at: [0], sinks: true, hidden: true },
    { softCap: 2 },
  ),
  stepCase("wide heads", { b: 1, m: 9, h: 1, hkv: 1, p: 300 }, { at: [7], r: 300 }),
  stepCase("halves", { b: 2, m: 70, h: 4, hkv: 2, p: 8 }, { at: [3, 64], halves: true }),
  stepCase("halves, first token", { b: 1, m: 5, h: 2, hkv: 1, p: 2 }, { at: [0], halves: true }),
  stepCase("halves, turned", { b: 2, m: 40, h: 6, hkv: 2, p: 20 }, { at: [3, 39], r: 12, halves: true, sinks: true }),
  stepCase(
    "halves, neighbours, hidden keys",
    { b: 1, m: 90, h: 3, hkv: 1, p: 14 },
    { at: [77], r: 14, halves: true, hidden: true },
    { interleaved: true, softCap: 2 },
  ),
  stepCase("halves, p=256", { b: 1, m: 130, h: 2, hkv: 1, p: 256 }, { at: [129], halves: true }),
  stepCase("halves, p=128", { b: 1, m: 9, h: 4, hkv: 4, p: 128 }, { at: [8], halves: true, r: 128 }),
  // Scores of some hundred: exp overflows unless the largest is taken off first.
  stepCase("sharp", { b: 1, m: 90, h: 1, hkv: 1, p: 4 }, { at: [80], sharpness: 100 }, { scale: 1 }),
];
