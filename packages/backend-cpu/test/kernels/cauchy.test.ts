import { Rng, setBackend, tensor, type Tensor } from "@statespace/core";
import { cauchy } from "@statespace/core/ops";
import { ndarray, type NdArray } from "@statespace/core/math";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { usesMultipole } from "../../src/ops/cauchy/multipole.ts";

const [h, n, l] = [4, 96, 700];
const float32 = (shape: number[], at: (i: number) => number): NdArray =>
  ndarray(
    shape,
    Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.fround(at(i))),
  );
/** S4's four sums of two channels: rows 0 and 2, and 1 and 3, share their poles. */
const poles = float32([h, n, 2], (i) => {
  const [row, k] = [Math.floor(i / (2 * n)), Math.floor(i / 2) % n];
  return (row % 2 === 0 ? 0.01 : 0.07) * (i % 2 === 0 ? -0.5 : (2 * n * ((2 * n) / (2 * k + 1) - 1)) / Math.PI);
});
const nodes = float32([l, 2], (i) => (i % 2 === 0 ? 0 : 2 * Math.tan((Math.PI * (i >> 1)) / (2 * l))));
const toTensor = ({ shape, data }: NdArray): Tensor => tensor(Float32Array.from(data), [...shape]);
const valuesOf = (x: Tensor): Float32Array => x.dataSync() as Float32Array;

describe("cauchy where series replace terms", () => {
  const rng = new Rng(3);
  const weights = float32([h, n, 2], () => rng.normal());
  beforeAll(() => setBackend(cpuBackend()));

  it("is what runs at this size, in both passes, but not at a small one nor for what is not finite", () => {
    const [w, z] = [Float32Array.from(poles.data), Float32Array.from(nodes.data)];
    for (const pass of ["forward", "backward"] as const) {
      expect(usesMultipole(pass, { h, n, l }, w, z)).toBe(true);
      expect(usesMultipole(pass, { h, n: 8, l: 9 }, w, z)).toBe(false);
      expect(usesMultipole(pass, { h, n, l }, w, z.with(3, Infinity))).toBe(false);
    }
  });

  it("equals the reference, rows with the same poles too", () => {
    const y = valuesOf(cauchy({ v: toTensor(weights), w: toTensor(poles), z: toTensor(nodes) }).y);
    const expected = cauchy.spec.reference({ v: weights, w: poles, z: nodes }, {})["y"]!.data;
    // The sum of absolute terms at a node is at least as large as this one's peak over its row; two roundings: the series' and the store's.
    for (let row = 0; row < h; row++) {
      const peak = expected.subarray(2 * l * row, 2 * l * (row + 1)).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      for (let i = 2 * l * row; i < 2 * l * (row + 1); i++)
        expect(Math.abs(y[i]! - expected[i]!)).toBeLessThan(2 * 2 ** -24 * peak);
    }
  });

  it("a node at infinity still gives what the direct sum gives: NaN there, numbers elsewhere", () => {
    const y = valuesOf(
      cauchy({
        v: toTensor(weights),
        w: toTensor(poles),
        z: toTensor({ ...nodes, data: nodes.data.with(2 * l - 1, Infinity) }),
      }).y,
    );
    expect(y[2 * l - 2]).toBeNaN();
    expect(y.subarray(0, 2 * l - 2).every(Number.isFinite)).toBe(true);
  });
});
