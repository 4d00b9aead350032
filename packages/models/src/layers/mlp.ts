import { gelu, linear, mul, relu, silu, split, square, type Parameter, type Tensor } from "@statespace/core";
import { constant, kaimingUniform } from "./initializers.ts";
import type { MlpConfig } from "./mlpConfig.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";
import { times } from "./times.ts";

/** What follows the mixer of a block and looks at each token alone. */
export interface Mlp {
  readonly parameters: readonly Parameter[];
  /** @param x [..., dModel] */
  apply(x: Tensor): Tensor; // [..., dModel]
}

const activations: Readonly<Record<MlpConfig["activation"], (x: Tensor) => Tensor>> = {
  silu,
  gelu,
  relu2: (x) => square(relu(x)),
};

/**
 * A dense MLP: fc2(up activation(gate)) with up, gate = fc1(x), or fc2(activation(fc1(x))) where it is not gated.
 * Source: Shazeer 2020 (arXiv 2002.05202), SwiGLU; weight names as in the published hybrids of `mamba_ssm`.
 */
export class DenseMlp implements Mlp {
  readonly config: MlpConfig;
  readonly parameters: readonly Parameter[];
  readonly fc1: Parameter; // [2 hidden, dModel]: up, gate; or [hidden, dModel]
  readonly fc1Bias: Parameter | undefined;
  readonly fc2: Parameter; // [dModel, hidden]
  readonly fc2Bias: Parameter | undefined;

  constructor(config: MlpConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, hidden, gated, useBias } = config;
    const rows = gated ? 2 * hidden : hidden;
    const parts = gated ? { parts: { up: hidden, gate: hidden } } : {};
    this.fc1 = build.matrix("fc1.weight", [rows, dModel], kaimingUniform(dModel), parts);
    this.fc1Bias = useBias ? build.make("fc1.bias", [rows], constant(0), { decay: false, ...parts }) : undefined;
    this.fc2 = build.matrix("fc2.weight", [dModel, hidden], build.ontoResidual(kaimingUniform(hidden)));
    this.fc2Bias = useBias ? build.make("fc2.bias", [dModel], constant(0), { decay: false }) : undefined;
    this.parameters = [this.fc1, this.fc1Bias, this.fc2, this.fc2Bias].filter((p) => p !== undefined);
  }

  apply(x: Tensor): Tensor {
    const { hidden, gated, gateMultiplier, outputMultiplier } = this.config;
    const activate = activations[this.config.activation];
    const first = linear({ x, weight: this.fc1.value, bias: this.fc1Bias?.value }).y;
    let inner;
    if (gated) {
      const [up, gate] = split(first, [hidden, hidden]) as [Tensor, Tensor];
      inner = mul(up, activate(times(gate, gateMultiplier)));
    } else inner = activate(times(first, gateMultiplier));
    return times(linear({ x: inner, weight: this.fc2.value, bias: this.fc2Bias?.value }).y, outputMultiplier);
  }
}
