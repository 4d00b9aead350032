import { Rng, setBackend, ssdScan } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import { ssdScanStep } from "@statespace/core/ops";
import { beforeAll, describe, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { expectForward, expectGradients, int32, random, type Call } from "../opHarness.ts";

beforeAll(() => setBackend(cpuBackend()));

/** Sums and the state run in f64, so one rounding to f32 at the end is what is left: 2^-24 of the largest output, doubled for the step's stored state. */
const FORWARD = 2 ** -23;
/** Gradients are f64 throughout and rounded once; the rest is the difference quotient's own error. */
const GRADIENT = 2 ** -21;

const rng = new Rng(17);

function make(
  [b, l, h, p, g, n]: readonly [number, number, number, number, number, number],
  skip: readonly number[] = [h],
): NdArrays {
  return {
    x: random(rng, [b, l, h, p]),
    dt: random(rng, [b, l, h]),
    A: random(rng, [h], -2, -0.1),
    B: random(rng, [b, l, g, n]),
    C: random(rng, [b, l, g, n]),
    D: random(rng, skip),
    z: random(rng, [b, l, h, p], -2, 2),
    dtBias: random(rng, [h]),
    initialState: random(rng, [b, h, p, n]),
  };
}

function both(name: string, call: Call, through?: readonly string[]): void {
  it(`${name}: forward`, () => expectForward(call, FORWARD));
  it(`${name}: gradients`, () => expectGradients(call, GRADIENT, through));
}

describe("ssdScan", () => {
  const attrs = { dtSoftplus: true, returnLastState: true, chunkSize: 4 };
  both("everything", { op: ssdScan, floats: make([2, 6, 4, 3, 2, 2]), attrs });
  both("D a channel", { op: ssdScan, floats: make([1, 5, 2, 3, 1, 2], [2, 3]), attrs });
  both("one of everything", { op: ssdScan, floats: make([1, 1, 1, 1, 1, 1]), attrs });
  for (const l of [3, 4, 5, 8])
    both(`l = ${l} at chunks of 4`, { op: ssdScan, floats: make([1, l, 2, 2, 1, 2]), attrs });
  both("packed sequences", {
    op: ssdScan,
    floats: make([2, 6, 2, 2, 1, 2]),
    ints: { seqIdx: int32([2, 6], [0, 0, 1, 1, 0, 0, 3, 3, 3, 3, 3, 4]) },
    attrs,
  });
  both("clamped steps", { op: ssdScan, floats: make([1, 7, 3, 2, 1, 2]), attrs: { ...attrs, dtMin: 0.5, dtMax: 0.9 } });
  both("only lastState reaches the loss", { op: ssdScan, floats: make([1, 4, 2, 2, 1, 2]), attrs }, ["lastState"]);
  const { x, A, B, C } = make([1, 5, 2, 3, 1, 2]);
  both("bare", { op: ssdScan, floats: { x: x!, dt: random(rng, [1, 5, 2], 0.01, 1), A: A!, B: B!, C: C! } });
  for (const skip of [[4], [4, 3]]) {
    const floats = {
      state: random(rng, [2, 4, 3, 5]),
      x: random(rng, [2, 4, 3]),
      dt: random(rng, [2, 4]),
      A: random(rng, [4], -2, -0.1),
      B: random(rng, [2, 2, 5]),
      C: random(rng, [2, 2, 5]),
      D: random(rng, skip),
      z: random(rng, [2, 4, 3]),
      dtBias: random(rng, [4]),
    };
    it(`step, D [${skip}]`, () =>
      expectForward({ op: ssdScanStep, floats, attrs: { dtSoftplus: true, dtMax: 0.8 } }, FORWARD));
  }
});
