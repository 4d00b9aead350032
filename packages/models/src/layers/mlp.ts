import { mul, split, type Parameter, type Tensor } from "@statespace/core";
import { activations } from "./activations.ts";
import { kaimingUniform } from "./initializers.ts";
import type { Linear } from "./linear.ts";
import type { MlpConfig } from "./mlpConfig.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";
import { times } from "./times.ts";

/** What follows the mixer of a block and looks at each token alone. */
export interface Mlp {
  readonly parameters: readonly Parameter[];
  /** @param x [..., dModel] */
  apply(x: Tensor): Tensor; // [..., dModel]
}

type ActivationConfig = Pick<MlpConfig, "hidden" | "gated" | "activation" | "gateMultiplier">;

/**
 * A dense MLP: fc2(up activation(gate)) with up, gate = fc1(x), or fc2(activation(fc1(x))) where it is not gated.
 * Source: Shazeer 2020 (arXiv 2002.05202), SwiGLU; weight names as in the published hybrids of `mamba_ssm`.
 */
export class DenseMlp implements Mlp {
  readonly config: MlpConfig;
  readonly parameters: readonly Parameter[];
  readonly fc1: Linear; // [2 hidden, dModel]: up, gate; or [hidden, dModel]
  readonly fc2: Linear; // [dModel, hidden]

  constructor(config: MlpConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, hidden, gated, useBias: bias } = config;
    const rows = gated ? 2 * hidden : hidden;
    const parts = gated ? { parts: { up: hidden, gate: hidden } } : {};
    this.fc1 = build.linear("fc1", [rows, dModel], kaimingUniform(dModel), { bias, ...parts });
    this.fc2 = build.linear("fc2", [dModel, hidden], build.ontoResidual(kaimingUniform(hidden)), { bias });
    this.parameters = [...this.fc1.parameters, ...this.fc2.parameters];
  }

  apply(x: Tensor): Tensor {
    const inner = activated(this.fc1.apply(x), this.config);
    return times(this.fc2.apply(inner), this.config.outputMultiplier);
  }
}

/** up activation(gate) of [..., up and gate], or activation(up) where there is no gate. */
export function activated(first: Tensor, { hidden, gated, activation, gateMultiplier }: ActivationConfig): Tensor {
  const activate = activations[activation];
  if (!gated) return activate(times(first, gateMultiplier));
  const [up, gate] = split(first, [hidden, hidden]) as [Tensor, Tensor];
  return mul(up, activate(times(gate, gateMultiplier)));
}
