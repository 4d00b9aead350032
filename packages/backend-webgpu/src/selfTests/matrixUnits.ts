import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../backend.ts";
import { matrixGemm } from "../ops/matMul/matrixGemm.ts";
import type { SelfTest } from "./selfTest.ts";

/** Ragged in all three extents, more than a tile and more than a slice. */
const [m, n, k] = [140, 132, 200];

/** What a product may be off by, in shares of the sum of its terms' magnitudes. */
const bounds = { highest: 0, high: 2 ** -19, medium: 2 ** -10 };

/** Values in [-1, 1) times powers of two from 2^-8 to 1, the same ones each time. */
function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state >>> 8) / 2 ** 23 - 1) * 2 ** -(state & 7);
  });
}

/** The largest error of out = A^T B, A [k, m], B [k, n], in shares of the sum of its terms' magnitudes. */
function worstError(a: Float32Array, b: Float32Array, out: Float32Array): number {
  let worst = 0;
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let [sum, terms] = [0, 0];
      for (let i = 0; i < k; i++) {
        const term = a[i * m + row]! * b[i * n + column]!;
        sum += term;
        terms += Math.abs(term);
      }
      const error = Math.abs(out[row * n + column]! - sum) / terms;
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

/** Multiplies on the matrix units as the kernels do, to the backend's precision, and compares with float64. */
export const matrixUnits: SelfTest = {
  part: "matrix",
  applies: (backend) => backend.traits.matrix && backend.precision !== "highest",
  async run(backend: WebGpuBackend) {
    const [a, b] = [values(k * m, 1), values(k * n, 2)];
    const upload = (data: Float32Array, shape: readonly number[]): TensorInfo => ({
      dataId: backend.write(data, shape, "float32"),
      shape,
      dtype: "float32",
    });
    const [A, B] = [upload(a, [k, m]), upload(b, [k, n])];
    const out = backend.output([m, n]);
    matrixGemm(backend, { m, n, k, transposeA: true, transposeB: false }, A, B, out);
    const read = await backend.read(out.dataId);
    backend.release(A, B, out);
    const worst = worstError(a, b, read as Float32Array);
    const bound = bounds[backend.precision];
    return worst <= bound
      ? undefined
      : `a product of precision ${backend.precision} is off by ${worst.toExponential(1)}, more than ${bound.toExponential(1)}`;
  },
};
