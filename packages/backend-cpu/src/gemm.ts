/** Rows of a matrix, in whatever form they are stored. */
export interface Rows {
  /** Writes row `row`, k values, to target[at], target[at + step], .. */
  load(row: number, target: Float64Array, at: number, step: number): void;
  /** Where the rows lie, if each is one run of floats. */
  readonly runs?: { readonly data: Float32Array; readonly offset: number; readonly stride: number } | undefined;
}

/** Rows of a matrix that lies in an array: element (row, i) at offset + row rowStride + i columnStride. */
export function rowsOf(data: Float32Array, k: number, offset: number, rowStride: number, columnStride: number): Rows {
  return {
    load: (row, target, at, step) => {
      let from = offset + row * rowStride;
      for (let i = 0, to = at; i < k; i++, to += step, from += columnStride) target[to] = data[from]!;
    },
    runs: columnStride === 1 ? { data, offset, stride: rowStride } : undefined,
  };
}

export interface Gemm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Rows of the left matrix, [m, k]. */
  readonly a: Rows;
  /** Rows of the right matrix transposed, [n, k]. */
  readonly b: Rows;
  /** Added to every row, [n]. */
  readonly bias?: Float32Array | undefined;
  readonly out: Float32Array;
  readonly offset?: number;
}

/**
 * out = a b^T + bias, [m, n], summed in float64.
 * Four rows of each side are laid side by side, so that 16 sums stay in registers while two streams are read in order.
 */
export function gemm(product: Gemm): void {
  const { m, n, k, a, b, bias, out, offset = 0 } = product;
  if (m === 1 && b.runs) return gemv(product, b.runs);
  const left = new Float64Array(Math.ceil(m / 4) * 4 * k);
  for (let i = 0; i < m; i++) a.load(i, left, (i >> 2) * 4 * k + (i & 3), 4);
  const right = new Float64Array(4 * k);
  const tile = new Float64Array(16);
  for (let j = 0; j < n; j += 4) {
    const columns = Math.min(4, n - j);
    for (let c = 0; c < columns; c++) b.load(j + c, right, c, 4);
    for (let i = 0; i < m; i += 4) {
      const rows = Math.min(4, m - i);
      if (rows === 1) dotOne(left, i * k, right, k, tile);
      else dotFour(left, i * k, right, k, tile);
      for (let r = 0; r < rows; r++) {
        const at = offset + (i + r) * n + j;
        for (let c = 0; c < columns; c++) out[at + c] = tile[4 * r + c]! + (bias === undefined ? 0 : bias[j + c]!);
      }
    }
  }
}

/** The product of a single row: every weight is used once, so laying rows side by side would only cost. */
function gemv(
  { n, k, a, bias, out, offset = 0 }: Gemm,
  { data, offset: start, stride }: NonNullable<Rows["runs"]>,
): void {
  const x = new Float64Array(k);
  a.load(0, x, 0, 1);
  const sums = new Float64Array(4);
  for (let j = 0; j < n; j += 4) {
    const columns = Math.min(4, n - j);
    if (columns === 4) dotRuns(x, data, start + j * stride, stride, sums);
    for (let c = 0; c < columns; c++) {
      if (columns < 4) sums[c] = dotRun(x, data, start + (j + c) * stride);
      out[offset + j + c] = sums[c]! + (bias === undefined ? 0 : bias[j + c]!);
    }
  }
}

function dotRun(x: Float64Array, data: Float32Array, from: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * data[from + i]!;
  return sum;
}

/** Dot products of x with four runs. */
function dotRuns(x: Float64Array, data: Float32Array, from: number, stride: number, sums: Float64Array): void {
  const [p0, p1, p2, p3] = [from, from + stride, from + 2 * stride, from + 3 * stride];
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    s0 += value * data[p0 + i]!;
    s1 += value * data[p1 + i]!;
    s2 += value * data[p2 + i]!;
    s3 += value * data[p3 + i]!;
  }
  sums.set([s0, s1, s2, s3]);
}

/** 4 x 4 dot products of interleaved rows. */
// prettier-ignore
function dotFour(a: Float64Array, from: number, b: Float64Array, k: number, tile: Float64Array): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0;
  let s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0;
  let s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  for (let i = 0, p = from, q = 0; i < k; i++, p += 4, q += 4) {
    const b0 = b[q]!, b1 = b[q + 1]!, b2 = b[q + 2]!, b3 = b[q + 3]!;
    const a0 = a[p]!, a1 = a[p + 1]!, a2 = a[p + 2]!, a3 = a[p + 3]!;
    s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2; s03 += a0 * b3;
    s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2; s13 += a1 * b3;
    s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2; s23 += a2 * b3;
    s30 += a3 * b0; s31 += a3 * b1; s32 += a3 * b2; s33 += a3 * b3;
  }
  tile[0] = s00; tile[1] = s01; tile[2] = s02; tile[3] = s03;
  tile[4] = s10; tile[5] = s11; tile[6] = s12; tile[7] = s13;
  tile[8] = s20; tile[9] = s21; tile[10] = s22; tile[11] = s23;
  tile[12] = s30; tile[13] = s31; tile[14] = s32; tile[15] = s33;
}

/** 1 x 4 dot products of the first of four interleaved rows. */
// prettier-ignore
function dotOne(a: Float64Array, from: number, b: Float64Array, k: number, tile: Float64Array): void {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (let i = 0, p = from, q = 0; i < k; i++, p += 4, q += 4) {
    const x = a[p]!;
    s0 += x * b[q]!;
    s1 += x * b[q + 1]!;
    s2 += x * b[q + 2]!;
    s3 += x * b[q + 3]!;
  }
  tile[0] = s0; tile[1] = s1; tile[2] = s2; tile[3] = s3;
}
