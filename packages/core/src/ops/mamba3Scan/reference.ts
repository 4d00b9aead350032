import { ndclone, ndzeros, type NdArray } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import { silu } from "../selectiveScan/reference.ts";
import type { Mamba3ScanAttrs } from "./spec.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The recurrence of Mamba-3 after its rotation, token by token and head by head. */
export function mamba3ScanReference(
  inputs: NdArrays,
  { returnLastState }: Pick<Mamba3ScanAttrs, "returnLastState">,
): NdArrays {
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, seqIdx } = inputs;
  const [b, l, h, r, n] = q!.shape as [number, number, number, number, number];
  const p = v!.shape[4]!;
  const y = ndzeros([b, l, h, r, p]);
  const state = initialState ? ndclone(initialState) : ndzeros([b, h, p, n]);
  /** What rank j of a head wrote and with what key: of token t of the row, or of the one before the first. */
  const written = (
    row: NdArray,
    before: NdArray | undefined,
    i: number,
    t: number,
    head: number,
    j: number,
    width: number,
  ): Float64Array => {
    if (t >= 0)
      return row.data.subarray(
        (((i * l + t) * h + head) * r + j) * width,
        (((i * l + t) * h + head) * r + j + 1) * width,
      );
    return before
      ? before.data.subarray(((i * h + head) * r + j) * width, ((i * h + head) * r + j + 1) * width)
      : new Float64Array(width);
  };
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      const starts = t > 0 && seqIdx !== undefined && seqIdx.data[i * l + t] !== seqIdx.data[i * l + t - 1];
      for (let head = 0; head < h; head++) {
        const at = (i * l + t) * h + head;
        const lambda = sigmoid(trap!.data[at]!);
        const alpha = starts ? 0 : Math.exp(adt!.data[at]!);
        const beta = (1 - lambda) * dt!.data[at]! * alpha;
        const gamma = lambda * dt!.data[at]!;
        const own = state.data.subarray((i * h + head) * p * n, (i * h + head + 1) * p * n);
        own.forEach((value, e) => (own[e] = alpha * value));
        for (let j = 0; j < r; j++) {
          for (const [weight, token] of [
            [beta, t - 1],
            [gamma, t],
          ] as const) {
            const key = written(k!, initialK, i, token, head, j, n);
            const value = written(v!, initialV, i, token, head, j, p);
            for (let c = 0; c < p; c++) for (let s = 0; s < n; s++) own[c * n + s]! += weight * value[c]! * key[s]!;
          }
        }
        for (let j = 0; j < r; j++) {
          for (let c = 0; c < p; c++) {
            const e = (at * r + j) * p + c;
            let out = D ? D.data[head]! * v!.data[e]! : 0;
            for (let s = 0; s < n; s++) out += own[c * n + s]! * q!.data[(at * r + j) * n + s]!;
            y.data[e] = z ? out * silu(z.data[e]!) : out;
          }
        }
      }
    }
  }
  return returnLastState ? { y, lastState: state } : { y };
}

/** One step of the same recurrence: the scan at l = 1, and what the next step has to know of this one. */
export function mamba3ScanStepReference({ state, lastK, lastV, D, ...tokens }: NdArrays): NdArrays {
  const sequence = Object.fromEntries(
    Object.entries(tokens).map(([name, { shape, data }]): [string, NdArray] => [
      name,
      { shape: [shape[0]!, 1, ...shape.slice(1)], data },
    ]),
  );
  const { y, lastState } = mamba3ScanReference(
    { ...sequence, ...(D ? { D } : {}), initialState: state!, initialK: lastK!, initialV: lastV! },
    { returnLastState: true },
  );
  return {
    y: { shape: [...tokens.v!.shape], data: y!.data },
    state: lastState!,
    lastK: ndclone(tokens.k!),
    lastV: ndclone(tokens.v!),
  };
}
