import { layerNorm, rmsNorm, type Parameter, type Tensor } from "@statespace/core";
import { constant } from "./initializers.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";

/** The norm before each mixer: RMS, or layer norm with a bias. */
export class Norm {
  readonly weight: Parameter; // [dModel]
  readonly bias: Parameter | undefined; // [dModel]
  readonly #eps: number;

  constructor(kind: "rms" | "layer", dModel: number, eps: number, build: ParameterBuilder) {
    this.weight = build.make("weight", [dModel], constant(1), { decay: false });
    this.bias = kind === "layer" ? build.make("bias", [dModel], constant(0), { decay: false }) : undefined;
    this.#eps = eps;
  }

  apply(x: Tensor): Tensor {
    if (this.bias === undefined) return rmsNorm({ x, weight: this.weight.value }, { eps: this.#eps }).y;
    return layerNorm({ x, weight: this.weight.value, bias: this.bias.value }, { eps: this.#eps }).y;
  }
}
