import {
  add,
  causalConv1d,
  exp,
  mul,
  neg,
  reshape,
  rmsNorm,
  selectiveScan,
  softplus,
  split,
  tidy,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { isRecordingGradients } from "@statespace/core/backend";
import { causalConv1dStep, selectiveScanStep } from "@statespace/core/ops";
import { Derived } from "../../layers/derived.ts";
import { constant, inverseSoftplusSteps, kaimingUniform, logOneToN, uniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { MambaMixerConfig } from "./config.ts";

/**
 * The Mamba mixer (S6): B, C and delta come from the input, A is static.
 *
 *     x, z   = inProj(input)
 *     x      = silu(conv(x))
 *     dt, B, C = xProj(x)                     (FalconMamba: each RMS-normed without weight; Jamba: with)
 *     delta  = softplus(dtProj(dt))
 *     y      = scan(x, delta, A, B, C) + D x, gated by silu(z)
 *     output = outProj(y)
 *
 * Source: arXiv 2312.00752, section 3.4 and Algorithm 2; names of the weights as in the published checkpoints.
 */
export class MambaMixer implements Mixer {
  readonly kind: string = "mamba";
  readonly constantState = true;
  readonly takesGaps = true;
  readonly config: MambaMixerConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [2 d, dModel]
  readonly convWeight: Parameter; // [d, 1, k]
  readonly convBias: Parameter | undefined; // [d]
  readonly xProj: Linear; // [dtRank + 2 n, d]
  readonly dtProj: Linear; // [d, dtRank]
  readonly dtBias: Parameter; // [d]
  readonly ALog: Parameter; // [d, n]
  readonly D: Parameter; // [d]
  readonly outProj: Linear; // [dModel, d]
  /** Weights of the norms on dt, B and C, where they have any. */
  readonly norms: readonly Parameter[]; // [dtRank], [n], [n]
  readonly #A: Derived;

  constructor(config: MambaMixerConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, dInner: d, dState: n, dConv: k, dtRank } = config;
    const own = { decay: false };
    const dtStd = dtRank ** -0.5 * config.timeStepScale;
    const bias = config.useBias;
    this.inProj = build.linear("in_proj", [2 * d, dModel], kaimingUniform(dModel), { bias });
    this.convWeight = build.make("conv1d.weight", [d, 1, k], kaimingUniform(k));
    this.convBias = config.useConvBias ? build.make("conv1d.bias", [d], kaimingUniform(k), own) : undefined;
    this.xProj = build.linear("x_proj", [dtRank + 2 * n, d], kaimingUniform(d));
    this.dtProj = build.linear(
      "dt_proj",
      [d, dtRank],
      config.timeStepInitScheme === "constant" ? constant(dtStd) : uniform(dtStd),
    );
    this.dtBias = build.make(
      "dt_proj.bias",
      [d],
      inverseSoftplusSteps(config.timeStepMin, config.timeStepMax, config.timeStepFloor),
      own,
    );
    this.ALog = build.make("A_log", [d, n], logOneToN, own);
    this.D = build.make("D", [d], constant(1), own);
    this.outProj = build.linear("out_proj", [dModel, d], build.ontoResidual(kaimingUniform(d)), { bias });
    const normed = { dt: dtRank, B: n, C: n };
    this.norms = Object.entries(config.mixerNormWeight ? normed : {}).map(([name, width]) =>
      build.make(`${name}_norm.weight`, [width], constant(1), own),
    );
    this.parameters = [
      ...this.inProj.parameters,
      this.convWeight,
      this.convBias,
      ...this.xProj.parameters,
      ...this.dtProj.parameters,
      this.dtBias,
      this.ALog,
      this.D,
      ...this.outProj.parameters,
      ...this.norms,
    ].filter((p) => p !== undefined);
    this.#A = new Derived(this.ALog, (ALog) => neg(exp(ALog)));
  }

  initialState(batch: number): LayerState {
    const { dInner: d, dState: n, dConv: k } = this.config;
    const { backend } = this.inProj;
    return { conv: zeros([batch, k - 1, d], { backend }), ssm: zeros([batch, d, n], { backend }) };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx, gaps } = forwardOptions(options);
    const { y, conv, ssm } = tidy(() => {
      const d = this.config.dInner;
      const [x, z] = split(this.#project(input), [d, d]) as [Tensor, Tensor]; // [b, l, d] each
      const convolved = causalConv1d(
        { x, weight: this.#taps(), bias: this.convBias?.value, initialState: initialState?.conv, seqIdx },
        { silu: true, returnLastState: returnState },
      );
      const { delta, B, C } = this.select(convolved.y);
      const scanned = selectiveScan(
        {
          u: convolved.y,
          ...this.#steps(delta, gaps),
          A: this.A,
          B,
          C,
          D: this.D.value,
          z,
          initialState: initialState?.ssm,
          seqIdx,
        },
        { deltaSoftplus: gaps === undefined, returnLastState: returnState },
      );
      const out = this.outProj.apply(scanned.y);
      return { y: out, ...(returnState ? { conv: convolved.lastState!, ssm: scanned.lastState! } : {}) };
    }) as { y: Tensor; conv?: Tensor; ssm?: Tensor };
    return returnState ? { y, state: { conv: conv!, ssm: ssm! } } : { y };
  }

  /** The scan makes delta of what the selection gave; with gaps it is made here, and scaled by them. @param gaps [b, l] */
  #steps(raw: Tensor, gaps: Tensor | undefined): { readonly delta: Tensor; readonly deltaBias?: Tensor } {
    const bias = this.dtBias.value;
    if (gaps === undefined) return { delta: raw, deltaBias: bias };
    return { delta: mul(softplus(add(raw, bias)), reshape(gaps, [...gaps.shape, 1])) };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const d = this.config.dInner;
      const [x, z] = split(this.#project(input), [d, d]) as [Tensor, Tensor]; // [b, d] each
      const u = causalConv1dStep(
        { x, state: state.conv!, weight: this.#taps(), bias: this.convBias?.value },
        { silu: true },
      ).y;
      const { delta, B, C } = this.select(u);
      const { y } = selectiveScanStep(
        { state: state.ssm!, u, delta, A: this.A, B, C, D: this.D.value, z, deltaBias: this.dtBias.value },
        { deltaSoftplus: true },
      );
      return this.outProj.apply(y);
    });
  }

  /** A = -exp(ALog), [d, n]; part of the tape while training. */
  get A(): Tensor {
    return isRecordingGradients() ? this.#A.fresh() : this.#A.cached();
  }

  /**
   * The selection: what of each token is written (B), read (C), and how long it is looked at (delta, before softplus and bias).
   * @param u [..., d]
   */
  select(u: Tensor): { delta: Tensor; B: Tensor; C: Tensor } {
    const { dtRank, dState: n, mixerNormEps } = this.config;
    const parts = split(this.xProj.apply(u), [dtRank, n, n]);
    const [dt, B, C] = (
      mixerNormEps === undefined
        ? parts
        : parts.map((x, i) => rmsNorm({ x, weight: this.norms[i]?.value }, { eps: mixerNormEps }).y)
    ) as [Tensor, Tensor, Tensor];
    return { delta: this.dtProj.apply(dt), B, C };
  }

  /** The step delta [b, l, d], B and C [b, l, n] of each token, as the scan takes them. */
  inspect(input: Tensor): Readonly<Record<"delta" | "B" | "C", Tensor>> {
    return tidy(() => {
      const d = this.config.dInner;
      const [x] = split(this.#project(input), [d, d]) as [Tensor, Tensor];
      const u = causalConv1d({ x, weight: this.#taps(), bias: this.convBias?.value }, { silu: true }).y;
      const { delta, B, C } = this.select(u);
      return { delta: softplus(add(delta, this.dtBias.value)), B, C };
    });
  }

  #project(input: Tensor): Tensor {
    return this.inProj.apply(input);
  }

  /** The convolution's weight without the middle axis of PyTorch's grouped layout. */
  #taps(): Tensor {
    return reshape(this.convWeight.value, [this.config.dInner, this.config.dConv]);
  }

  /** Frees what was derived from the weights; the weights themselves belong to the model. */
  dispose(): void {
    this.#A.dispose();
  }
}
