import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";
import { floatIn, wordOf } from "../halves/index.ts";

/** A cache of floats, or of words of two halves. */
interface Cache {
  get(i: number): number;
  /** Puts a vector, of an even length where it is one of halves, behind `at` values. */
  put(at: number, vector: Float32Array): void;
}

const floatCache = (floats: Float32Array): Cache => ({
  get: (i) => floats[i]!,
  put: (at, vector) => floats.set(vector, at),
});

const halfCache = (words: Int32Array): Cache => ({
  get: (i) => floatIn(words, i),
  put: (at, vector) => {
    for (let c = 0; c < vector.length; c += 2) words[(at + c) / 2] = wordOf(vector[c]!, vector[c + 1]!);
  },
});

/** A vector of p at `from`, turned by the angles of one position: r / 2 cosines, then as many sines, at `at`. */
function turn(
  x: Float32Array,
  from: number,
  p: number,
  rotary: Float32Array | undefined,
  at: number,
  r: number,
  interleaved: boolean,
): Float32Array {
  const y = x.slice(from, from + p);
  for (let i = 0; rotary && i < r / 2; i++) {
    const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r / 2];
    const [cos, sin] = [rotary[at + i]!, rotary[at + r / 2 + i]!];
    y[first] = x[from + first]! * cos - x[from + second]! * sin;
    y[second] = x[from + second]! * cos + x[from + first]! * sin;
  }
  return y;
}

/** Attention of one query a row over the cache, after its key and value were put there. */
export function causalAttentionStep(backend: CpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, h, p] = inputs.q!.shape as [number, number, number];
  const [m, hkv] = inputs.keys!.shape.slice(1, 3) as [number, number];
  const r = inputs.rotary?.shape[1] ?? 0;
  const y = backend.output(inputs.q!.shape);
  const [out, q, k, v] = [y, inputs.q!, inputs.k!, inputs.v!].map((x) => backend.floats(x)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [keys, values] = [inputs.keys!, inputs.values!].map((x) =>
    x.dtype === "int32" ? halfCache(backend.ints(x)) : floatCache(backend.floats(x)),
  ) as [Cache, Cache];
  const position = backend.ints(inputs.position!);
  const rotary = inputs.rotary && backend.floats(inputs.rotary);
  const visible = inputs.visible && backend.floats(inputs.visible);
  const sink = inputs.sink && backend.floats(inputs.sink);
  const scale = (attrs.scale as number) || 1 / Math.sqrt(p);
  const interleaved = attrs.interleaved as boolean;
  const softCap = attrs.softCap as number;
  const hidden = (row: number, j: number, t: number): boolean =>
    j < t && visible !== undefined && visible[row * m + j] === 0;
  backend.launch(() => {
    const weights = new Float64Array(m);
    const sum = new Float64Array(p);
    for (let row = 0; row < b; row++) {
      const t = position[row]!++;
      if (t < 0 || t >= m) {
        out.fill(Number.NaN, row * h * p, (row + 1) * h * p);
        continue;
      }
      for (let head = 0; head < hkv; head++) {
        const from = (row * hkv + head) * p;
        const to = ((row * m + t) * hkv + head) * p;
        keys.put(to, turn(k, from, p, rotary, t * r, r, interleaved));
        values.put(to, v.subarray(from, from + p));
      }
      for (let head = 0; head < h; head++) {
        const query = turn(q, (row * h + head) * p, p, rotary, t * r, r, interleaved);
        const cached = (j: number): number => ((row * m + j) * hkv + Math.floor((head * hkv) / h)) * p;
        const drawn = sink ? sink[head]! : Number.NEGATIVE_INFINITY;
        let peak = drawn;
        for (let j = 0; j <= t; j++) {
          weights[j] = Number.NEGATIVE_INFINITY;
          if (hidden(row, j, t)) continue;
          let dot = 0;
          for (let c = 0, at = cached(j); c < p; c++) dot += query[c]! * keys.get(at + c);
          const score = softCap === 0 ? scale * dot : softCap * Math.tanh((scale * dot) / softCap);
          weights[j] = score;
          peak = Math.max(peak, score);
        }
        let total = Math.exp(drawn - peak);
        sum.fill(0);
        for (let j = 0; j <= t; j++) {
          if (hidden(row, j, t)) continue;
          const weight = Math.exp(weights[j]! - peak);
          total += weight;
          for (let c = 0, at = cached(j); c < p; c++) sum[c]! += weight * values.get(at + c);
        }
        for (let c = 0; c < p; c++) out[(row * h + head) * p + c] = sum[c]! / total;
      }
    }
  });
  return [y];
}
