/**
 * Mamba from tokens to logits in plain float64 loops: what the fast path computes, without tensors, batches or tricks.
 * Read it top down: model, mixer, then the small functions. A sequence is an array of tokens, a token a Float64Array.
 * l tokens, d channels (dInner), n state entries a channel. Source: arXiv 2312.00752, figure 3 and Algorithm 2.
 */
import { factorsByRow, type Projections } from "../../layers/linear.ts";
import { minimalMoe } from "../../layers/moeMinimal.ts";
import { weightsUnder } from "../../layers/plainLoops.ts";
import type { ResolvedModel } from "../../model/config.ts";
import type { MambaMixerConfig } from "./config.ts";

/** Weights by name, as `model.weights()` gives them. */
export type Weights = ReadonlyMap<string, { readonly values: ArrayLike<number> }>;
/** A weight of one layer or of the model, by the end of its name; absent ones (biases) are undefined. */
export type Lookup = (name: string) => Float64Array | undefined;
export type Sequence = readonly Float64Array[];

/** Logits [l][v] of a Mamba or FalconMamba language model. */
export function minimalMamba(weights: Weights, model: ResolvedModel, ids: readonly number[]): Sequence {
  return minimalLanguageModel(weights, model, ids, (x, weight, config) =>
    mambaMixer(x, weight, config as MambaMixerConfig),
  );
}

/** Embedding, then blocks x + mixer(norm(x)), then a norm and the head. Every model of the family is this around another mixer. */
export function minimalLanguageModel(
  weights: Weights,
  model: ResolvedModel,
  ids: readonly number[],
  mixer: (x: Sequence, weight: Lookup, config: object, layer: number) => Sequence,
): Sequence {
  const under = (prefix: string, projections: Projections = {}): Lookup => {
    return (name) => {
      const found = weights.get(prefix + name);
      return found && timesFactors(Float64Array.from(found.values), name, projections);
    };
  };
  const norm = (x: Sequence, weight: Lookup): Sequence => x.map((token) => normalise(token, weight, model));
  const embedding = under("encoder.")("weight")!;
  let x: Sequence = ids.map((id) => embedding.slice(id * model.dModel, (id + 1) * model.dModel));
  model.layers.forEach(({ mixers, mlp }, layer) => {
    const at = `layers.${layer}.`;
    const weight = under(`${at}mixer.`, mixers[0]!.projections);
    x = addTokens(x, mixer(norm(x, under(`${at}norm.`)), weight, mixers[0]!.config, layer));
    if (mlp === undefined) return;
    const normed = norm(x, under(`${at}norm2.`));
    x = addTokens(
      x,
      mlp.experts > 0
        ? minimalMoe(mlp, weightsUnder(weights, `${at}mlp.`), normed)
        : gatedMlp(normed, under(`${at}mlp.`)),
    );
  });
  const head = under("head.")("weight") ?? embedding; // a tied head has no weight of its own
  return norm(x, under("norm_f.")).map((token) => matVec(head, token));
}

/** f (W x + b) = (f W) x + f b: factors on what a projection makes, taken into its weight and bias. */
function timesFactors(values: Float64Array, name: string, projections: Projections): Float64Array {
  const projection = name.replace(/\.(weight|bias)$/, "");
  const parts = projections[projection]?.factors;
  if (parts === undefined) return values;
  const rows = parts.reduce((sum, [count]) => sum + count, 0);
  const factors = factorsByRow(parts, rows, projection);
  return values.map((value, i) => value * factors[Math.floor(i / (values.length / rows))]!);
}

