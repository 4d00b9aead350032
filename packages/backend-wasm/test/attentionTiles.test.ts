import { causalAttention } from "@statespace/core/ops";
import { setBackend, tensor } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { wasmBackend } from "../src/index.ts";

beforeAll(() => setBackend(wasmBackend({ threads: 1 })));

const [L, H, KV] = [29, 4, 2];
const SETTINGS: [string, Record<string, unknown>][] = [
  ["all before", {}],
  ["a window of 7", { window: 7 }],
  ["a soft cap", { softCap: 3 }],
  ["some hidden", { visible: Float32Array.from({ length: L }, (_, j) => Number(j % 5 !== 2)) }],
  ["sequences side by side", { seqIdx: Int32Array.from({ length: L }, (_, j) => Math.floor(j / 8)) }],
];

describe.each([4, 6, 16, 20])("heads of %i channels", (p) => {
  const noise = (count: number, seed: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => 2 * Math.sin(seed + 12.9898 * i) * Math.cos(0.37 * i * seed));
  const values = { q: noise(L * H * p, 1), k: noise(L * KV * p, 2), v: noise(L * KV * p, 3) };
  /** Attention of the last `count` queries over all keys. */
  async function attend(
    count: number,
    { visible, seqIdx, ...rest }: Record<string, unknown>,
    v = values.v,
  ): Promise<Float32Array> {
    const last = (xs: Float32Array | Int32Array): Float32Array | Int32Array => xs.slice((xs.length / L) * (L - count));
    const inputs = {
      q: tensor(last(values.q), [1, count, H, p]),
      k: tensor(values.k, [1, L, KV, p]),
      v: tensor(v, [1, L, KV, p]),
      ...(visible === undefined ? {} : { visible: tensor(visible as Float32Array, [1, L]) }),
      ...(seqIdx === undefined ? {} : { seqIdx: tensor(last(seqIdx as Int32Array), [1, count], { dtype: "int32" }) }),
    };
    return (await causalAttention(inputs, rest).y.data()) as Float32Array;
  }

  it.each(SETTINGS)("what a query gets does not depend on those beside it: %s", async (name, options) => {
    const whole = await attend(L, options);
    for (const count of name === "sequences side by side" ? [L] : [1, 2, 5, 6, 7, 13, 18])
      expect(await attend(count, options)).toEqual(whole.slice((whole.length / L) * (L - count)));
  });

  it.each(SETTINGS)("a later token's value reaches no earlier one, not even as a NaN: %s", async (_, options) => {
    const at = 17;
    const broken = values.v.slice();
    broken.fill(Number.NaN, at * KV * p, (at + 1) * KV * p);
    const [whole, beside] = [await attend(L, options), await attend(L, options, broken)];
    expect(beside.slice(0, at * H * p)).toEqual(whole.slice(0, at * H * p));
    expect(Number.isNaN(beside[at * H * p])).toBe(true);
  });
});
