import {
  add,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  rmsNorm,
  softplus,
  split,
  sub,
  sum,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { reciprocal } from "@statespace/core/ops";
import { constant, inverseSoftplusSteps, kaimingUniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { Pairing } from "../../layers/rotate.ts";
import type { Mamba3MixerConfig } from "./config.ts";
import { rotatedScan, rotatedStep, type RotatedScanInputs } from "./rotatedScan.ts";

/** The official mixer fixes the epsilon of its norms. */
const NORM_EPS = 1e-5;

/**
 * The Mamba-3 mixer: no convolution; a trapezoidal rule instead, and a state that turns.
 *
 *     z, x, B, C, dt, a, trap, rates = inProj(input)
 *     B, C   = norm(B) + bias, norm(C) + bias                  one norm for all, a bias for each head
 *     delta  = softplus(dt + dtBias);  A = -max(activation(a), aFloor)
 *     y      = scan of the rotated C, B and x (see `mamba3Scan`), D x added, gated by silu(z)
 *     output = outProj(y)
 *
 * With `outProjNorm` each head of y is normed before the gate. With `mimo` a head writes and reads its state `mimoRank` times a token:
 * x, z and y are weighted per channel by mimo_x, mimo_z and mimo_o.
 *
 * Source: arXiv 2603.15569; names of the weights as in the published checkpoints.
 */
export class Mamba3Mixer implements Mixer {
  readonly kind: string = "mamba3";
  readonly constantState = true;
  readonly config: Mamba3MixerConfig;
  readonly parameters: readonly Parameter[];
  readonly inProj: Linear; // [2 d + 2 g n r + 3 h + s, dModel]
  readonly dtBias: Parameter; // [h]
  readonly BBias: Parameter; // [h, r, n]
  readonly CBias: Parameter; // [h, r, n]
  readonly BNorm: Parameter; // [n]
  readonly CNorm: Parameter; // [n]
  readonly mimo: { readonly x: Parameter; readonly z: Parameter; readonly o: Parameter } | undefined; // [h, r, p] each
  readonly D: Parameter; // [h]
  readonly norm: Parameter | undefined; // [d]
  readonly outProj: Linear; // [dModel, d]

  constructor(config: Mamba3MixerConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, dInner: d, dState: n, nHeads: h, headDim: p, mimoRank: r } = config;
    const own = { decay: false };
    this.inProj = build.linear("in_proj", [this.#widths.reduce((a, b) => a + b), dModel], kaimingUniform(dModel));
    this.dtBias = build.make(
      "dt_bias",
      [h],
      inverseSoftplusSteps(config.timeStepMin, config.timeStepMax, config.timeStepFloor),
      own,
    );
    this.BBias = build.make("B_bias", [h, r, n], constant(1), own);
    this.CBias = build.make("C_bias", [h, r, n], constant(1), own);
    this.BNorm = build.make("B_norm.weight", [n], constant(1), own);
    this.CNorm = build.make("C_norm.weight", [n], constant(1), own);
    this.mimo = config.mimo
      ? {
          x: build.make("mimo_x", [h, r, p], constant(1 / r)),
          z: build.make("mimo_z", [h, r, p], constant(1)),
          o: build.make("mimo_o", [h, r, p], constant(1 / r)),
        }
      : undefined;
    this.D = build.make("D", [h], constant(1), own);
    this.norm = config.outProjNorm ? build.make("norm.weight", [d], constant(1), own) : undefined;
    this.outProj = build.linear("out_proj", [dModel, d], build.ontoResidual(kaimingUniform(d)));
    const ranks = this.mimo ? [this.mimo.x, this.mimo.z, this.mimo.o] : [];
    this.parameters = [
      ...this.inProj.parameters,
      this.dtBias,
      this.BBias,
      this.CBias,
      this.BNorm,
      this.CNorm,
      ...ranks,
      this.D,
      this.norm,
      ...this.outProj.parameters,
    ].filter((parameter) => parameter !== undefined);
  }

  initialState(batch: number): LayerState {
    const { nHeads: h, headDim: p, dState: n, mimoRank: r, nRopeAngles: s } = this.config;
    const { backend } = this.inProj;
    return {
      angle: zeros([batch, h, s], { backend }),
      ssm: zeros([batch, h, p, n], { backend }),
      k: zeros([batch, h, r, n], { backend }),
      v: zeros([batch, h, r, p], { backend }),
    };
  }

  forward(input: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const result = tidy(() => {
      const { scan, z } = this.#prepare(input);
      const { y, state } = rotatedScan(scan, {
        pairing: this.#pairing,
        chunkSize: this.config.chunkSize,
        initialState,
        returnState,
        seqIdx,
      });
      return { y: this.#output(y, z), ...state };
    }) as { y: Tensor } & Record<string, Tensor>;
    const { y, ...state } = result;
    return returnState ? { y, state } : { y };
  }

  step(input: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const { scan, z } = this.#prepare(input);
      return this.#output(rotatedStep(scan, state, this.#pairing), z);
    });
  }

  /** The step delta [b, l, h], B and C [b, l, h, r, n] of each token, normed and before they are turned. */
  inspect(input: Tensor): Readonly<Record<"delta" | "B" | "C", Tensor>> {
    return tidy(() => {
      const { scan } = this.#prepare(input);
      return { delta: scan.dt, B: scan.k, C: scan.q };
    });
  }

  get #pairing(): Pairing {
    return this.mimo === undefined ? "neighbours" : "halves";
  }

  /** z, x, B, C, dt, a, trap, rates. */
  get #widths(): number[] {
    const { dInner: d, dState: n, nHeads: h, nGroups: g, mimoRank: r, nRopeAngles: s } = this.config;
    return [d, d, g * n * r, g * n * r, h, h, h, s];
  }

  /** Everything the scan takes, of inputs [..., dModel]; and z [..., h, r, p], which a norm takes instead. */
  #prepare(input: Tensor): { scan: RotatedScanInputs; z: Tensor } {
    const lead = input.shape.slice(0, -1);
    const parts = split(this.inProj.apply(input), this.#widths);
    const [gate, x, B, C, dtRaw, a, trap, rates] = parts as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const dt = softplus(add(dtRaw, this.dtBias.value));
    const adt = mul(neg(maximum(activate(a, this.config.aActivation), this.config.aFloor)), dt);
    const z = this.#ranks(gate, this.mimo?.z);
    const scan = {
      q: this.#heads(C, this.CNorm, this.CBias),
      k: this.#heads(B, this.BNorm, this.BBias),
      v: this.#ranks(x, this.mimo?.x),
      adt,
      dt,
      trap,
      rates: reshape(rates, [...lead, 1, rates.shape.at(-1)!]),
      D: this.D.value,
      z: this.norm === undefined ? z : undefined,
    };
    return { scan, z };
  }

  /** B or C [..., r g n] normed and given to every head of its group, with the head's bias: [..., h, r, n]. */
  #heads(x: Tensor, norm: Parameter, bias: Parameter): Tensor {
    const { nGroups: g, mimoRank: r, nHeads: h, dState: n } = this.config;
    const lead = x.shape.slice(0, -1);
    const rows = lead.reduce((a, b) => a * b, 1);
    const normed = rmsNorm({ x: reshape(x, [rows, r, g, n]), weight: norm.value }, { eps: NORM_EPS }).y;
    const grouped = r === 1 || g === 1 ? normed : transpose(normed, [0, 2, 1, 3]);
    const all = add(reshape(grouped, [rows, g, 1, r * n]), reshape(bias.value, [g, h / g, r * n]));
    return reshape(all, [...lead, h, r, n]);
  }

  /** Channels [..., h p] as [..., h, r, p], one copy a rank under its weights. */
  #ranks(x: Tensor, weight: Parameter | undefined): Tensor {
    const { nHeads: h, headDim: p } = this.config;
    const one = reshape(x, [...x.shape.slice(0, -1), h, 1, p]);
    return weight === undefined ? one : mul(one, weight.value);
  }

  /** y [..., h, r, p] normed and gated where the scan has not done it, ranks summed, projected back. */
  #output(y: Tensor, z: Tensor): Tensor {
    const { nHeads: h, headDim: p, mimoRank: r, dInner: d } = this.config;
    const lead = y.shape.slice(0, -3);
    const gated = this.norm === undefined ? y : this.#gatedNorm(y, z, this.norm);
    const summed = this.mimo === undefined ? gated : sum(mul(reshape(gated, [-1, h, r, p]), this.mimo.o.value), 2);
    return this.outProj.apply(reshape(summed, [...lead, d]));
  }

  /** Each head normed over its p channels, weighted per channel (the same for all ranks), then gated. */
  #gatedNorm(y: Tensor, z: Tensor, norm: Parameter): Tensor {
    const { nHeads: h, headDim: p, mimoRank: r, dInner: d } = this.config;
    const flat = (x: Tensor): Tensor =>
      r === 1 ? reshape(x, [-1, 1, d]) : reshape(transpose(reshape(x, [-1, h, r, p]), [0, 2, 1, 3]), [-1, r, d]);
    const normed = rmsNorm(
      { x: flat(y), weight: norm.value, z: flat(z) },
      { eps: NORM_EPS, normBeforeGate: true, groupSize: p },
    ).y;
    return reshape(r === 1 ? normed : transpose(reshape(normed, [-1, r, h, p]), [0, 2, 1, 3]), y.shape);
  }
}

/** What makes A positive before its sign: softplus, or 1 + x above zero and 1 / (1 - x) below. */
function activate(x: Tensor, kind: Mamba3MixerConfig["aActivation"]): Tensor {
  return kind === "softplus" ? softplus(x) : add(maximum(x, 0), reciprocal(sub(1, minimum(x, 0))));
}
