import { describe, expect, it } from "vitest";
import { ArgumentError } from "@statespace/core";
import {
  basisNorms,
  hippoRankCorrection,
  makeHippo,
  makeHippoLegS,
  makeNplr,
  nplrToDense,
  nplrToReal,
  type HippoMeasure,
} from "@statespace/core/hippo";
import { Matrix } from "@statespace/core/math";

const EPS = 2 ** -52;
const measures: HippoMeasure[] = ["legs", "legt", "lagt", "fourier", "fout", "foud", "fru"];

function distance(a: Matrix, b: Matrix): number {
  return a.minus(b).data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

function largest(M: Matrix): number {
  return M.data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

describe("LegS of size 4, as printed", () => {
  it("unscaled: rows 1; 1 2; 1 3 3; 1 3 5 4, A = minus that", () => {
    const { A, B } = makeHippoLegS(4, "unscaled");
    expect(A.scaled(-1).plus(new Matrix(4, 4)).data).toEqual(
      Float64Array.of(1, 0, 0, 0, 1, 2, 0, 0, 1, 3, 3, 0, 1, 3, 5, 4),
    );
    expect([...B.data]).toEqual([1, 1, 1, 1]);
  });

  it("scaled: sqrt(2n+1) sqrt(2k+1) below, n+1 on the diagonal, A = minus that", () => {
    const { A, B } = makeHippoLegS(4);
    for (let n = 0; n < 4; n++) {
      for (let k = 0; k < 4; k++) {
        const expected = n > k ? -Math.sqrt((2 * n + 1) * (2 * k + 1)) : n === k ? -(n + 1) : 0;
        expect(Math.abs(A.at(n, k) - expected)).toBeLessThanOrEqual(2 * EPS * Math.abs(expected)); // two roots for one
      }
      expect(B.at(n, 0)).toBe(Math.sqrt(2 * n + 1));
    }
  });
});

describe.each(measures)("%s", (measure) => {
  it.each([2, 8, 64])("the forms are one system in two bases, n = %i", (n) => {
    const scaled = makeHippo(measure, n),
      unscaled = makeHippo(measure, n, "unscaled");
    const t = basisNorms(measure, n);
    const back = Matrix.from(n, n, (i, k) => (unscaled.A.at(i, k) * t[i]) / t[k]);
    expect(distance(back, scaled.A)).toBeLessThanOrEqual(4 * EPS * largest(scaled.A)); // four roundings there and back
    expect(
      distance(
        Matrix.from(n, 1, (i) => unscaled.B.at(i, 0) * t[i]),
        scaled.B,
      ),
    ).toBeLessThanOrEqual(4 * EPS * largest(scaled.B));
  });

  it.each([2, 8, 30])("A + P^T P is normal: a multiple of I plus a skew-symmetric matrix, n = %i", (n) => {
    const { A } = makeHippo(measure, n);
    const P = hippoRankCorrection(measure, n);
    const S = A.plus(P.transposed().times(P));
    const symmetric = S.plus(S.transposed()).scaled(0.5);
    expect(distance(symmetric, Matrix.identity(n).scaled(symmetric.at(0, 0)))).toBeLessThanOrEqual(
      8 * EPS * largest(A),
    );
  });

  it.each([2, 8, 30, 64])("the NPLR form rebuilds A and B, n = %i", (n) => {
    const { A, B } = makeHippo(measure, n);
    const form = makeNplr(measure, n);
    const scale = 4 * EPS * n * largest(A); // n roundings of the largest entry
    expect(distance(nplrToDense(form), A)).toBeLessThanOrEqual(scale);
    expect(distance(Matrix.column(nplrToReal(form.V, form.B.data)), B)).toBeLessThan(4 * EPS * n * largest(B));
    for (let j = 0; j < n / 2; j++) {
      expect(form.Lambda.data[2 * j + 1]).toBeLessThanOrEqual(scale);
      expect(Math.abs(form.B.data[2 * j + 1])).toBeLessThan(4 * EPS * n * largest(B)); // phases make B real
    }
  });
});

describe("bad arguments", () => {
  it("are named", () => {
    expect(() => makeHippo("legz" as HippoMeasure, 4)).toThrow(/measure must be one of legs, legt/);
    expect(() => makeHippo("legs", 0)).toThrow(ArgumentError);
    expect(() => makeHippo("legs", 2.5)).toThrow(ArgumentError);
    expect(() => makeHippo("fourier", 5)).toThrow(/n must be even/);
    expect(() => makeNplr("legs", 5)).toThrow(/n must be even/);
    expect(() => makeNplr("legt", 4, 1)).toThrow(/rank must be at least 2/);
    expect(makeNplr("legs", 4, 2).P.shape).toEqual([2, 2, 2]);
  });
});
