import { readFloats, setBackend, tensor, type Tensor } from "@statespace/core";
import * as ops from "@statespace/core/ops";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpCase } from "../src/cases/opCase.ts";
import { hasLanes, whyNotApart } from "../src/generated/apart.ts";
import { makeCase } from "../src/generated/cases.ts";
import { poisoned, whyNotContained } from "../src/generated/poison.ts";
import { minimalBackend } from "./minimal/definition.ts";

/** Elements of a case that plain loops take in good time. */
const SMALL = 2000;
const CASES = 12;

beforeAll(() => setBackend(minimalBackend()));

it("comparisons that are composed do not hold for NaN, and the larger and smaller of NaN is NaN", async () => {
  const x = tensor([1, Number.NaN, 2, Number.NEGATIVE_INFINITY], [4]);
  const of = async (compare: ops.Binary): Promise<number[][]> => [
    [...(await compare(x, 1).data())],
    [...(await compare(1, x).data())],
  ];
  expect(await of(ops.less)).toEqual([
    [0, 0, 0, 1],
    [0, 0, 1, 0],
  ]);
  expect(await of(ops.lessEqual)).toEqual([
    [1, 0, 0, 1],
    [1, 0, 1, 0],
  ]);
  expect(await of(ops.greaterEqual)).toEqual([
    [1, 0, 1, 0],
    [1, 0, 0, 1],
  ]);
  expect(await of(ops.equal)).toEqual([
    [1, 0, 0, 0],
    [1, 0, 0, 0],
  ]);
  expect(await of(ops.notEqual)).toEqual([
    [0, 1, 1, 1],
    [0, 1, 1, 1],
  ]);
  expect([...(await ops.equal(x, x).data())]).toEqual([1, 0, 1, 1]);
  for (const y of [ops.minimum(x, 0), ops.minimum(0, x), ops.maximum(0, x)])
    expect((await readFloats(y))[1]).toBe(Number.NaN);
});

const sizeOf = (c: OpCase): number =>
  Object.values(c.make(undefined as never)).reduce((n, { data }) => n + data.length, 0);

/** What is composed would be products with 0 where a key is hidden, another sequence starts or a row is not chosen, and 0 times NaN is NaN. */
describe.each([
  "causalAttention",
  "selectiveScan",
  "ssdScan",
  "mamba3Scan",
  "gatedDeltaRule",
  "causalConv1d",
  "diagonalScan",
  "expertLinear",
  "embedding",
  "segmentSum",
  "cumsum",
  "sign",
  "pow",
])("%s, composed,", (name) => {
  it("has NaN where the definition has it, and nowhere else", async () => {
    let checked = 0;
    for (let seed = 4200; checked < CASES; seed++) {
      const c = makeCase(name, seed);
      if (sizeOf(c) > SMALL || poisoned(c, seed) === undefined) continue;
      expect([seed, c.name, await whyNotContained(c, seed)]).toEqual([seed, c.name, undefined]);
      checked++;
    }
  });

  it("keeps rows and packed sequences apart, gradients too", async () => {
    for (let seed = 4300, checked = 0; checked < CASES && seed < 4500; seed++) {
      const c = makeCase(name, seed);
      if (sizeOf(c) > SMALL || !hasLanes(c, seed)) continue;
      expect([seed, c.name, await whyNotApart(c, seed)]).toEqual([seed, c.name, undefined]);
      checked++;
    }
  });
});

it("packed scans are composed without what the sequence before left", async () => {
  const seqIdx = tensor(Int32Array.of(0, 0, 1, 1), [1, 4]);
  const all = (shape: number[], value: number): Tensor =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);
  const u = tensor([1, Number.POSITIVE_INFINITY, 1, 1], [1, 4, 1]);
  const parts = { u, delta: all([1, 4, 1], 1), A: all([1, 1], 0), B: all([1, 4, 1], 1), C: all([1, 4, 1], 1), seqIdx };
  const scan = ops.selectiveScan(parts, { deltaSoftplus: false });
  expect([...(await readFloats(scan.y))]).toEqual([1, Number.POSITIVE_INFINITY, 1, 2]);
  const conv = ops.causalConv1d({ x: u, weight: all([1, 2], 1), seqIdx });
  expect([...(await readFloats(conv.y))]).toEqual([1, Number.POSITIVE_INFINITY, 1, 2]);
});

it("infinities are added by id to their own sums", async () => {
  const x = tensor([1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY, Number.NaN, 3], [6]);
  const ids = tensor(Int32Array.of(0, 1, 0, 2, 3, 1), [6]);
  expect([...(await readFloats(ops.segmentSum(x, ids, 5)))]).toEqual([
    3,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    0,
  ]);
});
