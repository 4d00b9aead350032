import {
  add,
  broadcastTo,
  causalConv1d,
  exp,
  gatedDeltaRule,
  mul,
  neg,
  reshape,
  rmsNorm,
  sigmoid,
  softplus,
  split,
  tidy,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { isRecordingGradients } from "@statespace/core/backend";
import { causalConv1dStep, gatedDeltaRuleStep } from "@statespace/core/ops";
import { Derived } from "../../layers/derived.ts";
import { constant, inverseSoftplusSteps, kaimingUniform, logOfUniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { times } from "../../layers/times.ts";
import type { GatedDeltaMixerConfig } from "./config.ts";

/** What one projection of the input makes, in the order it makes them. */
interface Projected {
  readonly qkv: Tensor; // [..., 2 hk n + h p]
  readonly z: Tensor; // [..., h, p]
  readonly b: Tensor; // [..., h]
  readonly a: Tensor; // [..., h]
}

/** Queries and keys are divided by the root of their squares' sum and this, as in every published model. */
const L2_EPS = 1e-6;

/**
 * The Gated DeltaNet mixer: a matrix a head that forgets, and is corrected at each token towards the value v at the key k.
 *
 *     q, k, v, z, b, a = inProj(input)
 *     q, k, v          = silu(conv(q, k, v))         q and k of `nHeadsKey` heads, each shared by nHeads / nHeadsKey
 *     g                = -exp(ALog) softplus(a + dtBias)
 *     beta             = sigmoid(b)                  twice that with `negativeEigenvalues`
 *     y                = gatedDeltaRule(q / |q|, k / |k|, v, g, beta)
 *     output           = outProj(norm(y) silu(z))    the norm of each head apart, all with one weight
 *
 * Source: Yang, Kautz and Hatamizadeh 2024 (arXiv 2412.06464), figure 1; beta up to 2 from Grazzi et al. 2024 (arXiv 2411.12537). Names of
 * the weights as in the published checkpoints; files keep parts of `in_proj` and `conv1d` apart in several ways.
 */
export class GatedDeltaMixer implements Mixer {
  readonly kind: string = "gatedDelta";
  readonly constantState = true;
  readonly config: GatedDeltaMixerConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [2 hk n + 2 h p + 2 h, dModel]: q, k, v, z, b, a
  readonly convWeight: Parameter; // [2 hk n + h p, 1, k]
  readonly dtBias: Parameter; // [h]
  readonly ALog: Parameter; // [h]
  readonly norm: Parameter; // [p]
  readonly outProj: Linear; // [dModel, h p]
  readonly #A: Derived;

  constructor(config: GatedDeltaMixerConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, nHeads: h, nHeadsKey: hk, headDim: p, dState: n, dConv: k } = config;
    const own = { decay: false };
    // Some files interleave what belongs to one head of keys.
    const part = (rows: number): { rows: number; blocks: number } => ({ rows, blocks: hk });
    const parts = { q: part(hk * n), k: part(hk * n), v: part(h * p) };
    const all = { ...parts, z: part(h * p), b: part(h), a: part(h) };
    const width = this.#convDim + h * p + 2 * h;
    this.inProj = build.linear("in_proj", [width, dModel], kaimingUniform(dModel), { parts: all });
    this.convWeight = build.make("conv1d.weight", [this.#convDim, 1, k], kaimingUniform(k), { parts });
    const { timeStepMin, timeStepMax, timeStepFloor } = config;
    this.dtBias = build.make("dt_bias", [h], inverseSoftplusSteps(timeStepMin, timeStepMax, timeStepFloor), own);
    this.ALog = build.make("A_log", [h], logOfUniform(config.aInitRange), own);
    this.norm = build.make("norm.weight", [p], constant(1), own);
    this.outProj = build.linear("out_proj", [dModel, h * p], build.ontoResidual(kaimingUniform(h * p)));
    this.parameters = [
      ...this.inProj.parameters,
      this.convWeight,
      this.dtBias,
      this.ALog,
      this.norm,
      ...this.outProj.parameters,
    ];
    this.#A = new Derived(this.ALog, (ALog) => neg(exp(ALog)));
  }

  initialState(batch: number): LayerState {
    const { nHeads: h, headDim: p, dState: n, dConv: k } = this.config;
    const { backend } = this.inProj;
    return { conv: zeros([batch, k - 1, this.#convDim], { backend }), memory: zeros([batch, h, n, p], { backend }) };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const { y, conv, memory } = tidy(() => {
      const projected = this.#project(input);
      const { qkv, z } = projected;
      const convolved = causalConv1d(
        { x: qkv, weight: this.#taps(), initialState: initialState?.conv, seqIdx },
        { silu: true, returnLastState: returnState },
      );
      const scanned = gatedDeltaRule(
        { ...this.#heads(convolved.y), ...this.#gates(projected), initialState: initialState?.memory, seqIdx },
        { l2norm: true, l2eps: L2_EPS, returnLastState: returnState },
      );
      return {
        y: this.#output(scanned.y, z),
        ...(returnState ? { conv: convolved.lastState!, memory: scanned.lastState! } : {}),
      };
    }) as { y: Tensor; conv?: Tensor; memory?: Tensor };
    return returnState ? { y, state: { conv: conv!, memory: memory! } } : { y };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const projected = this.#project(input);
      const { qkv, z } = projected;
      // Right behind the projection, so that a backend can make both in one go.
      const convolved = causalConv1dStep({ x: qkv, state: state.conv!, weight: this.#taps() }, { silu: true }).y;
      const { y } = gatedDeltaRuleStep(
        { state: state.memory!, ...this.#heads(convolved), ...this.#gates(projected) },
        { l2norm: true, l2eps: L2_EPS },
      );
      return this.#output(y, z);
    });
  }

  /** `g` (the logarithm of each decay) and `beta` [b, l, h]; `q` and `k` [b, l, h, n], before their norm, and `v` [b, l, h, p]. */
  inspect(input: Tensor): Readonly<Record<string, Tensor>> {
    return tidy(() => {
      const projected = this.#project(input);
      const { y } = causalConv1d({ x: projected.qkv, weight: this.#taps() }, { silu: true });
      return { ...this.#gates(projected), ...this.#heads(y) };
    });
  }

  /** A = -exp(ALog), [h]; part of the tape while training. */
  get A(): Tensor {
    return isRecordingGradients() ? this.#A.fresh() : this.#A.cached();
  }

  /** Channels that are convolved: q, k and v. */
  get #convDim(): number {
    const { nHeads: h, nHeadsKey: hk, headDim: p, dState: n } = this.config;
    return 2 * hk * n + h * p;
  }

  #project(input: Tensor): Projected {
    const { nHeads: h, headDim: p } = this.config;
    const all = this.inProj.apply(input);
    const [qkv, z, b, a] = split(all, [this.#convDim, h * p, h, h]) as [Tensor, Tensor, Tensor, Tensor];
    return {
      qkv,
      z: reshape(z, [...z.shape.slice(0, -1), h, p]),
      b,
      a,
    };
  }

  /** How far each head corrects its memory, and the logarithm of what it keeps. */
  #gates({ b, a }: Projected): { beta: Tensor; g: Tensor } {
    return {
      beta: times(sigmoid(b), this.config.negativeEigenvalues ? 2 : 1),
      g: mul(softplus(add(a, this.dtBias.value)), this.A),
    };
  }

  /** q and k [..., h, n], those of shared heads repeated, and v [..., h, p], from the convolved channels. */
  #heads(convolved: Tensor): { q: Tensor; k: Tensor; v: Tensor } {
    const { nHeads: h, nHeadsKey: hk, headDim: p, dState: n } = this.config;
    const lead = convolved.shape.slice(0, -1);
    const [q, k, v] = split(convolved, [hk * n, hk * n, h * p]) as [Tensor, Tensor, Tensor];
    const repeated = (x: Tensor): Tensor => {
      const shared = hk === h ? x : broadcastTo(reshape(x, [...lead, hk, 1, n]), [...lead, hk, h / hk, n]);
      return reshape(shared, [...lead, h, n]);
    };
    return { q: repeated(q), k: repeated(k), v: reshape(v, [...lead, h, p]) };
  }

  #output(y: Tensor, z: Tensor): Tensor {
    const { nHeads: h, headDim: p, mixerNormEps: eps } = this.config;
    const normed = rmsNorm({ x: y, weight: this.norm.value, z }, { eps, normBeforeGate: true }).y;
    return this.outProj.apply(reshape(normed, [...y.shape.slice(0, -2), h * p]));
  }

  /** The convolution's weight without the middle axis of PyTorch's grouped layout. */
  #taps(): Tensor {
    return reshape(this.convWeight.value, [this.#convDim, this.config.dConv]);
  }

  /** Frees what was derived from the weights; the weights themselves belong to the model. */
  dispose(): void {
    this.#A.dispose();
  }
}
