/**
 * Mamba-3 from tokens to logits in plain float64 loops. Embedding, blocks and head are those of `../mamba/minimal.ts`; here is the mixer.
 * h heads of p channels, each with a state [p, n] that it writes and reads r times a token (r = 1: SISO; MIMO else).
 * Source: arXiv 2603.15569.
 */
import type { ResolvedModel } from "../../model/config.ts";
import {
  matVec,
  minimalLanguageModel,
  rmsNorm,
  silu,
  softplus,
  type Lookup,
  type Sequence,
  type Weights,
} from "../mamba/minimal.ts";
import type { Mamba3MixerConfig } from "./config.ts";

const NORM_EPS = 1e-5;

/** Logits [l][v] of a Mamba-3 language model. */
export function minimalMamba3(weights: Weights, model: ResolvedModel, ids: readonly number[]): Sequence {
  return minimalLanguageModel(weights, model, ids, (x, weight, config) =>
    mamba3Mixer(x, weight, config as Mamba3MixerConfig),
  );
}

/** What a head remembers. */
interface HeadState {
  readonly state: Float64Array; // [p, n]
  readonly angle: Float64Array; // [s]
  /** What the token before wrote, by rank: the trapezoidal rule needs both ends of a step. */
  written: { k: Float64Array; v: Float64Array }[];
}

/** The mixer: no convolution; every head takes its token's parts, turns them, and advances its state. */
export function mamba3Mixer(input: Sequence, weight: Lookup, config: Mamba3MixerConfig): Sequence {
  const { dInner: d, dState: n, nHeads: h, headDim: p, nGroups: g, mimoRank: r, nRopeAngles: s } = config;
  const heads = Array.from({ length: h }, (): HeadState => ({
    state: new Float64Array(p * n),
    angle: new Float64Array(s),
    written: [],
  }));
  const y = input.map((token) => {
    const [z, x, B, C, dt, a, trap, rates] = cut(matVec(weight("in_proj.weight")!, token), [
      d,
      d,
      g * n * r,
      g * n * r,
      h,
      h,
      h,
      s,
    ]) as Float64Array[];
    const out = new Float64Array(d);
    heads.forEach((memory, head) => {
      const group = Math.floor(head / (h / g));
      const vectors = (all: Float64Array, norm: string, bias: string): Float64Array[] =>
        Array.from({ length: r }, (_, rank) => {
          const normed = rmsNorm(all.slice((rank * g + group) * n, (rank * g + group + 1) * n), NORM_EPS, weight(norm));
          return normed.map((value, i) => value + weight(bias)![(head * r + rank) * n + i]!);
        });
      const channels = (all: Float64Array, scale: string): Float64Array[] =>
        Array.from({ length: r }, (_, rank) =>
          all
            .slice(head * p, (head + 1) * p)
            .map((value, c) => value * (weight(scale)?.[(head * r + rank) * p + c] ?? 1)),
        );

      const delta = softplus(dt![head]! + weight("dt_bias")![head]!);
      const A = -Math.max(activation(a![head]!, config), config.aFloor);
      const lambda = 1 / (1 + Math.exp(-trap![head]!));
      rates!.forEach((rate, i) => (memory.angle[i]! += Math.PI * Math.tanh(rate) * delta));
      const turned = (all: Float64Array[]): Float64Array[] =>
        all.map((vector) => rotate(vector, memory.angle, config.mimo));
      const k = turned(vectors(B!, "B_norm.weight", "B_bias"));
      const q = turned(vectors(C!, "C_norm.weight", "C_bias"));
      const v = channels(x!, "mimo_x");

      advance(
        memory,
        k.map((key, rank) => ({ k: key, v: v[rank]! })),
        delta,
        A,
        lambda,
      );
      const read = q.map((query, rank) =>
        matVec(memory.state, query).map((value, c) => value + weight("D")![head]! * v[rank]![c]!),
      );
      gateAndSum(read, channels(z!, "mimo_z"), weight, head, config).forEach((value, c) => (out[head * p + c] = value));
    });
    return out;
  });
  return y.map((token) => matVec(weight("out_proj.weight")!, token));
}

/**
 * One step of x' = A x + B u over delta: both ends of the step count, by lambda and 1 - lambda.
 * state = alpha state + (1 - lambda) delta alpha v'k'^T + lambda delta v k^T, alpha = exp(delta A); k', v' of the token before.
 */
function advance(memory: HeadState, now: HeadState["written"], delta: number, A: number, lambda: number): void {
  const alpha = Math.exp(delta * A);
  const { state } = memory;
  const n = now[0]!.k.length;
  state.forEach((value, e) => (state[e] = alpha * value));
  const add = (weight: number, pairs: HeadState["written"]): void => {
    for (const { k, v } of pairs)
      v.forEach((value, c) => k.forEach((key, i) => (state[c * n + i]! += weight * value * key)));
  };
  add((1 - lambda) * delta * alpha, memory.written);
  add(lambda * delta, now);
  memory.written = now;
}

/** Every rank gated by silu(z), after a norm over the head's channels where the model has one; then the ranks' weighted sum. */
function gateAndSum(
  read: readonly Float64Array[],
  z: readonly Float64Array[],
  weight: Lookup,
  head: number,
  { headDim: p, mimoRank: r }: Mamba3MixerConfig,
): Float64Array {
  const norm = weight("norm.weight")?.slice(head * p, (head + 1) * p);
  const out = new Float64Array(p);
  read.forEach((y, rank) => {
    const normed = norm === undefined ? y : rmsNorm(y, NORM_EPS, norm);
    normed.forEach(
      (value, c) => (out[c]! += value * silu(z[rank]![c]!) * (weight("mimo_o")?.[(head * r + rank) * p + c] ?? 1)),
    );
  });
  return out;
}

/** Pairs of entries turned by the head's angles: neighbours in SISO models, one of each half in MIMO ones. Entries without an angle stay. */
function rotate(x: Float64Array, angle: Float64Array, halves: boolean): Float64Array {
  const out = x.slice();
  angle.forEach((theta, i) => {
    const [a, b] = halves ? [i, i + x.length / 2] : [2 * i, 2 * i + 1];
    out[a] = x[a]! * Math.cos(theta) - x[b]! * Math.sin(theta);
    out[b] = x[a]! * Math.sin(theta) + x[b]! * Math.cos(theta);
  });
  return out;
}

/** What makes -A positive: softplus in the first release, since then a function with a heavier tail. */
function activation(x: number, { aActivation }: Mamba3MixerConfig): number {
  if (aActivation === "softplus") return softplus(x);
  return x >= 0 ? 1 + x : 1 / (1 - x);
}

function cut(x: Float64Array, extents: readonly number[]): Float64Array[] {
  let from = 0;
  return extents.map((extent) => x.slice(from, (from += extent)));
}
