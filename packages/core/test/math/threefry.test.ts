import { sampleStreams } from "@statespace/core/ops";
import { threefry2x32 } from "@statespace/core/math";
import { describe, expect, it } from "vitest";

describe("threefry2x32", () => {
  // Known answers that its authors publish with their library (kat_vectors, threefry2x32 20).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("key %j, counter %j", (key, counter, words) => expect(threefry2x32(key, counter)).toEqual(words));

  it("takes signed words as their bits", () => {
    expect(threefry2x32([-1, -1], [-1, -1])).toEqual(threefry2x32([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]));
  });
});

describe("sampleStreams", () => {
  it("gives every row of every seed a key of its own, whatever the number of rows", () => {
    const keys = new Set<string>();
    for (let seed = 0; seed < 8; seed++) {
      const streams = sampleStreams(seed, 4);
      expect(sampleStreams(seed, 2)).toEqual(streams.slice(0, 8));
      for (let row = 0; row < 4; row++) keys.add(streams.slice(4 * row, 4 * row + 2).join());
    }
    expect(keys.size).toBe(32);
    expect(sampleStreams(-1, 1)).not.toEqual(sampleStreams(2 ** 32 - 1, 1));
  });

  it("refuses what is not an integer", () => expect(() => sampleStreams(0.5, 1)).toThrow(/seed must be an integer/));
});
