import type { KernelInputs } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/**
 * What a convolution reads. A row's inputs are laid behind its initial state (zeros if absent), [k-1 + l, d],
 * so that tap j of token t reads line t + j.
 */
export interface ConvWindow {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly k: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  /** Fills `lines` with row i. */
  loadRow(i: number, lines: Float64Array): void;
  /** First tap of token t that reads its own sequence; the taps before it see zeros. */
  firstTap(i: number, t: number): number;
}

export function convWindow(backend: CpuBackend, inputs: KernelInputs): ConvWindow {
  const [b, l, d] = inputs.x!.shape as [number, number, number];
  const k = inputs.weight!.shape[1]!;
  const x = backend.floats(inputs.x!);
  const initialState = inputs.initialState && backend.floats(inputs.initialState);
  const seqIdx = inputs.seqIdx && backend.ints(inputs.seqIdx);
  const before = (k - 1) * d;
  return {
    b,
    l,
    d,
    k,
    weight: backend.floats(inputs.weight!),
    bias: inputs.bias && backend.floats(inputs.bias),
    loadRow: (i, lines) => {
      if (initialState) lines.set(initialState.subarray(i * before, (i + 1) * before));
      lines.set(x.subarray(i * l * d, (i + 1) * l * d), before);
    },
    firstTap: (i, t) => {
      if (!seqIdx) return 0;
      // What lies before t = 0 belongs to the row's first sequence.
      const sequence = (s: number): number => seqIdx[i * l + Math.max(s, 0)]!;
      let tap = k - 1;
      while (tap > 0 && sequence(t - (k - 1) + tap - 1) === sequence(t)) tap--;
      return tap;
    },
  };
}

/** bias + sum_j weight_j line_{t+j} for channel c, before the activation. */
export function convolveAt(
  { d, k, weight, bias }: ConvWindow,
  lines: Float64Array,
  t: number,
  c: number,
  firstTap: number,
): number {
  let dot = bias ? bias[c]! : 0;
  for (let j = firstTap; j < k; j++) dot += weight[c * k + j]! * lines[(t + j) * d + c]!;
  return dot;
}
