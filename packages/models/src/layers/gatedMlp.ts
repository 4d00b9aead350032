import { linear, mul, silu, split, type Parameter, type Tensor } from "@statespace/core";
import { kaimingUniform } from "./initializers.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";

/**
 * The gated MLP of `mamba_ssm`: fc2(y silu(gate)) with y, gate = fc1(x).
 * Source: Shazeer 2020 (arXiv 2002.05202), SwiGLU; weight names as in the published hybrids.
 */
export class GatedMlp {
  readonly fc1: Parameter; // [2 hidden, dModel]
  readonly fc2: Parameter; // [dModel, hidden]
  readonly #hidden: number;

  constructor(dModel: number, hidden: number, build: ParameterBuilder) {
    this.#hidden = hidden;
    this.fc1 = build.make("fc1.weight", [2 * hidden, dModel], kaimingUniform(dModel));
    this.fc2 = build.make("fc2.weight", [dModel, hidden], build.ontoResidual(kaimingUniform(hidden)));
  }

  apply(x: Tensor): Tensor {
    const [y, gate] = split(linear({ x, weight: this.fc1.value }).y, [this.#hidden, this.#hidden]) as [Tensor, Tensor];
    return linear({ x: mul(y, silu(gate)), weight: this.fc2.value }).y;
  }
}
