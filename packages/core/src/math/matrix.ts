import { ShapeError } from "../errors.ts";

/**
 * A dense real matrix in float64, row-major: element (i, j) is `data[i * cols + j]`.
 * Methods return new matrices and never change their operands.
 */
export class Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array; // [rows, cols]

  /** @throws ShapeError when `data` is given and its length is not rows * cols. */
  constructor(rows: number, cols: number, data: Float64Array = new Float64Array(rows * cols)) {
    if (data.length !== rows * cols) {
      throw new ShapeError(`Matrix: data must have [rows, cols] = [${rows}, ${cols}] elements, got ${data.length}`);
    }
    this.rows = rows;
    this.cols = cols;
    this.data = data;
  }

  /** A matrix whose element (i, j) is `value(i, j)`. */
  static from(rows: number, cols: number, value: (i: number, j: number) => number): Matrix {
    const out = new Matrix(rows, cols);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out.data[i * cols + j] = value(i, j);
    return out;
  }

  /** A matrix from nested rows of equal length. */
  static of(rows: readonly (readonly number[])[]): Matrix {
    return Matrix.from(rows.length, rows[0]?.length ?? 0, (i, j) => rows[i][j]);
  }

  /** The n x n identity. */
  static identity(n: number): Matrix {
    return Matrix.from(n, n, (i, j) => (i === j ? 1 : 0));
  }

  /** A single column. */
  static column(values: ArrayLike<number>): Matrix {
    return new Matrix(values.length, 1, Float64Array.from(values));
  }

  at(i: number, j: number): number {
    return this.data[i * this.cols + j];
  }

  /** this + factor * other; the factor is 1 unless given. */
  plus(other: Matrix, factor = 1): Matrix {
    this.expectSame("plus", other);
    return new Matrix(
      this.rows,
      this.cols,
      this.data.map((x, i) => x + factor * other.data[i]),
    );
  }

  minus(other: Matrix): Matrix {
    return this.plus(other, -1);
  }

  scaled(factor: number): Matrix {
    return new Matrix(
      this.rows,
      this.cols,
      this.data.map((x) => x * factor),
    );
  }

  /** The matrix product this * other. */
  times(other: Matrix): Matrix {
    if (this.cols !== other.rows) {
      throw new ShapeError(`Matrix.times: other must have ${this.cols} rows, got [${other.rows}, ${other.cols}]`);
    }
    const out = new Matrix(this.rows, other.cols);
    const n = other.cols;
    for (let i = 0; i < this.rows; i++) {
      for (let k = 0; k < this.cols; k++) {
        const a = this.data[i * this.cols + k];
        if (a === 0) continue; // HiPPO matrices and their augmented forms are half zeros
        for (let j = 0; j < n; j++) out.data[i * n + j] += a * other.data[k * n + j];
      }
    }
    return out;
  }

  /** this * vector. */
  apply(vector: ArrayLike<number>): Float64Array {
    if (vector.length !== this.cols) {
      throw new ShapeError(`Matrix.apply: vector must have [cols] = [${this.cols}] elements, got ${vector.length}`);
    }
    const out = new Float64Array(this.rows);
    for (let i = 0; i < this.rows; i++) {
      let sum = 0;
      for (let j = 0; j < this.cols; j++) sum += this.data[i * this.cols + j] * vector[j];
      out[i] = sum;
    }
    return out;
  }

  transposed(): Matrix {
    return Matrix.from(this.cols, this.rows, (i, j) => this.at(j, i));
  }

  /** The block of `rows` x `cols` elements whose first element is (row, col). */
  block(row: number, col: number, rows: number, cols: number): Matrix {
    return Matrix.from(rows, cols, (i, j) => this.at(row + i, col + j));
  }

  /** A copy with `part` written at (row, col). */
  withBlock(row: number, col: number, part: Matrix): Matrix {
    const out = new Matrix(this.rows, this.cols, this.data.slice());
    for (let i = 0; i < part.rows; i++) {
      for (let j = 0; j < part.cols; j++) out.data[(row + i) * this.cols + col + j] = part.at(i, j);
    }
    return out;
  }

  /** The inner product sum_ij this_ij other_ij. */
  dot(other: Matrix): number {
    this.expectSame("dot", other);
    return this.data.reduce((sum, x, i) => sum + x * other.data[i], 0);
  }

  /** Largest absolute column sum. */
  norm1(): number {
    let norm = 0;
    for (let j = 0; j < this.cols; j++) {
      let sum = 0;
      for (let i = 0; i < this.rows; i++) sum += Math.abs(this.at(i, j));
      norm = Math.max(norm, sum);
    }
    return norm;
  }

  private expectSame(op: string, other: Matrix): void {
    if (this.rows !== other.rows || this.cols !== other.cols) {
      throw new ShapeError(
        `Matrix.${op}: other must be [${this.rows}, ${this.cols}], got [${other.rows}, ${other.cols}]`,
      );
    }
  }
}
