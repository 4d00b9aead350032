import { readFloats, setBackend, tensor } from "@statespace/core";
import * as ops from "@statespace/core/ops";
import { beforeAll, expect, it } from "vitest";
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

/** Its weights are products with 0 where a key is hidden, and 0 times NaN is NaN. */
it("attention that is composed has NaN where the definition has it, and nowhere else", async () => {
  let checked = 0;
  for (let seed = 4200; checked < CASES; seed++) {
    const c = makeCase("causalAttention", seed);
    const size = Object.values(c.make(undefined as never)).reduce((n, { data }) => n + data.length, 0);
    if (size > SMALL || poisoned(c, seed) === undefined) continue;
    expect([seed, c.name, await whyNotContained(c, seed)]).toEqual([seed, c.name, undefined]);
    checked++;
  }
});
