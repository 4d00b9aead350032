/**
 * Mamba-2 from tokens to logits in plain float64 loops. Embedding, blocks and head are those of `../mamba/minimal.ts`; here is the mixer.
 * h heads of p channels, each with a state [p, n]; h/g heads share a group's B and C. Source: arXiv 2405.21060, figure 6 and section 7.
 */
import type { ResolvedModel } from "../../model/config.ts";
import {
  convolve,
  matVec,
  minimalLanguageModel,
  rmsNorm,
  silu,
  softplus,
  type Lookup,
  type Sequence,
  type Weights,
} from "../mamba/minimal.ts";
import type { Mamba2MixerConfig } from "./config.ts";

/** Logits [l][v] of a Mamba-2 language model. */
export function minimalMamba2(weights: Weights, model: ResolvedModel, ids: readonly number[]): Sequence {
  return minimalLanguageModel(weights, model, ids, (x, weight, config) =>
    mamba2Mixer(x, weight, config as Mamba2MixerConfig),
  );
}

/** The mixer: one projection makes everything, x, B and C are convolved together, and A is one number a head. */
export function mamba2Mixer(input: Sequence, weight: Lookup, config: Mamba2MixerConfig): Sequence {
  const { dInner: d, dState: n, nHeads: h, headDim: p, nGroups: g, timeStepLimit } = config;
  const projected = input.map((token) => matVec(weight("in_proj.weight")!, token, weight("in_proj.bias"))); // z, xBC, dt
  const convDim = d + 2 * g * n;
  const xBC = convolve(
    projected.map((token) => token.slice(d, d + convDim)),
    weight("conv1d.weight")!,
    weight("conv1d.bias"),
  );
  const A = weight("A_log")!.map((ALog) => -Math.exp(ALog)); // [h]
  const [D, dtBias] = [weight("D")!, weight("dt_bias")!];
  const state = new Float64Array(h * p * n);

  const y = xBC.map((token, t) => {
    const x = token.subarray(0, d); // [h, p]
    const B = token.subarray(d, d + g * n); // [g, n]
    const C = token.subarray(d + g * n); // [g, n]
    const dt = projected[t]!.subarray(d + convDim); // [h]
    const out = new Float64Array(d);
    for (let head = 0; head < h; head++) {
      const delta = clamp(softplus(dt[head]! + dtBias[head]!), timeStepLimit);
      const decay = Math.exp(delta * A[head]!);
      const group = Math.floor(head / (h / g)) * n;
      for (let channel = head * p; channel < (head + 1) * p; channel++) {
        out[channel] = D[D.length === d ? channel : head]! * x[channel]!;
        for (let s = 0; s < n; s++) {
          state[channel * n + s] = decay * state[channel * n + s]! + delta * x[channel]! * B[group + s]!;
          out[channel]! += C[group + s]! * state[channel * n + s]!;
        }
      }
    }
    return gatedNorm(out, projected[t]!.subarray(0, d), weight("norm.weight"), config);
  });
  return y.map((token) => matVec(weight("out_proj.weight")!, token, weight("out_proj.bias")));
}

/** The gate silu(z) before the norm or after it; groups of channels are normed apart. Some models have the gate alone. */
function gatedNorm(
  y: Float64Array,
  z: Float64Array,
  weight: Float64Array | undefined,
  config: Mamba2MixerConfig,
): Float64Array {
  const { mixerNormEps, normBeforeGate, normGroupSize: size } = config;
  const gate = (x: Float64Array): Float64Array => x.map((value, i) => value * silu(z[i]!));
  if (weight === undefined) return gate(y);
  const norm = (x: Float64Array): Float64Array => {
    const out = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += size)
      out.set(rmsNorm(x.slice(from, from + size), mixerNormEps, weight.subarray(from, from + size)), from);
    return out;
  };
  return normBeforeGate ? gate(norm(y)) : norm(gate(y));
}

const clamp = (x: number, [low, high]: readonly [number, number]): number => Math.min(high, Math.max(low, x));
