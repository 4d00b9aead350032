import { Rng, setBackend } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import { mamba3Scan, mamba3ScanStep } from "@statespace/core/ops";
import { beforeAll, describe, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { expectForward, expectGradients, int32, random, type Call } from "../opHarness.ts";

beforeAll(() => setBackend(cpuBackend()));

/** Sums and the state run in f64, so one rounding to f32 at the end is what is left: 2^-24 of the largest output, doubled for the step's stored state. */
const FORWARD = 2 ** -23;
/** Gradients are f64 throughout and rounded once; the rest is the difference quotient's own error. */
const GRADIENT = 2 ** -21;

const rng = new Rng(23);

function make([b, l, h, r, p, n]: readonly [number, number, number, number, number, number]): NdArrays {
  return {
    q: random(rng, [b, l, h, r, n]),
    k: random(rng, [b, l, h, r, n]),
    v: random(rng, [b, l, h, r, p]),
    adt: random(rng, [b, l, h], -1, 0),
    dt: random(rng, [b, l, h], 0.01, 1),
    trap: random(rng, [b, l, h], -2, 2),
    D: random(rng, [h]),
    z: random(rng, [b, l, h, r, p], -2, 2),
    initialState: random(rng, [b, h, p, n]),
    initialK: random(rng, [b, h, r, n]),
    initialV: random(rng, [b, h, r, p]),
  };
}

function both(name: string, call: Call, through?: readonly string[]): void {
  it(`${name}: forward`, () => expectForward(call, FORWARD));
  it(`${name}: gradients`, () => expectGradients(call, GRADIENT, through));
}

describe("mamba3Scan", () => {
  const attrs = { returnLastState: true, chunkSize: 4 };
  both("one input a head", { op: mamba3Scan, floats: make([2, 6, 3, 1, 3, 2]), attrs });
  both("several inputs a head", { op: mamba3Scan, floats: make([1, 6, 2, 3, 2, 2]), attrs });
  both("one of everything", { op: mamba3Scan, floats: make([1, 1, 1, 1, 1, 1]), attrs });
  for (const l of [3, 4, 5])
    both(`l = ${l} at chunks of 4`, { op: mamba3Scan, floats: make([1, l, 1, 1, 2, 2]), attrs });
  both("packed sequences", {
    op: mamba3Scan,
    floats: make([2, 6, 1, 2, 2, 2]),
    ints: { seqIdx: int32([2, 6], [0, 0, 1, 1, 0, 0, 3, 3, 3, 3, 3, 4]) },
    attrs,
  });
  both("only lastState reaches the loss", { op: mamba3Scan, floats: make([1, 4, 2, 1, 2, 2]), attrs }, ["lastState"]);
  const { q, k, v, adt, dt, trap } = make([1, 5, 2, 1, 3, 2]);
  both("bare", { op: mamba3Scan, floats: { q: q!, k: k!, v: v!, adt: adt!, dt: dt!, trap: trap! } });
  for (const r of [1, 2]) {
    const floats = {
      q: random(rng, [2, 3, r, 4]),
      k: random(rng, [2, 3, r, 4]),
      v: random(rng, [2, 3, r, 5]),
      adt: random(rng, [2, 3], -1, 0),
      dt: random(rng, [2, 3], 0.01, 1),
      trap: random(rng, [2, 3]),
      state: random(rng, [2, 3, 5, 4]),
      lastK: random(rng, [2, 3, r, 4]),
      lastV: random(rng, [2, 3, r, 5]),
      D: random(rng, [3]),
      z: random(rng, [2, 3, r, 5]),
    };
    it(`step, ${r} a head`, () => expectForward({ op: mamba3ScanStep, floats }, FORWARD));
  }
});
