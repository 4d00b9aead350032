import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../backend.ts";
import { halvedStates } from "../ops/ssdScan/halvedStates.ts";
import type { SelfTest } from "./selfTest.ts";

/** Two chunks, the second ragged, and as many heads as one workgroup makes in turn and one more. */
const shape = { b: 1, l: 100, h: 5, g: 1, r: 1, p: 64, n: 64, Q: 64, chunks: 2, firstChunk: 0 };
const { l, h, p, n, Q, chunks } = shape;

/** What an element may be off by, in shares of the sum of its terms' magnitudes. */
const bound = 2 ** -17;

/** Values in [-1, 1), the same ones each time. */
function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

/** The largest error of what the chunks add to the states, in shares of the sum of its terms' magnitudes. */
function worstError(v: Float32Array, k: Float32Array, decays: Float32Array, added: Float32Array): number {
  let worst = 0;
  for (let i = 0; i < added.length; i++) {
    const [column, row] = [i % n, Math.floor(i / n) % p];
    const owner = Math.floor(i / (n * p));
    const [head, first] = [owner % h, Math.floor(owner / h) * Q];
    let [sum, terms] = [0, 0];
    for (let q = 0; q < Math.min(Q, l - first); q++) {
      const at = 8 * (owner * Q + q);
      const scale = decays[at + 3]! * decays[at + 6]!;
      const term = scale * v[((first + q) * h + head) * p + row]! * k[(first + q) * n + column]!;
      sum += term;
      terms += Math.abs(term);
    }
    const error = Math.abs(added[i]! - sum) / terms;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

/** Makes states of chunks on the matrix units as the scans do, and compares with float64. */
export const matrixScans: SelfTest = {
  part: "matrixScans",
  applies: (backend) => backend.traits.matrixScans,
  async run(backend: WebGpuBackend) {
    const [v, k] = [values(l * h * p, 1), values(l * n, 2)];
    const decays = values(chunks * h * Q * 8, 3).map((value) => (1 + value) / 2);
    const upload = (data: Float32Array): TensorInfo => ({
      dataId: backend.write(data, [data.length], "float32"),
      shape: [data.length],
      dtype: "float32",
    });
    const given = [v, k, decays].map(upload) as [TensorInfo, TensorInfo, TensorInfo];
    const states = backend.output([chunks * h * p * n]);
    const loud = halvedStates(backend, shape, false, ...given, states);
    const added = (await backend.read(states.dataId)) as Float32Array;
    backend.release(...given, states, loud);
    const worst = worstError(v, k, decays, added);
    return worst <= bound
      ? undefined
      : `states of chunks are off by ${worst.toExponential(1)}, more than ${bound.toExponential(1)}`;
  },
};