/** The mixer: project, convolve, select, scan, gate, project back. */
export function mambaMixer(input: Sequence, weight: Lookup, config: MambaMixerConfig): Sequence {
  const { dInner: d, dState: n, dtRank, mixerNormEps } = config;
  const projected = input.map((token) => matVec(weight("in_proj.weight")!, token, weight("in_proj.bias")));
  const u = convolve(
    projected.map((token) => token.slice(0, d)),
    weight("conv1d.weight")!,
    weight("conv1d.bias"),
  );
  const A = weight("A_log")!.map((ALog) => -Math.exp(ALog)); // [d, n]
  const D = weight("D")!;
  const [xProj, dtProj, dtBias] = [weight("x_proj.weight")!, weight("dt_proj.weight")!, weight("dt_proj.bias")!];
  const state = new Float64Array(d * n);

  const y = u.map((token, t) => {
    // The selection: what of this token is written (B), read (C), and how long it is looked at (delta).
    const parts = matVec(xProj, token);
    const normed = (name: string, from: number, until: number): Float64Array => {
      const part = parts.slice(from, until);
      // FalconMamba; Jamba has weights, too.
      return mixerNormEps === undefined ? part : rmsNorm(part, mixerNormEps, weight(`${name}_norm.weight`));
    };
    const delta = matVec(dtProj, normed("dt", 0, dtRank), dtBias).map(softplus); // [d]
    const B = normed("B", dtRank, dtRank + n);
    const C = normed("C", dtRank + n, dtRank + 2 * n);
    const z = projected[t]!.subarray(d);

    return token.map((value, c) => {
      let out = D[c]! * value;
      for (let s = 0; s < n; s++) {
        // x' = A x + B u over a step delta: exact for A, Euler for B.
        state[c * n + s] = Math.exp(delta[c]! * A[c * n + s]!) * state[c * n + s]! + delta[c]! * B[s]! * value;
        out += C[s]! * state[c * n + s]!;
      }
      return out * silu(z[c]!);
    });
  });
  return y.map((token) => matVec(weight("out_proj.weight")!, token, weight("out_proj.bias")));
}

/** silu of a depthwise causal convolution: each channel looks k tokens back, with zeros before the first. */
export function convolve(x: Sequence, taps: Float64Array, bias: Float64Array | undefined): Sequence {
  const channels = x[0]!.length;
  const k = taps.length / channels;
  return x.map((token, t) =>
    token.map((_, c) => {
      let sum = bias ? bias[c]! : 0;
      for (let tap = 0; tap < k; tap++) sum += taps[c * k + tap]! * (x[t - k + 1 + tap]?.[c] ?? 0);
      return silu(sum);
    }),
  );
}

/** fc2(y silu(gate)) with y, gate = fc1(x). */
export function gatedMlp(x: Sequence, weight: Lookup): Sequence {
  return x.map((token) => {
    const both = matVec(weight("fc1.weight")!, token);
    const half = both.length / 2;
    return matVec(
      weight("fc2.weight")!,
      both.slice(0, half).map((y, i) => y * silu(both[half + i]!)),
    );
  });
}

/** The norm before each mixer: RMS, or layer norm where the model has one. */
function normalise(token: Float64Array, weight: Lookup, { norm, normEps, normOffset }: ResolvedModel): Float64Array {
  const mean = norm === "layer" ? token.reduce((a, b) => a + b, 0) / token.length : 0;
  const bias = weight("bias");
  return rmsNorm(
    token.map((x) => x - mean),
    normEps,
    weight("weight")!.map((w) => w + normOffset),
  ).map((x, i) => x + (bias ? bias[i]! : 0));
}

/** x / sqrt(mean(x^2) + eps), times a weight. */
export function rmsNorm(x: Float64Array, eps: number, weight?: Float64Array): Float64Array {
  const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + eps);
  return x.map((value, i) => value * scale * (weight ? weight[i]! : 1));
}

/** W x + bias, W [rows, x.length]. */
export function matVec(W: Float64Array, x: Float64Array, bias?: Float64Array): Float64Array {
  const out = new Float64Array(W.length / x.length);
  for (let row = 0; row < out.length; row++) {
    let sum = bias ? bias[row]! : 0;
    for (let i = 0; i < x.length; i++) sum += W[row * x.length + i]! * x[i]!;
    out[row] = sum;
  }
  return out;
}

const addTokens = (a: Sequence, b: Sequence): Sequence => a.map((token, t) => token.map((x, i) => x + b[t]![i]!));
export const silu = (x: number): number => x / (1 + Math.exp(-x));
export const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));
