import {
  causalAttention,
  causalConv1d,
  concat,
  mul,
  reshape,
  sigmoid,
  silu,
  split,
  tidy,
  zeros,
  ArgumentError,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { attentionMap, causalAttentionStep, causalConv1dStep } from "@statespace/core/ops";
import type { CacheType } from "../../layers/cacheType.ts";
import { constant, kaimingUniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
  type Reservation,
} from "../../layers/mixer.ts";
import { Norm } from "../../layers/norm.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { POSITION } from "../../layers/reservedState.ts";
import type { AttentionMixerConfig } from "./config.ts";
import {
  appendToCache,
  floatsOf,
  replaceCache,
  reserveCache,
  stillVisible,
  type Cache,
  type CacheShape,
} from "./cache.ts";
import { RotaryPositions } from "./positions.ts";
import { behindWindow, emptyWindow, moveWindow, windowAfter, type InWindow } from "./window.ts";

/** Queries, keys and values of new tokens. */
interface Heads {
  readonly q: Tensor; // [b, l, h, p]
  readonly k: Tensor; // [b, l, hkv, p]
  readonly v: Tensor; // [b, l, hkv, p]
}

/** What goes past the attention. */
interface Beside {
  readonly gate: Tensor | undefined; // [..., h p]
  readonly mlp: Tensor | undefined; // [..., mlpDim / 2]
}

/**
 * Causal multi-head attention, as in the hybrids of `mamba_ssm`.
 *
 *     q, k, v, .. = inProj(input)                k and v for `nHeadsKv` heads, each shared by nHeads / nHeadsKv
 *     q, k, v = conv(q, k, v)                    where dConv > 0
 *     q, k    = norm(q), norm(k)                 where qkNorm is not none
 *     q, k    = rotated by their positions       where rotaryDim > 0
 *     y       = attention(q, k, v)               with a sink a head, where there are sinks; times sigmoid(outputGate), where inProj makes one
 *     output  = outProj(y, up silu(gate))        up and gate of inProj, where mlpDim > 0
 *
 * The state is the keys and values of all tokens so far: it grows, and a step costs as much as there are of them. A reserved state
 * has room for more of them, and a step on it is one in-place op that finds its position on the device. With a window it is those of the
 * last tokens, and its size constant. With `cacheType` f16 states keep halves: keys and values are rounded as they come, and attended to so
 * rounded, by the prompt's own tokens too. Without a state, as in training, nothing is rounded.
 * Source: arXiv 1706.03762; rotary positions arXiv 2104.09864; names of the weights as in the published checkpoints.
 */
export class AttentionMixer implements Mixer {
  readonly kind: string = "attention";
  readonly constantState: boolean;
  readonly config: AttentionMixerConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [p (h + 2 hkv) + (p h of a gate) + mlpDim, dModel]
  readonly convWeight: Parameter | undefined; // [p (h + 2 hkv), 1, dConv]
  readonly convBias: Parameter | undefined; // [p (h + 2 hkv)]
  readonly qNorm: Norm | undefined; // of p channels, or p h
  readonly kNorm: Norm | undefined; // of p channels, or p hkv
  readonly sinks: Parameter | undefined; // [h]
  readonly outProj: Linear; // [dOut, p h + mlpDim / 2]
  /** Absent where there is a window. */
  readonly reserve?: (state: LayerState, reservation: Reservation) => void;
  readonly #rotary: RotaryPositions;
  #cacheType: CacheType = "f32";

  /**
   * @param dOut channels that it gives
   * @throws ArgumentError for attention that looks ahead: it has no state to carry.
   */
  constructor(config: AttentionMixerConfig, build: ParameterBuilder, dOut: number = config.dModel) {
    if (!config.causal)
      throw new ArgumentError(
        "AttentionMixer: causal must be true; attention that looks ahead cannot be run token by token",
      );
    this.config = config;
    this.#rotary = new RotaryPositions(config, () => this.inProj.backend);
    this.constantState = config.window > 0;
    if (!this.constantState)
      this.reserve = (state, reservation) => reserveCache(state, reservation, this.#cacheShape, this.inProj.backend);
    const { dModel, nHeads: h, headDim: p, dConv: k, mlpDim } = config;
    const own = { decay: false };
    const inner = h * p + mlpDim / 2;
    const perHead = { rows: h * p, blocks: h };
    const parts = {
      q: perHead,
      k: config.nHeadsKv * p,
      v: config.nHeadsKv * p,
      ...(config.outputGate ? { outputGate: perHead } : {}),
      ...(mlpDim > 0 ? { up: mlpDim / 2, gate: mlpDim / 2 } : {}),
    };
    const width = this.#qkvDim + this.#gateDim + mlpDim;
    this.inProj = build.linear("in_proj", [width, dModel], kaimingUniform(dModel), { bias: config.useQkvBias, parts });
    this.convWeight = k > 0 ? build.make("conv1d.weight", [this.#qkvDim, 1, k], kaimingUniform(k)) : undefined;
    this.convBias = k > 0 ? build.make("conv1d.bias", [this.#qkvDim], kaimingUniform(k), own) : undefined;
    this.qNorm = this.#makeNorm(h, build.within("q_norm"));
    this.kNorm = this.#makeNorm(config.nHeadsKv, build.within("k_norm"));
    this.sinks = config.sinks ? build.make("sinks", [h], constant(0), own) : undefined;
    const ofInner = build.ontoResidual(kaimingUniform(inner));
    this.outProj = build.linear("out_proj", [dOut, inner], ofInner, { bias: config.useOutBias });
    this.parameters = [
      ...this.inProj.parameters,
      this.convWeight,
      this.convBias,
      this.qNorm?.weight,
      this.kNorm?.weight,
      this.sinks,
      ...this.outProj.parameters,
    ].filter((parameter) => parameter !== undefined);
  }

  get cacheType(): CacheType {
    return this.#cacheType;
  }

  /** @throws ArgumentError where halves cannot go in pairs. */
  set cacheType(type: CacheType) {
    const { headDim } = this.config;
    if (type === "f16" && headDim % 2 !== 0)
      throw new ArgumentError(`AttentionMixer: cacheType f16 needs an even headDim, got ${headDim}`);
    this.#cacheType = type;
  }

  /** Nothing was seen yet: there are no keys, or only room for those of a window. */
  initialState(batch: number): LayerState {
    const { dConv, window } = this.config;
    const { backend } = this.inProj;
    return {
      ...(dConv > 0 ? { conv: zeros([batch, dConv - 1, this.#qkvDim], { backend }) } : {}),
      ...(window > 0 ? emptyWindow(batch, window, this.#cacheShape, backend) : {}),
    };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const { y, ...state } = tidy(() => {
      this.#checkPacked(input, initialState, seqIdx);
      const { qkv, beside } = this.#project(input);
      const convolved = this.#convolve(qkv, { initialState, returnState, seqIdx });
      const type = returnState ? this.#cacheType : "f32";
      if (this.config.window > 0) {
        const { y, now } = this.#inWindow(convolved.y, type, initialState, seqIdx);
        const output = this.#output(y, beside);
        return { y: output, ...convolved.state, ...(returnState ? windowAfter(now, this.config.window, seqIdx) : {}) };
      }
      const fresh = this.#heads(convolved.y, initialState?.keys?.shape[1] ?? 0);
      const cache = appendToCache(initialState, fresh, type);
      const y = causalAttention(
        { q: fresh.q, ...seenOf(cache, initialState), seqIdx, sink: this.sinks?.value },
        { scale: this.config.softmaxScale, softCap: this.config.softCap ?? 0 },
      ).y;
      const output = this.#output(y, beside);
      if (!returnState) return { y: output };
      return { y: output, ...convolved.state, ...cache, visible: stillVisible(cache.visible, seqIdx) };
    }) as { y: Tensor } & Record<string, Tensor>;
    return returnState ? { y, state } : { y };
  }

  /** @throws ArgumentError where positions inside a packed row would not be those of its sequences alone. */
  #checkPacked(input: Tensor, initialState: LayerState | undefined, seqIdx: Tensor | undefined): void {
    const { rotaryScaling } = this.config;
    if (seqIdx === undefined || rotaryScaling?.type !== "dynamic") return;
    const tokens = input.shape[1]! + (initialState?.keys?.shape[1] ?? 0);
    if (tokens > rotaryScaling.trainedLength)
      throw new ArgumentError(
        `AttentionMixer: packed rows must be at most trainedLength = ${rotaryScaling.trainedLength} tokens long where rotaryScaling is dynamic, got ${tokens}`,
      );
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const [b] = input.shape as [number, number];
      const { qkv, beside } = this.#project(input);
      const convolved = this.#convolveStep(qkv, state);
      if (this.config.window > 0) {
        const { y, now } = this.#inWindow(reshape(convolved, [b, 1, this.#qkvDim]), this.#cacheType, state);
        moveWindow(state, now, this.config.window);
        return this.#output(reshape(y, [b, this.config.nHeads, this.config.headDim]), beside);
      }
      if (state[POSITION] !== undefined) return this.#output(this.#stepInRoom(convolved, state), beside);
      const fresh = this.#heads(reshape(convolved, [b, 1, this.#qkvDim]), state.keys?.shape[1] ?? 0);
      const cache = appendToCache(state, fresh, this.#cacheType);
      const { y } = causalAttention(
        { q: fresh.q, ...seenOf(cache, state), sink: this.sinks?.value },
        { scale: this.config.softmaxScale, softCap: this.config.softCap ?? 0 },
      );
      replaceCache(state, cache);
      return this.#output(reshape(y, [b, this.config.nHeads, this.config.headDim]), beside);
    });
  }

  /** Frees the table of positions, and what its norms derived from their weights. */
  dispose(): void {
    this.#rotary.dispose();
    this.qNorm?.dispose();
    this.kNorm?.dispose();
  }

  /** What each token looks at: [b, h, l, l]. */
  inspect(input: Tensor): Readonly<Record<"attention", Tensor>> {
    return { attention: this.map(input) };
  }

  /** What each token of a sequence looks at: [b, h, l, m], rows sum to 1 or what a sink leaves, m counting the tokens of the state too. */
  map(input: Tensor, { initialState, seqIdx }: Pick<ForwardOptions, "initialState" | "seqIdx"> = {}): Tensor {
    return tidy(() => {
      const { y } = this.#convolve(this.#project(input).qkv, { initialState, seqIdx });
      const { softmaxScale: scale, window, softCap = 0 } = this.config;
      if (window > 0) {
        const { q, k, visible } = this.#turnedInWindow(y, "f32", initialState);
        return attentionMap({ q, k, visible, seqIdx, sink: this.sinks?.value }, { scale, window, softCap });
      }
      const fresh = this.#heads(y, initialState?.keys?.shape[1] ?? 0);
      const { k, visible } = seenOf(appendToCache(initialState, fresh, "f32"), initialState);
      return attentionMap({ q: fresh.q, k, visible, seqIdx, sink: this.sinks?.value }, { scale, softCap });
    });
  }

  /** Attention over the last tokens of a state and these: [b, l, h, p], and what they saw. */
  #inWindow(
    qkv: Tensor,
    type: CacheType,
    before: LayerState | undefined,
    seqIdx?: Tensor,
  ): { y: Tensor; now: InWindow } {
    const { softmaxScale: scale, window, softCap = 0 } = this.config;
    const { q, k, visible, now } = this.#turnedInWindow(qkv, type, before);
    const sink = this.sinks?.value;
    return {
      y: causalAttention({ q, k, v: floatsOf(now.v), visible, seqIdx, sink }, { scale, window, softCap }).y,
      now,
    };
  }

  /** Queries and keys turned by their places among the tokens of a state and these. */
  #turnedInWindow(
    qkv: Tensor,
    type: CacheType,
    before: LayerState | undefined,
  ): Omit<InWindow, "v"> & { q: Tensor; now: InWindow } {
    const { q, k, v } = this.#normedHeads(qkv);
    const now = behindWindow(before?.lastKeys && before, { k, v }, type);
    return {
      q: this.#rotary.turned(q, now.k.shape[1]! - k.shape[1]!),
      k: this.#rotary.turned(floatsOf(now.k), 0),
      visible: now.visible,
      now,
    };
  }

  /** Attention of one token on a reserved state: [b, h, p]. */
  #stepInRoom(qkv: Tensor, state: LayerState): Tensor {
    const { rotaryInterleaved, softmaxScale, softCap = 0 } = this.config;
    return causalAttentionStep(
      {
        ...this.#normedHeads(qkv),
        keys: state.keys!,
        values: state.values!,
        position: state[POSITION]!,
        visible: state.visible,
        sink: this.sinks?.value,
        rotary: this.#rotary.table(state.keys!.shape[1]!),
      },
      { scale: softmaxScale, interleaved: rotaryInterleaved, softCap },
    ).y;
  }

  get #cacheShape(): CacheShape {
    const { nHeadsKv, headDim } = this.config;
    return { nHeadsKv, headDim, type: this.#cacheType };
  }

  get #qkvDim(): number {
    return this.config.headDim * (this.config.nHeads + 2 * this.config.nHeadsKv);
  }

  get #gateDim(): number {
    return this.config.outputGate ? this.config.headDim * this.config.nHeads : 0;
  }

  #makeNorm(heads: number, build: ParameterBuilder): Norm | undefined {
    const { qkNorm, qkNormEps: normEps, qkNormOffset: normOffset, headDim } = this.config;
    if (qkNorm === "none") return undefined;
    return new Norm({ norm: "rms", normEps, normOffset }, qkNorm === "head" ? headDim : heads * headDim, build);
  }

  #project(input: Tensor): { qkv: Tensor; beside: Beside } {
    const { mlpDim } = this.config;
    const all = this.inProj.apply(input);
    const extents = [this.#qkvDim, this.#gateDim, mlpDim / 2, mlpDim / 2].filter((extent) => extent > 0);
    const [qkv, ...rest] = extents.length === 1 ? [all] : (split(all, extents) as [Tensor, ...Tensor[]]);
    const gate = this.config.outputGate ? rest.shift() : undefined;
    const [up, mlpGate] = rest;
    return { qkv: qkv!, beside: { gate, mlp: up && mlpGate && mul(up, silu(mlpGate)) } };
  }

  #convolve(
    qkv: Tensor,
    { initialState, returnState = false, seqIdx }: ForwardOptions,
  ): { y: Tensor; state: LayerState } {
    if (this.convWeight === undefined) return { y: qkv, state: {} };
    const { y, lastState } = causalConv1d(
      {
        x: qkv,
        weight: this.#taps(this.convWeight),
        bias: this.convBias?.value,
        initialState: initialState?.conv,
        seqIdx,
      },
      { returnLastState: returnState },
    );
    return { y, state: returnState ? { conv: lastState! } : {} };
  }

  #convolveStep(qkv: Tensor, state: LayerState): Tensor {
    if (this.convWeight === undefined) return qkv;
    return causalConv1dStep({
      x: qkv,
      state: state.conv!,
      weight: this.#taps(this.convWeight),
      bias: this.convBias?.value,
    }).y;
  }

  #taps(weight: Parameter): Tensor {
    return reshape(weight.value, [this.#qkvDim, this.config.dConv]);
  }

  /** Heads of q, k and v [..], q and k normed where the layer does that, not rotated yet. */
  #normedHeads(qkv: Tensor): Heads {
    const { nHeads: h, nHeadsKv: hkv, headDim: p, qkNorm } = this.config;
    const lead = qkv.shape.slice(0, -1);
    const [q, k, v] = split(qkv, [h * p, hkv * p, hkv * p]) as [Tensor, Tensor, Tensor];
    const heads = (x: Tensor, count: number, norm?: Norm): Tensor => {
      const apart = (flat: Tensor): Tensor => reshape(flat, [...lead, count, p]);
      if (norm === undefined) return apart(x);
      return qkNorm === "head" ? norm.apply(apart(x)) : apart(norm.apply(x));
    };
    return { q: heads(q, h, this.qNorm), k: heads(k, hkv, this.kNorm), v: heads(v, hkv) };
  }

  /** Heads of q, k and v [b, l, ..], q and k rotated by positions that count from `from`. */
  #heads(qkv: Tensor, from: number): Heads {
    const { q, k, v } = this.#normedHeads(qkv);
    return { q: this.#rotary.turned(q, from), k: this.#rotary.turned(k, from), v };
  }

  #output(y: Tensor, { gate, mlp }: Beside): Tensor {
    const flat = reshape(y, [...y.shape.slice(0, -2), this.config.nHeads * this.config.headDim]);
    const gated = gate === undefined ? flat : mul(flat, sigmoid(gate));
    const x = mlp === undefined ? gated : concat([gated, mlp], -1);
    return this.outProj.apply(x);
  }
}

/** What the queries see of a cache; without earlier tokens nothing can be hidden. */
function seenOf(
  { keys, values, visible }: Cache,
  before: LayerState | undefined,
): { k: Tensor; v: Tensor; visible: Tensor | undefined } {
  return { k: floatsOf(keys), v: floatsOf(values), visible: before?.keys === undefined ? undefined : visible };
}
