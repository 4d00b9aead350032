import { diagonalScan } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import type { Draw, OpCase } from "./opCase.ts";

/** Decays inside the unit circle, of radius 0.3 to 0.999 and any phase. */
function decays(draw: Draw, shape: readonly number[]): NdArray {
  const radius = draw.uniform(shape, 0.3, 0.999).data;
  const phase = draw.uniform(shape, -Math.PI, Math.PI).data;
  const pairs = Float64Array.from({ length: 2 * radius.length }, (_, i) =>
    Math.fround(radius[i >> 1]! * (i % 2 === 0 ? Math.cos(phase[i >> 1]!) : Math.sin(phase[i >> 1]!))),
  );
  return ndarray([...shape, 2], pairs);
}

interface Parts {
  readonly varying?: boolean;
  readonly state?: boolean;
  readonly reverse?: boolean;
  readonly last?: boolean;
}

function scan(
  name: string,
  [b, l, n]: readonly [number, number, number],
  { varying = false, state = false, reverse = false, last = true }: Parts = {},
): OpCase {
  return {
    op: diagonalScan,
    name,
    attrs: { reverse, returnLastState: last },
    make: (draw) => ({
      ABar: decays(draw, varying ? [b, l, n] : [n]),
      Bu: draw.normal([b, l, n, 2]),
      ...(state ? { initialState: draw.normal([b, n, 2]) } : {}),
    }),
    scale: "peak",
    bound: {
      forward: 64 + 4 * Math.sqrt(l),
      backward: 256 + 16 * Math.sqrt(l),
      reason:
        "a complex product and sum a token, whose roundings add up as a random walk while the state lasts (radius up to 0.999); against the largest state",
    },
  };
}

/** Around chunks of 16, 64 and 256 tokens, primes, single tokens. */
const lengths = [1, 2, 15, 16, 17, 63, 64, 65, 101, 255, 256, 257].map((l) =>
  scan(`l=${l}`, [1, l, 3], { state: l % 2 === 1 }),
);

export const diagonalScanCases: readonly OpCase[] = [
  scan("tiny", [1, 1, 1]),
  scan("state", [2, 40, 19], { state: true }),
  scan("backwards", [2, 33, 5], { reverse: true }),
  scan("backwards with a state", [2, 70, 4], { reverse: true, state: true }),
  scan("time-varying", [2, 67, 5], { varying: true }),
  scan("time-varying with a state", [1, 130, 7], { varying: true, state: true }),
  scan("time-varying backwards", [2, 19, 3], { varying: true, state: true, reverse: true }),
  scan("no last state", [2, 9, 4], { last: false }),
  scan("n=1", [3, 50, 1], { state: true }),
  scan("wide", [1, 33, 130]),
  ...lengths,
];
