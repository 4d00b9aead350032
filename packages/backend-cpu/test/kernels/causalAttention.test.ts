import { causalAttention, matMul, ones, reshape, Rng, setBackend, sum, tidy, transpose } from "@statespace/core";
import { type NdArrays } from "@statespace/core/backend";
import { attentionMap } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import { beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";
import { expectForward, expectGradients, int32, random, relativeError, upload, type Call } from "../opHarness.ts";

beforeAll(() => setBackend(cpuBackend()));

/** Sums run in f64, so one rounding to f32 at the end is what is left: 2^-24 of the largest output. */
const FORWARD = 2 ** -23;
/** Gradients are f64 throughout and rounded once; the rest is the difference quotient's own error. */
const GRADIENT = 2 ** -21;

const rng = new Rng(29);
const make = (b: number, l: number, m: number, h: number, hkv: number, p: number): NdArrays => ({
  q: random(rng, [b, l, h, p], -2, 2),
  k: random(rng, [b, m, hkv, p], -2, 2),
  v: random(rng, [b, m, hkv, p]),
});
const hidden = (shape: readonly number[]): NdArray => ({
  shape: [...shape],
  data: Float64Array.from({ length: shape[0]! * shape[1]! }, (_, i) => (i % 3 === 1 ? 0 : 1)),
});

const calls: Record<string, Call> = {
  "one head": { op: causalAttention, floats: make(2, 5, 5, 1, 1, 3) },
  "shared keys": { op: causalAttention, floats: make(1, 4, 4, 6, 2, 3) },
  "keys in front": { op: causalAttention, floats: make(2, 3, 7, 2, 1, 2) },
  "one query": { op: causalAttention, floats: make(1, 1, 6, 2, 2, 2) },
  "one of everything": { op: causalAttention, floats: make(1, 1, 1, 1, 1, 1) },
  "a scale of its own": { op: causalAttention, floats: make(1, 4, 4, 2, 2, 2), attrs: { scale: 1.7 } },
  "packed sequences, ids that come back": {
    op: causalAttention,
    floats: make(2, 5, 7, 2, 1, 2),
    ints: { seqIdx: int32([2, 5], [0, 0, 1, 1, 0, 3, 3, 3, 3, 4]) },
  },
};

describe("causalAttention", () => {
  for (const [name, call] of Object.entries(calls)) {
    it(`${name}: forward`, () => expectForward(call, FORWARD));
    it(`${name}: gradients`, () => expectGradients(call, GRADIENT));
    // The map goes through base kernels, which round scores and weights to f32: a score of 10 by 10 x 2^-24, relatively in its weight.
    it(`${name}: the map's rows sum to 1 and average v to y`, () => expectMap(call, 2 ** -19));
  }
  it("keys that are hidden: forward", () => {
    const floats = { ...make(2, 3, 7, 2, 1, 2), visible: hidden([2, 7]) };
    expectForward({ op: causalAttention, floats }, FORWARD);
    expectGradients({ op: causalAttention, floats }, GRADIENT);
    expectMap({ op: causalAttention, floats }, 2 ** -19);
  });
  it("scores that overflow exp", () =>
    expectForward(
      { op: causalAttention, floats: { ...make(1, 3, 3, 1, 1, 2), q: random(rng, [1, 3, 1, 2], 80, 300) } },
      FORWARD,
    ));
});

function expectMap(call: Call, bound: number): void {
  tidy(() => {
    const { q, k, v, seqIdx, visible } = upload(call);
    const map = attentionMap({ q: q!, k: k!, seqIdx, visible }, call.attrs);
    const [b, l, h, p] = q!.shape as [number, number, number, number];
    const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
    expect(map.shape).toEqual([b, h, l, m]);
    expect(relativeError(sum(map, -1).dataSync(), ones([b, h, l]).dataSync())).toBeLessThan(bound);
    const grouped = matMul(
      reshape(map, [b * hkv, (h / hkv) * l, m]),
      reshape(transpose(v!, [0, 2, 1, 3]), [b * hkv, m, p]),
    );
    const y = transpose(reshape(grouped, [b, h, l, p]), [0, 2, 1, 3]);
    expect(
      relativeError(y.dataSync(), causalAttention({ q: q!, k: k!, v: v!, seqIdx, visible }, call.attrs).y.dataSync()),
    ).toBeLessThan(bound);
  });
}
