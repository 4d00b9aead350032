import { mul, neg, reshape, type Parameter, type ParameterOptions, type Tensor } from "@statespace/core";
import { tile } from "@statespace/core/ops";
import { complexMap, complexParts, type ComplexTensor } from "../../layers/complexTensor.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { S4Config } from "./config.ts";
import { S4Initializers } from "./init.ts";
import { positive } from "./transforms.ts";

/** The continuous system of every channel: x' = (A - P P^*) x + B u, y = 2 Re C x, with a step delta. */
export interface S4System {
  readonly delta: Tensor; // [h, 1] or [h, n]
  readonly A: ComplexTensor; // [h, n]
  readonly B: ComplexTensor; // [h, n]
  /** As stored: for dplr possibly C (I - ABar^l). */
  readonly C: ComplexTensor; // [c, h, n]
  /** dplr only. */
  readonly P?: ComplexTensor; // [rank, h, n]
}

/** The weights of an S4 kernel under their official names and transforms. */
export class S4Parameters {
  readonly config: S4Config;
  readonly delta: Parameter; // inv_dt [h, 1] or [h, n]
  readonly ARe: Parameter; // [s, n]
  readonly AIm: Parameter; // [s, n]
  readonly B: Parameter; // [1, s, n, 2]
  readonly C: Parameter; // [c, h, n, 2]
  readonly P: Parameter | undefined; // [rank, s, n, 2]

  constructor(config: S4Config, build: ParameterBuilder) {
    const { dModel: h, nSsm: s, dState, rank, channels, bidirectional, mode, learningRates } = config;
    const n = dState / 2;
    const init = new S4Initializers(config);
    const own = (rate: number | undefined): ParameterOptions => ({
      decay: false,
      ...(rate === undefined ? {} : { learningRate: rate, trainable: rate !== 0 }),
    });
    this.config = config;
    this.delta = build.make("inv_dt", [h, config.deltaTie ? 1 : n], init.delta, own(learningRates.delta));
    this.ARe = build.make("A_real", [s, n], init.ARe, own(learningRates.A));
    this.AIm = build.make("A_imag", [s, n], init.AIm, own(learningRates.A));
    this.B = build.make("B", [1, s, n, 2], init.B, own(learningRates.B));
    this.C = build.make("C", [bidirectional ? 2 * channels : channels, h, n, 2], init.C, {
      ...own(learningRates.C),
      decay: true,
    });
    this.P = mode === "dplr" ? build.make("P", [rank, s, n, 2], init.P, own(learningRates.A)) : undefined;
  }

  get all(): readonly Parameter[] {
    return [this.delta, this.ARe, this.AIm, this.B, this.C, ...(this.P ? [this.P] : [])];
  }

  /** The system that the weights stand for, sampled at a relative rate. */
  system(rate: number): S4System {
    const { dModel: h, nSsm: s, dState, rank, deltaTransform, realTransform, imagTransform } = this.config;
    const n = dState / 2;
    const repeated = (x: Tensor): Tensor =>
      s === h
        ? x
        : tile(
            x,
            x.shape.map((_, i) => (i === x.shape.length - 2 ? h / s : 1)),
          );
    const A = { re: neg(positive(realTransform, this.ARe.value)), im: neg(positive(imagTransform, this.AIm.value)) };
    return {
      delta: mul(positive(deltaTransform, this.delta.value), rate),
      A: complexMap(A, repeated),
      B: complexMap(complexParts(this.B.value), (x) => reshape(repeated(x), [h, n])),
      C: complexParts(this.C.value),
      ...(this.P ? { P: complexMap(complexParts(this.P.value), (x) => reshape(repeated(x), [rank, h, n])) } : {}),
    };
  }
}
