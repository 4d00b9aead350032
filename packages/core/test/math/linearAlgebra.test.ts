import { describe, expect, it } from "vitest";
import { ArgumentError, Rng, ShapeError } from "@statespace/core";
import {
  complexTimes,
  conjugateTransposed,
  eigenvalues,
  hermitianEigen,
  invertMatrix,
  Matrix,
  matrixExp,
  matrixExpVjp,
  solveLinear,
  type ComplexMatrix,
} from "@statespace/core/math";

const EPS = 2 ** -52;

function randomMatrix(rng: Rng, rows: number, cols = rows): Matrix {
  return new Matrix(rows, cols, rng.normals(rows * cols));
}

function maxAbs(values: Float64Array): number {
  return values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
}

function distance(a: Matrix, b: Matrix): number {
  return maxAbs(a.minus(b).data);
}

function randomHermitian(rng: Rng, n: number): ComplexMatrix {
  const re = randomMatrix(rng, n),
    im = randomMatrix(rng, n);
  return { re: re.plus(re.transposed()), im: im.minus(im.transposed()) };
}

function diagonal(values: Float64Array): ComplexMatrix {
  const n = values.length;
  return { re: Matrix.from(n, n, (i, j) => (i === j ? values[i] : 0)), im: new Matrix(n, n) };
}

function expectDecomposes(H: ComplexMatrix): Float64Array {
  const n = H.re.rows;
  const { values, vectors } = hermitianEigen(H);
  const rebuilt = complexTimes(complexTimes(vectors, diagonal(values)), conjugateTransposed(vectors));
  const gram = complexTimes(conjugateTransposed(vectors), vectors);
  // backward stable: a modest multiple of n roundings of the norm
  const bound = 4 * n * EPS * Math.max(H.re.norm1() + H.im.norm1(), 1);
  expect(distance(rebuilt.re, H.re)).toBeLessThan(bound);
  expect(distance(rebuilt.im, H.im)).toBeLessThan(bound);
  expect(distance(gram.re, Matrix.identity(n))).toBeLessThan(4 * n * EPS);
  expect(maxAbs(gram.im.data)).toBeLessThan(4 * n * EPS);
  return values;
}

describe("linear systems", () => {
  it.each([1, 2, 5, 40])("A X = B is solved to the rounding its condition allows, n = %i", (n) => {
    const rng = new Rng(n);
    const A = randomMatrix(rng, n),
      B = randomMatrix(rng, n, 3);
    const X = solveLinear(A, B);
    const condition = A.norm1() * invertMatrix(A).norm1();
    expect(distance(A.times(X), B)).toBeLessThan(4 * n * EPS * condition);
  });

  it("names a singular matrix and a shape that does not fit", () => {
    expect(() =>
      solveLinear(
        Matrix.of([
          [1, 2],
          [2, 4],
        ]),
        new Matrix(2, 1),
      ),
    ).toThrow(ArgumentError);
    expect(() => solveLinear(new Matrix(2, 3), new Matrix(2, 1))).toThrow(ShapeError);
    expect(() => new Matrix(2, 2).times(new Matrix(3, 1))).toThrow(/must have 2 rows, got \[3, 1\]/);
  });
});

