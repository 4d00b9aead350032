import type { KernelInputs } from "@statespace/core";
import type { CpuBackend } from "../../backend.ts";

/** The arrays of a convolution, and where its window reaches. */
export interface ConvArrays {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly k: number;
  readonly x: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly initialState: Float32Array | undefined;
  /** First tap whose input belongs to the sequence of token t in row i; the taps before it see zeros. */
  firstTap(i: number, t: number): number;
  /** Input of channel c at time s of row i; before 0 from the initial state, else zero. */
  input(i: number, s: number, c: number): number;
}

export function convArrays(backend: CpuBackend, inputs: KernelInputs): ConvArrays {
  const [b, l, d] = inputs.x!.shape as [number, number, number];
  const k = inputs.weight!.shape[1]!;
  const x = backend.floats(inputs.x!);
  const initialState = inputs.initialState && backend.floats(inputs.initialState);
  const seqIdx = inputs.seqIdx && backend.ints(inputs.seqIdx);
  return {
    b, l, d, k, x, initialState,
    weight: backend.floats(inputs.weight!),
    bias: inputs.bias && backend.floats(inputs.bias),
    firstTap: (i, t) => {
      if (!seqIdx) return 0;
      // What lies before t = 0 belongs to the row's first sequence.
      const sequence = (s: number): number => seqIdx[i * l + Math.max(s, 0)]!;
      let tap = k - 1;
      while (tap > 0 && sequence(t - (k - 1) + tap - 1) === sequence(t)) tap--;
      return tap;
    },
    input: (i, s, c) => {
      if (s >= 0) return x[(i * l + s) * d + c]!;
      return initialState ? initialState[(i * (k - 1) + k - 1 + s) * d + c]! : 0;
    },
  };
}

/** bias + sum_j weight_j x_{t-(k-1)+j}, before the activation. */
export function convolveAt(s: ConvArrays, i: number, t: number, c: number, firstTap: number): number {
  let dot = s.bias ? s.bias[c]! : 0;
  for (let j = firstTap; j < s.k; j++) dot += s.weight[c * s.k + j]! * s.input(i, t - (s.k - 1) + j, c);
  return dot;
}
