import {
  add,
  causalConv1d,
  exp,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  rmsNorm,
  split,
  softplus,
  ssdScan,
  tidy,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { isRecordingGradients } from "@statespace/core/backend";
import { causalConv1dStep, ssdScanStep } from "@statespace/core/ops";
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
import type { Mamba2MixerConfig } from "./config.ts";

/** What one projection of the input makes, in the order it makes them. */
interface Projected {
  readonly z: Tensor; // [..., d]
  readonly xBC: Tensor; // [..., d + 2 g n]
  readonly dt: Tensor; // [..., h]
}

/**
 * The Mamba-2 mixer: one scalar A a head, everything made by one projection, the scan a chunked matrix product.
 *
 *     z, xBC, dt = inProj(input)                   which may have a factor a part
 *     x, B, C    = silu(conv(xBC))
 *     delta      = clamp(softplus(dt + dtBias), timeStepLimit)
 *     y          = ssd(x, delta, A, B, C) + D x          with A = -exp(ALog), one a head
 *     output     = outProj(norm(y, gate z))              the gate before the norm or after it; without a norm y silu(z)
 *
 * Source: arXiv 2405.21060, section 7 and figure 6; names of the weights as in the published checkpoints.
 */
export class Mamba2Mixer implements Mixer {
  readonly kind: string = "mamba2";
  readonly constantState = true;
  readonly takesGaps = true;
  readonly config: Mamba2MixerConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [2 d + 2 g n + h, dModel]
  readonly convWeight: Parameter; // [d + 2 g n, 1, k]
  readonly convBias: Parameter | undefined; // [d + 2 g n]
  readonly dtBias: Parameter; // [h]
  readonly ALog: Parameter; // [h]
  readonly D: Parameter; // [h], or [d]
  readonly norm: Parameter | undefined; // [d]
  readonly outProj: Linear; // [dModel, d]
  readonly #A: Derived;

  constructor(config: Mamba2MixerConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, dInner: d, nHeads: h, dConv: k, useBias: bias } = config;
    const own = { decay: false };
    const width = d + this.#convDim + h;
    const ofInput = kaimingUniform(dModel);
    this.inProj = build.linear("in_proj", [width, dModel], ofInput, { bias, biasInit: ofInput });
    this.convWeight = build.make("conv1d.weight", [this.#convDim, 1, k], kaimingUniform(k));
    this.convBias = config.useConvBias ? build.make("conv1d.bias", [this.#convDim], kaimingUniform(k), own) : undefined;
    this.dtBias = build.make(
      "dt_bias",
      [h],
      inverseSoftplusSteps(config.timeStepMin, config.timeStepMax, config.timeStepFloor),
      own,
    );
    this.ALog = build.make("A_log", [h], logOfUniform(config.aInitRange), own);
    this.D = build.make("D", [config.dHasHeadDim ? d : h], constant(1), own);
    this.norm = config.mixerNorm ? build.make("norm.weight", [d], constant(1), own) : undefined;
    this.outProj = build.linear("out_proj", [dModel, d], build.ontoResidual(kaimingUniform(d)), { bias });
    this.parameters = [
      ...this.inProj.parameters,
      this.convWeight,
      this.convBias,
      this.dtBias,
      this.ALog,
      this.D,
      this.norm,
      ...this.outProj.parameters,
    ].filter((p) => p !== undefined);
    this.#A = new Derived(this.ALog, (ALog) => neg(exp(ALog)));
  }

  initialState(batch: number): LayerState {
    const { nHeads: h, headDim: p, dState: n, dConv: k } = this.config;
    const { backend } = this.inProj;
    return { conv: zeros([batch, k - 1, this.#convDim], { backend }), ssm: zeros([batch, h, p, n], { backend }) };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx, gaps } = forwardOptions(options);
    const { y, conv, ssm } = tidy(() => {
      const { z, xBC, dt } = this.#project(input);
      const convolved = causalConv1d(
        { x: xBC, weight: this.#taps(), bias: this.convBias?.value, initialState: initialState?.conv, seqIdx },
        { silu: true, returnLastState: returnState },
      );
      const scanned = ssdScan(
        {
          ...this.#heads(convolved.y),
          dt,
          ...this.#fixed(),
          ...(gaps && { dt: this.#steps(dt, gaps), dtBias: undefined }),
          z: this.#gateOfScan(z),
          initialState: initialState?.ssm,
          seqIdx,
        },
        {
          ...(gaps === undefined && this.#stepBounds()),
          chunkSize: this.config.chunkSize,
          returnLastState: returnState,
        },
      );
      return {
        y: this.#output(scanned.y, z),
        ...(returnState ? { conv: convolved.lastState!, ssm: scanned.lastState! } : {}),
      };
    }) as { y: Tensor; conv?: Tensor; ssm?: Tensor };
    return returnState ? { y, state: { conv: conv!, ssm: ssm! } } : { y };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const { z, xBC, dt } = this.#project(input);
      const convolved = causalConv1dStep(
        { x: xBC, state: state.conv!, weight: this.#taps(), bias: this.convBias?.value },
        { silu: true },
      ).y;
      const { y } = ssdScanStep(
        { state: state.ssm!, ...this.#heads(convolved), dt, ...this.#fixed(), z: this.#gateOfScan(z) },
        this.#stepBounds(),
      );
      return this.#output(y, z);
    });
  }

  /** The step delta [b, l, h], B and C [b, l, g, n] of each token, as the scan takes them. */
  inspect(input: Tensor): Readonly<Record<"delta" | "B" | "C", Tensor>> {
    return tidy(() => {
      const { xBC, dt } = this.#project(input);
      const convolved = causalConv1d({ x: xBC, weight: this.#taps(), bias: this.convBias?.value }, { silu: true }).y;
      const { B, C } = this.#heads(convolved);
      return { delta: this.#delta(dt), B, C };
    });
  }

  /** What the scan makes of dt. */
  #delta(dt: Tensor): Tensor {
    const [low, high] = this.config.timeStepLimit;
    const delta = maximum(softplus(add(dt, this.dtBias.value)), low);
    return high === Infinity ? delta : minimum(delta, high);
  }

  /** The same times the time since the token before. @param gaps [b, l] */
  #steps(dt: Tensor, gaps: Tensor): Tensor {
    return mul(this.#delta(dt), reshape(gaps, [...gaps.shape, 1]));
  }

  /** A = -exp(ALog), [h]; part of the tape while training. */
  get A(): Tensor {
    return isRecordingGradients() ? this.#A.fresh() : this.#A.cached();
  }

  /** Channels that are convolved: x, B and C. */
  get #convDim(): number {
    return this.config.dInner + 2 * this.config.nGroups * this.config.dState;
  }

  #project(input: Tensor): Projected {
    const parts = split(this.inProj.apply(input), [this.config.dInner, this.#convDim, this.config.nHeads]);
    const [z, xBC, dt] = parts as [Tensor, Tensor, Tensor];
    return { z, xBC, dt };
  }

  /** x [..., h, p] and B, C [..., g, n] from the convolved channels. */
  #heads(xBC: Tensor): { x: Tensor; B: Tensor; C: Tensor } {
    const { dInner, nHeads, headDim, nGroups, dState } = this.config;
    const [x, B, C] = split(xBC, [dInner, nGroups * dState, nGroups * dState]) as [Tensor, Tensor, Tensor];
    const lead = xBC.shape.slice(0, -1);
    return {
      x: reshape(x, [...lead, nHeads, headDim]),
      B: reshape(B, [...lead, nGroups, dState]),
      C: reshape(C, [...lead, nGroups, dState]),
    };
  }

  /** What the scan takes from the weights rather than from the input. */
  #fixed(): { A: Tensor; D: Tensor; dtBias: Tensor } {
    const { dHasHeadDim, nHeads, headDim } = this.config;
    const D = dHasHeadDim ? reshape(this.D.value, [nHeads, headDim]) : this.D.value;
    return { A: this.A, D, dtBias: this.dtBias.value };
  }

  #stepBounds(): { dtSoftplus: boolean; dtMin: number; dtMax: number } {
    const [dtMin, dtMax] = this.config.timeStepLimit;
    return { dtSoftplus: true, dtMin, dtMax };
  }

  /** The gate belongs to the norm; the scan has it only where there is none. */
  #gateOfScan(z: Tensor): Tensor | undefined {
    return this.norm === undefined
      ? reshape(z, [...z.shape.slice(0, -1), this.config.nHeads, this.config.headDim])
      : undefined;
  }

  #output(y: Tensor, z: Tensor): Tensor {
    const { mixerNormEps: eps, normBeforeGate, normGroupSize: groupSize } = this.config;
    const flat = reshape(y, z.shape);
    const normed =
      this.norm === undefined
        ? flat
        : rmsNorm({ x: flat, weight: this.norm.value, z }, { eps, normBeforeGate, groupSize }).y;
    return this.outProj.apply(normed);
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