describe("matrix exponential", () => {
  it("of a nilpotent matrix is its finite series", () => {
    const E = matrixExp(
      Matrix.of([
        [0, 1, 0],
        [0, 0, 2],
        [0, 0, 0],
      ]),
    );
    expect(
      distance(
        E,
        Matrix.of([
          [1, 1, 1],
          [0, 1, 2],
          [0, 0, 1],
        ]),
      ),
    ).toBeLessThan(4 * EPS);
  });

  it("of a rotation generator is the rotation, also after many squarings", () => {
    for (const angle of [1e-8, 0.3, 7, 400]) {
      const E = matrixExp(
        Matrix.of([
          [0, -angle],
          [angle, 0],
        ]),
      );
      const rotation = Matrix.of([
        [Math.cos(angle), -Math.sin(angle)],
        [Math.sin(angle), Math.cos(angle)],
      ]);
      expect(distance(E, rotation)).toBeLessThan(16 * EPS * Math.max(1, angle)); // the angle's own rounding is EPS * angle
    }
  });

  it("satisfies exp(A) exp(-A) = I on random matrices", () => {
    const rng = new Rng(3);
    for (const n of [1, 3, 8]) {
      const A = randomMatrix(rng, n);
      const forward = matrixExp(A),
        backward = matrixExp(A.scaled(-1));
      expect(distance(forward.times(backward), Matrix.identity(n))).toBeLessThan(
        32 * n * EPS * forward.norm1() * backward.norm1(),
      );
    }
  });

  it("has the gradient that central differences see", () => {
    const rng = new Rng(4);
    const A = randomMatrix(rng, 4),
      G = randomMatrix(rng, 4);
    const gradient = matrixExpVjp(A, G);
    const h = 1e-5; // truncation h^2 * |f'''|/6 and rounding eps/h meet near 1e-10
    for (let k = 0; k < 16; k++) {
      const shifted = (step: number): number =>
        matrixExp(
          new Matrix(
            4,
            4,
            A.data.map((x, i) => (i === k ? x + step : x)),
          ),
        ).dot(G);
      const slope = (shifted(h) - shifted(-h)) / (2 * h);
      expect(Math.abs(slope - gradient.data[k])).toBeLessThan(1e-8 * (1 + maxAbs(gradient.data)));
    }
  });
});

describe("Hermitian eigenproblem", () => {
  it.each([1, 2, 3, 7, 16, 65])("H = V diag(w) V* with unitary V, n = %i", (n) => {
    expectDecomposes(randomHermitian(new Rng(n), n));
  });

  it("finds a full unitary basis where eigenvalues repeat", () => {
    const { vectors } = hermitianEigen(randomHermitian(new Rng(9), 12));
    const repeated = Float64Array.from([-2, -2, -2, 0, 0, 0, 0, 1, 1, 5, 5, 5]);
    const H = complexTimes(complexTimes(vectors, diagonal(repeated)), conjugateTransposed(vectors));
    const found = expectDecomposes(H);
    expect(maxAbs(found.map((x, i) => x - repeated[i]))).toBeLessThan(1e-13);
    expectDecomposes({ re: new Matrix(5, 5), im: new Matrix(5, 5) });
    expectDecomposes(diagonal(Float64Array.from([3, 3, -1, 0])));
  });
});

describe("eigenvalues of a general matrix", () => {
  it("are the diagonal of a triangular matrix", () => {
    const found = eigenvalues(Matrix.from(64, 64, (i, j) => (i === j ? -(i + 1) : i > j ? -2 * j - 1 : 0)));
    expect(Array.from(found.filter((_, i) => i % 2 === 0))).toEqual(Array.from({ length: 64 }, (_, i) => i - 64));
  });

  it("come back from a similarity transform of known ones", () => {
    const rng = new Rng(6);
    const n = 10;
    const blocks = new Matrix(n, n);
    const expected: [number, number][] = [];
    for (let k = 0; k < n; k += 2) {
      const [re, im] = [-k / 4 - 0.5, k + 1];
      blocks.data.set([re, -im], k * n + k);
      blocks.data.set([im, re], (k + 1) * n + k);
      expected.push([re, im], [re, -im]);
    }
    const T = randomMatrix(rng, n);
    const inverse = invertMatrix(T);
    const found = eigenvalues(T.times(blocks).times(inverse));
    const sorted = expected.sort((a, b) => a[1] - b[1]);
    // a normal block form: each eigenvalue moves at most by the condition of T times the rounding of the product
    const bound = 64 * n * EPS * T.norm1() * inverse.norm1() * blocks.norm1();
    sorted.forEach(([re, im], k) => expect(Math.hypot(found[2 * k] - re, found[2 * k + 1] - im)).toBeLessThan(bound));
  });

  it("of a cyclic shift are the roots of unity", () => {
    const n = 8;
    const found = eigenvalues(Matrix.from(n, n, (i, j) => ((j + 1) % n === i ? 1 : 0)));
    for (let k = 0; k < n; k++) expect(Math.hypot(found[2 * k], found[2 * k + 1])).toBeCloseTo(1, 12);
    const angles = Array.from({ length: n }, (_, k) =>
      Math.round((Math.atan2(found[2 * k + 1], found[2 * k]) * n) / (2 * Math.PI)),
    );
    expect(new Set(angles.map((a) => (a + n) % n)).size).toBe(n);
  });
});
