/**
 * Gated DeltaNet in plain float64 loops. The model around it is that of `../mamba/minimal.ts`.
 * h heads with a state [n, p] each; hk heads of queries and keys, each shared by h / hk. Source: arXiv 2412.06464, equation 10.
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
import type { GatedDeltaMixerConfig } from "./config.ts";

/** Logits [l][v] of a language model whose every layer is a Gated DeltaNet. */
export function minimalGatedDeltaNet(weights: Weights, model: ResolvedModel, ids: readonly number[]): Sequence {
  return minimalLanguageModel(weights, model, ids, (x, weight, config) =>
    gatedDeltaMixer(x, weight, config as GatedDeltaMixerConfig),
  );
}

/** One projection makes everything; each head then keeps a matrix that answers v when it is asked for k. */
export function gatedDeltaMixer(input: Sequence, weight: Lookup, config: GatedDeltaMixerConfig): Sequence {
  const { nHeads: h, nHeadsKey: hk, headDim: p, dState: n } = config;
  const projected = input.map((token) => matVec(weight("in_proj.weight")!, token)); // q, k, v, z, b, a
  const convDim = 2 * hk * n + h * p;
  const qkv = convolve(
    projected.map((token) => token.slice(0, convDim)),
    weight("conv1d.weight")!,
    undefined,
  );
  const A = weight("A_log")!.map((ALog) => -Math.exp(ALog)); // [h]
  const [dtBias, norm, outProj] = [weight("dt_bias")!, weight("norm.weight")!, weight("out_proj.weight")!];
  const states = Array.from({ length: h }, () => new Float64Array(n * p));

  return qkv.map((token, t) => {
    const z = projected[t]!.subarray(convDim);
    const b = z.subarray(h * p);
    const a = b.subarray(h);
    const answers = states.map((state, head) => {
      const shared = Math.floor(head / (h / hk));
      const q = unit(token.slice(shared * n, (shared + 1) * n));
      const k = unit(token.slice((hk + shared) * n, (hk + shared + 1) * n));
      const v = token.slice(2 * hk * n + head * p, 2 * hk * n + (head + 1) * p);
      const decay = Math.exp(A[head]! * softplus(a[head]! + dtBias[head]!));
      const beta = (config.negativeEigenvalues ? 2 : 1) / (1 + Math.exp(-b[head]!));
      const y = correct(state, q, k, v, decay, beta);
      return rmsNorm(y, config.mixerNormEps, norm).map((value, c) => value * silu(z[head * p + c]!));
    });
    return matVec(outProj, Float64Array.from(answers.flatMap((y) => [...y])));
  });
}

/** Forgets, corrects what the state [n, p] answers at k towards v, and asks it for q. */
function correct(
  state: Float64Array,
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  decay: number,
  beta: number,
): Float64Array {
  const p = v.length;
  const ask = (key: Float64Array): Float64Array =>
    v.map((_, c) => key.reduce((sum, x, s) => sum + x * state[s * p + c]!, 0));
  for (let i = 0; i < state.length; i++) state[i]! *= decay;
  const answer = ask(k);
  k.forEach((x, s) => v.forEach((value, c) => (state[s * p + c]! += x * beta * (value - answer[c]!))));
  return ask(q).map((y) => y / Math.sqrt(k.length));
}

/** x of length 1; the epsilon keeps a vector of zeros what it is. */
function unit(x: Float64Array): Float64Array {
  const length = Math.sqrt(x.reduce((sum, value) => sum + value * value, 1e-6));
  return x.map((value) => value / length);
}
