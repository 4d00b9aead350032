import { Rng, setBackend, tensor, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { Model, type HeadConfig, type MixerSettings } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const L = 13;
const LENGTHS = [13, 1, 6];
/** The filters of two lengths come from tables of two lengths: a few hundred roundings of 2^-24. */
const CLOSE = 5e-5;

const mixers: readonly MixerSettings[] = [
  { kind: "s4", dState: 4, kernelLength: 16, bidirectional: true },
  { kind: "s4d", dState: 4, bidirectional: true },
  { kind: "s5", dState: 8, blocks: 2, bidirectional: true },
  { kind: "s5", dState: 8, blocks: 2 },
];
const heads: readonly HeadConfig[] = [
  { kind: "classification", classes: 4, pooling: "mean" },
  { kind: "classification", classes: 4, pooling: "last" },
];
const values = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);

describe.each(mixers)("padding behind a row's end, %j", (mixer) => {
  it.each(heads)("changes nothing, %j", (head) => {
    const model = new Model(
      { modelType: "sequence", dModel: 8, encoder: { kind: "linear", channels: 3 }, layers: [mixer, mixer], head },
      1,
    );
    const rng = new Rng(5);
    const x = tensor(
      Float32Array.from({ length: 3 * L * 3 }, () => rng.normal()),
      [3, L, 3],
    );
    const { output } = model.forward(x, { lengths: Int32Array.from(LENGTHS) });
    LENGTHS.forEach((length, row) => {
      const alone = model.forward(sliceAxis(sliceAxis(x, 0, row, 1), 1, 0, length)).output;
      const [got, want] = [values(sliceAxis(output, 0, row, 1)), values(alone)];
      const peak = Math.max(...want.map(Math.abs));
      for (const [i, value] of got.entries()) expect(Math.abs(value - want[i]!)).toBeLessThan(CLOSE * peak);
    });
  });
});
