import { describe, expect, it } from "vitest";
import { hermitianEigen, Matrix } from "@statespace/core/math";
import { separableEigen } from "../../src/hippo/separableEigen.ts";

const legs = (n: number): Float64Array => Float64Array.from({ length: n }, (_, k) => Math.sqrt(k + 0.5));
const lagt = (n: number): Float64Array => new Float64Array(n).fill(Math.SQRT1_2);
const uneven = (n: number): Float64Array => Float64Array.from({ length: n }, (_, k) => 0.3 + ((k * 7) % 5));

describe.each([
  ["legs", legs],
  ["lagt", lagt],
  ["uneven", uneven],
] as const)("%s", (_, make) => {
  it.each([2, 6, 64])("n = %i: the eigenvalues of a general solver", (n) => {
    const p = make(n);
    const K = Matrix.from(n, n, (i, j) => p[i]! * p[j]! * Math.sign(j - i));
    const { values } = hermitianEigen({ re: new Matrix(n, n), im: K.scaled(-1) });
    // The general solver is accurate to a few ulp of the norm, whatever the eigenvalue's size.
    const bound = 16 * n * Number.EPSILON * Math.abs(values[0]!);
    separableEigen(p).forEach(({ omega }, i) => expect(Math.abs(omega - values[i]!)).toBeLessThan(bound));
  });

  it.each([2, 64, 1000])("n = %i: K v = i omega v, v of length 1, different v orthogonal", (n) => {
    const p = make(n);
    const pairs = separableEigen(p);
    expect(pairs).toHaveLength(n / 2);
    const largest = Math.abs(pairs[0]!.omega);
    for (const { omega, vector } of [pairs[0]!, pairs[n >> 2]!, pairs.at(-1)!]) {
      // K v by running sums: (K v)_i = p_i (sum over j > i less sum over j < i of p_j v_j)
      for (const [part, other, sign] of [
        ["re", "im", -1],
        ["im", "re", 1],
      ] as const) {
        let above = vector.reduce((sum, v, j) => sum + p[j]! * v[part], 0);
        let below = 0;
        vector.forEach((v, i) => {
          above -= p[i]! * v[part];
          // each running sum rounds n times; an eigenvalue's error turns w by as much
          const error = p[i]! * (above - below) - sign * omega * v[other];
          expect(Math.abs(error)).toBeLessThan(8 * n * Number.EPSILON * largest);
          below += p[i]! * v[part];
        });
      }
      expect(vector.reduce((sum, v) => sum + v.re ** 2 + v.im ** 2, 0)).toBeCloseTo(1, 11);
    }
    const [a, b] = [pairs[0]!.vector, pairs.at(-1)!.vector];
    if (n > 2) {
      expect(Math.abs(a.reduce((sum, v, i) => sum + v.re * b[i]!.re + v.im * b[i]!.im, 0))).toBeLessThan(1e-11);
      expect(Math.abs(a.reduce((sum, v, i) => sum + v.re * b[i]!.im - v.im * b[i]!.re, 0))).toBeLessThan(1e-11);
    }
  });
});
