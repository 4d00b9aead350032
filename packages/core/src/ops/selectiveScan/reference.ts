import { ndclone, ndzeros, type NdArray } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import type { SelectiveScanAttrs } from "./spec.ts";

/** log(1 + e^x) without overflow or cancellation. */
export const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
/** x sigmoid(x). */
export const silu = (x: number): number => x / (1 + Math.exp(-x));

/** The recurrence of Mamba, token by token, as Algorithm 2 has it. */
export function selectiveScanReference(
  inputs: NdArrays,
  { deltaSoftplus, returnLastState }: Required<SelectiveScanAttrs>,
): NdArrays {
  const { u, delta, A, B, C, D, z, deltaBias, initialState, seqIdx } = inputs;
  const [b, l, d] = u!.shape as [number, number, number];
  const n = A!.shape[1]!;
  const y = ndzeros([b, l, d]);
  const state = initialState ? ndclone(initialState) : ndzeros([b, d, n]);
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      if (t > 0 && seqIdx && seqIdx.data[i * l + t] !== seqIdx.data[i * l + t - 1])
        state.data.fill(0, i * d * n, (i + 1) * d * n);
      for (let c = 0; c < d; c++) {
        const at = (i * l + t) * d + c;
        const raw = delta!.data[at]! + (deltaBias?.data[c] ?? 0);
        const step = deltaSoftplus ? softplus(raw) : raw;
        const h = state.data.subarray((i * d + c) * n, (i * d + c + 1) * n);
        let out = D ? D.data[c]! * u!.data[at]! : 0;
        for (let s = 0; s < n; s++) {
          const ABar = Math.exp(step * A!.data[c * n + s]!);
          const BBar = step * pick(B!, i * l + t, c, s, d);
          h[s] = ABar * h[s]! + BBar * u!.data[at]!;
          out += pick(C!, i * l + t, c, s, d) * h[s]!;
        }
        y.data[at] = z ? out * silu(z.data[at]!) : out;
      }
    }
  }
  return returnLastState ? { y, lastState: state } : { y };
}

/** B or C of a channel at a token: [b, l, n], or [b, l, g, n] where d / g channels share a group. */
function pick(x: NdArray, token: number, channel: number, s: number, d: number): number {
  const n = x.shape.at(-1)!;
  const groups = x.shape.length === 4 ? x.shape[2]! : 1;
  const group = Math.floor(channel / (d / groups));
  return x.data[(token * groups + group) * n + s]!;
}

/** One step of the same recurrence: the scan at l = 1. */
export function selectiveScanStepReference(inputs: NdArrays, { deltaSoftplus }: { deltaSoftplus: boolean }): NdArrays {
  const withL = (x: NdArray | undefined): NdArray | undefined =>
    x && { shape: [x.shape[0]!, 1, ...x.shape.slice(1)], data: x.data };
  const { state, u, delta, A, B, C, D, z, deltaBias } = inputs;
  const full = {
    u: withL(u),
    delta: withL(delta),
    A,
    B: withL(B),
    C: withL(C),
    D,
    z: withL(z),
    deltaBias,
    initialState: state,
  };
  const present = Object.fromEntries(Object.entries(full).filter(([, x]) => x !== undefined)) as NdArrays;
  const { y, lastState } = selectiveScanReference(present, { deltaSoftplus, returnLastState: true });
  return { y: { shape: [...u!.shape], data: y!.data }, state: lastState! };
}
