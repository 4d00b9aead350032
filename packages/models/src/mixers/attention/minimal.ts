/**
 * A decoder-only Transformer from tokens to logits in plain float64 loops. Embedding, blocks, MLP and head are those of
 * `../mamba/minimal.ts`; here is causal attention. h heads of p channels, hkv of keys and values. Source: arXiv 1706.03762.
 */
import type { ResolvedModel } from "../../model/config.ts";
import {
  matVec,
  minimalLanguageModel,
  rmsNorm,
  silu,
  type Lookup,
  type Sequence,
  type Weights,
} from "../mamba/minimal.ts";
import type { AttentionMixerConfig } from "./config.ts";
import { rotaryFrequencies } from "./scaling.ts";

/** Logits [l][v] of a language model whose every layer is attention. */
export function minimalTransformer(weights: Weights, model: ResolvedModel, ids: readonly number[]): Sequence {
  return minimalLanguageModel(weights, model, ids, (x, weight, config) =>
    attentionMixer(x, weight, config as AttentionMixerConfig),
  );
}

/** Every token asks (q) all tokens up to itself (k) and averages what they offer (v). */
export function attentionMixer(input: Sequence, weight: Lookup, config: AttentionMixerConfig): Sequence {
  const {
    nHeads: h,
    nHeadsKv: hkv,
    headDim: p,
    mlpDim,
    window,
    softCap,
    softmaxScale,
    outputGate,
    qkNorm,
    qkNormEps,
  } = config;
  const qkvDim = (h + 2 * hkv) * p;
  const projected = input.map((token) => matVec(weight("in_proj.weight")!, token, weight("in_proj.bias")));
  const convolved = convolve(
    projected.map((token) => token.slice(0, qkvDim)),
    weight("conv1d.weight"),
    weight("conv1d.bias"),
  );
  /** Head number `head` of q, k and v, which lie one after the other; q and k turned by their position. */
  const headOf = (token: Float64Array, head: number): Float64Array => token.slice(head * p, (head + 1) * p);
  const normed = (token: Float64Array): Float64Array => {
    const norm = (x: Float64Array, name: string): Float64Array =>
      rmsNorm(
        x,
        qkNormEps,
        weight(name)!.map((w) => w + config.qkNormOffset),
      );
    if (qkNorm === "none") return token;
    const [q, k] = [token.slice(0, h * p), token.slice(h * p, (h + hkv) * p)];
    const parts = [[q, "q_norm.weight"] as const, [k, "k_norm.weight"] as const].flatMap(([x, name]) => {
      const size = qkNorm === "head" ? p : x.length;
      return Array.from({ length: x.length / size }, (_, i) => norm(x.slice(i * size, (i + 1) * size), name));
    });
    return Float64Array.from([...parts, token.slice((h + hkv) * p)].flatMap((part) => [...part]));
  };
  const ready = convolved.map(normed);
  const turnedHead = (t: number, head: number): Float64Array => rotate(headOf(ready[t]!, head), t, config);

  return input.map((_, t) => {
    const out = new Float64Array(h * p + mlpDim / 2);
    for (let head = 0; head < h; head++) {
      const shared = Math.floor(head / (h / hkv));
      const q = turnedHead(t, head);
      // Before the window nothing is seen.
      const first = window > 0 ? Math.max(0, t + 1 - window) : 0;
      const seen = Array.from({ length: t + 1 - first }, (__, i) => first + i);
      const scores = seen
        .map((j) => softmaxScale * dot(q, turnedHead(j, h + shared)))
        .map((score) => (softCap ? softCap * Math.tanh(score / softCap) : score));
      // A sink is a score without a value.
      const sink = weight("sinks");
      softmax(sink === undefined ? scores : [...scores, sink[head]!])
        .slice(0, seen.length)
        .forEach((a, i) =>
          headOf(convolved[seen[i]!]!, h + hkv + shared).forEach((v, c) => (out[head * p + c]! += a * v)),
        );
    }
    const besides = projected[t]!.subarray(qkvDim);
    if (outputGate) for (let i = 0; i < h * p; i++) out[i]! /= 1 + Math.exp(-besides[i]!);
    // Some models run a gated MLP beside the heads.
    const mlp = besides.subarray(outputGate ? h * p : 0);
    for (let i = 0; i < mlpDim / 2; i++) out[h * p + i] = mlp[i]! * silu(mlp[mlpDim / 2 + i]!);
    return matVec(weight("out_proj.weight")!, out, weight("out_proj.bias"));
  });
}

/** Rotary position: pair i turns by position / base^(2i / dim), scaled or not; so q . k depends on the distance alone (arXiv 2104.09864). */
function rotate(
  x: Float64Array,
  position: number,
  { rotaryDim: dim, rotaryBase, rotaryScaling, rotaryInterleaved }: AttentionMixerConfig,
): Float64Array {
  const out = x.slice();
  const frequencies = rotaryFrequencies(dim, rotaryBase, rotaryScaling, position + 1);
  const gain = rotaryScaling?.gain ?? 1;
  for (let i = 0; i < dim / 2; i++) {
    const theta = position * frequencies[i]!;
    const [a, b] = rotaryInterleaved ? [2 * i, 2 * i + 1] : [i, i + dim / 2];
    out[a] = gain * (x[a]! * Math.cos(theta) - x[b]! * Math.sin(theta));
    out[b] = gain * (x[a]! * Math.sin(theta) + x[b]! * Math.cos(theta));
  }
  return out;
}

/** Each channel's weighted sum of its last k tokens, where the model has that. */
function convolve(x: Sequence, taps: Float64Array | undefined, bias: Float64Array | undefined): Sequence {
  if (taps === undefined) return x;
  const k = taps.length / x[0]!.length;
  return x.map((token, t) =>
    token.map((_, c) => {
      let sum = bias![c]!;
      for (let tap = 0; tap < k; tap++) sum += taps[c * k + tap]! * (x[t - k + 1 + tap]?.[c] ?? 0);
      return sum;
    }),
  );
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** exp(score) over their sum; the largest is taken off first, so that exp does not overflow. */
function softmax(scores: readonly number[]): number[] {
  const peak = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - peak));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}
