import { add, linear, mul, reshape, sigmoid, sum, type Parameter, type Tensor } from "@statespace/core";
import { isDifferentiated, isRecordingGradients } from "@statespace/core/backend";
import { expertLinear, expertLinearFrozen, linearFrozen } from "@statespace/core/ops";
import { kaimingUniform } from "./initializers.ts";
import type { Linear } from "./linear.ts";
import { activated, DenseMlp, type Mlp } from "./mlp.ts";
import type { MlpConfig } from "./mlpConfig.ts";
import { Router } from "./moeRouter.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";
import { times } from "./times.ts";

/**
 * A mixture of experts: each token goes through the few MLPs that its router chooses, whose outputs are added, each times its weight;
 * beside them, perhaps, an MLP that all tokens share. What was not chosen is not computed, and of a token's step not read.
 *
 * Source: Shazeer et al. 2017 (arXiv 1701.06538), eq. 2; the shared expert: DeepSeekMoE (arXiv 2401.06066), section 3.2.
 */
export class MoeMlp implements Mlp {
  readonly config: MlpConfig;
  readonly parameters: readonly Parameter[];
  readonly router: Router;
  readonly fc1: Parameter; // [experts, 2 hidden, width]: up, gate; or [experts, hidden, width]
  readonly fc2: Parameter; // [experts, width, hidden]
  readonly intoLatent: Linear | undefined; // [latent, dModel]
  readonly outOfLatent: Linear | undefined; // [dModel, latent]
  readonly shared: DenseMlp | undefined;
  readonly sharedGate: Parameter | undefined; // [1, dModel]

  constructor(config: MlpConfig, build: ParameterBuilder) {
    this.config = config;
    const { dModel, hidden, experts, gated, latent, useBias: bias, sharedHidden } = config;
    const width = latent || dModel;
    const rows = gated ? 2 * hidden : hidden;
    const inTurn = (height: number, every: number) => ({ rows: experts * height, blocks: experts, every });
    this.router = new Router(config, build.within("router"));
    const init = kaimingUniform(hidden);
    this.fc1 = build.matrix("experts.fc1.weight", [experts, rows, width], kaimingUniform(width), {
      parts: { up: inTurn(hidden, rows), ...(gated ? { gate: inTurn(hidden, rows) } : {}) },
    });
    this.fc2 = build.matrix(
      "experts.fc2.weight",
      [experts, width, hidden],
      latent > 0 ? init : build.ontoResidual(init),
      { parts: { down: inTurn(width, width) } },
    );
    const ontoResidual = build.ontoResidual(kaimingUniform(latent));
    if (latent > 0) {
      this.intoLatent = build.linear("latent.fc1", [latent, dModel], kaimingUniform(dModel), { bias });
      this.outOfLatent = build.linear("latent.fc2", [dModel, latent], ontoResidual, { bias });
    }
    if (sharedHidden > 0) {
      const own = { ...config, hidden: sharedHidden, experts: 0, outputMultiplier: 1 };
      this.shared = new DenseMlp(own, build.within("shared"));
      if (config.sharedGate) this.sharedGate = build.make("shared.gate.weight", [1, dModel], kaimingUniform(dModel));
    }
    this.parameters = [
      ...this.router.parameters,
      this.fc1,
      this.fc2,
      ...(this.intoLatent?.parameters ?? []),
      ...(this.outOfLatent?.parameters ?? []),
      ...(this.shared?.parameters ?? []),
      this.sharedGate,
    ].filter((p) => p !== undefined);
  }

  apply(x: Tensor): Tensor {
    const routed = this.#routed(x);
    const y = this.shared === undefined ? routed : add(routed, this.#shared(x, this.shared));
    return times(y, this.config.outputMultiplier);
  }

  #routed(x: Tensor): Tensor {
    const { ids, weights } = this.router.apply(x); // [..., s]
    const seen = this.intoLatent?.apply(x) ?? x;
    const first = byExperts(seen, this.fc1, ids); // [..., s, rows]
    const inner = activated(first, this.config);
    const choices = reshape(ids, [...ids.shape, 1]);
    const outputs = byExperts(inner, this.fc2, choices); // [..., s, 1, width]
    const width = outputs.shape.at(-1)!;
    const weighed = mul(reshape(outputs, [...ids.shape, width]), reshape(weights, [...ids.shape, 1]));
    const y = sum(weighed, -2); // [..., width]
    return this.outOfLatent?.apply(y) ?? y;
  }

  #shared(x: Tensor, shared: DenseMlp): Tensor {
    const y = shared.apply(x);
    if (this.sharedGate === undefined) return y;
    const weight = this.sharedGate.value;
    return mul(y, sigmoid(isFrozen(weight) ? linearFrozen({ x, weight }) : linear({ x, weight }).y));
  }
}

/** Weights that get no gradient cost none, and may be packed. */
const isFrozen = (weight: Tensor): boolean => isRecordingGradients() && !isDifferentiated({ weight });

function byExperts(x: Tensor, { value: weight }: Parameter, ids: Tensor): Tensor {
  return isFrozen(weight) ? expertLinearFrozen({ x, weight, ids }) : expertLinear({ x, weight, ids }).y;
}

/** The MLP of a config: a mixture where it has experts. */
export function makeMlp(config: MlpConfig, build: ParameterBuilder): Mlp {
  return config.experts > 0 ? new MoeMlp(config, build) : new DenseMlp(config, build);
}
