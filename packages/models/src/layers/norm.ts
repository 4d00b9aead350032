import { add, rmsNorm, type Parameter, type Tensor } from "@statespace/core";
import { layerNorm } from "@statespace/core/ops";
import { isRecordingGradients } from "@statespace/core/backend";
import type { Derived } from "./derived.ts";
import { constant } from "./initializers.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";

/** What a norm is made of. */
export interface NormConfig {
  /** Root mean square, or layer norm with a bias. */
  readonly norm: "rms" | "layer";
  readonly normEps: number;
  /** Added to the weight: 1 where files keep the weight's distance from 1. */
  readonly normOffset: number;
}

/** The norm before (or after) a mixer or an MLP. */
export class Norm {
  readonly weight: Parameter; // [dModel]
  readonly bias: Parameter | undefined; // [dModel]
  readonly #config: NormConfig;
  /** The weight with the offset, where there is one. */
  readonly #shifted: Derived | undefined;

  constructor(config: NormConfig, dModel: number, build: ParameterBuilder) {
    this.weight = build.make("weight", [dModel], constant(1 - config.normOffset), { decay: false });
    this.bias = config.norm === "layer" ? build.make("bias", [dModel], constant(0), { decay: false }) : undefined;
    this.#config = config;
    const { normOffset } = config;
    this.#shifted = normOffset === 0 ? undefined : build.derived(this.weight, (weight) => add(weight, normOffset));
  }

  apply(x: Tensor): Tensor {
    const { normEps: eps } = this.#config;
    const weight = this.#weight;
    if (this.bias === undefined) return rmsNorm({ x, weight }, { eps }).y;
    return layerNorm({ x, weight, bias: this.bias.value }, { eps }).y;
  }

  /** Frees what was derived from the weight. */
  dispose(): void {
    this.#shifted?.dispose();
  }

  /** Part of the tape while gradients are recorded, else kept between calls. */
  get #weight(): Tensor {
    if (this.#shifted === undefined) return this.weight.value;
    return isRecordingGradients() ? this.#shifted.fresh() : this.#shifted.cached();
  }
}
