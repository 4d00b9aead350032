import { ndclone, ndzeros, type NdArray } from "../../math/ndarray.ts";
import type { NdArrays } from "../../tensor/index.ts";
import { silu, softplus } from "../selectiveScan/reference.ts";
import type { SsdScanAttrs } from "./spec.ts";

/** The recurrence of Mamba-2, token by token and head by head. */
export function ssdScanReference(inputs: NdArrays, attrs: Required<SsdScanAttrs>): NdArrays {
  const { x, dt, A, B, C, D, z, dtBias, initialState, seqIdx } = inputs;
  const [b, l, h, p] = x!.shape as [number, number, number, number];
  const [g, n] = B!.shape.slice(2) as [number, number];
  const y = ndzeros([b, l, h, p]);
  const state = initialState ? ndclone(initialState) : ndzeros([b, h, p, n]);
  for (let i = 0; i < b; i++) {
    for (let t = 0; t < l; t++) {
      const token = i * l + t;
      if (t > 0 && seqIdx && seqIdx.data[token] !== seqIdx.data[token - 1])
        state.data.fill(0, i * h * p * n, (i + 1) * h * p * n);
      for (let head = 0; head < h; head++) {
        const delta = ssdDelta(dt!.data[token * h + head]! + (dtBias?.data[head] ?? 0), attrs);
        const decay = Math.exp(delta * A!.data[head]!);
        const bc = (token * g + Math.floor((head * g) / h)) * n;
        for (let c = 0; c < p; c++) {
          const at = (token * h + head) * p + c;
          const u = x!.data[at]!;
          const row = ((i * h + head) * p + c) * n;
          let out = D ? D.data[D.shape.length === 2 ? head * p + c : head]! * u : 0;
          for (let s = 0; s < n; s++) {
            state.data[row + s] = decay * state.data[row + s]! + delta * B!.data[bc + s]! * u;
            out += C!.data[bc + s]! * state.data[row + s]!;
          }
          y.data[at] = z ? out * silu(z.data[at]!) : out;
        }
      }
    }
  }
  return attrs.returnLastState ? { y, lastState: state } : { y };
}

/** The step of a head at a token: softplus, then the clamp. */
function ssdDelta(raw: number, { dtSoftplus, dtMin, dtMax }: Required<SsdScanAttrs>): number {
  const delta = dtSoftplus ? softplus(raw) : raw;
  return Math.min(dtMax, Math.max(dtMin, delta));
}

/** One step of the same recurrence: the scan at l = 1. */
export function ssdScanStepReference(
  { state, A, D, dtBias, ...tokens }: NdArrays,
  attrs: Omit<Required<SsdScanAttrs>, "chunkSize" | "returnLastState">,
): NdArrays {
  const withL = ({ shape, data }: NdArray): NdArray => ({ shape: [shape[0]!, 1, ...shape.slice(1)], data });
  const sequence = Object.fromEntries(Object.entries(tokens).map(([name, value]) => [name, withL(value)]));
  const fixed = Object.fromEntries(
    Object.entries({ A, D, dtBias, initialState: state }).filter(([, value]) => value !== undefined),
  );
  const { y, lastState } = ssdScanReference({ ...sequence, ...fixed } as NdArrays, {
    ...attrs,
    chunkSize: 1,
    returnLastState: true,
  });
  return { y: { shape: [...tokens.x!.shape], data: y!.data }, state: lastState! };
}
