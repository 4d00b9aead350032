import { tidy, type Parameter, type Tensor } from "@statespace/core";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import { makeMlp } from "../../layers/moe.ts";
import type { Mlp } from "../../layers/mlp.ts";
import type { MlpConfig } from "../../layers/mlpConfig.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";

/** An MLP, or a mixture of them, in a mixer's place: a layer that looks at one token at a time, and so has no state. */
export class MlpMixer implements Mixer {
  readonly kind: string = "mlp";
  readonly constantState = true;
  readonly config: MlpConfig;
  readonly parameters: readonly Parameter[];
  readonly #mlp: Mlp;

  constructor(config: MlpConfig, build: ParameterBuilder) {
    this.config = config;
    this.#mlp = makeMlp(config, build);
    this.parameters = this.#mlp.parameters;
  }

  initialState(): LayerState {
    return {};
  }

  forward(x: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { returnState } = forwardOptions(options);
    const y = tidy(() => this.#mlp.apply(x));
    return returnState ? { y, state: {} } : { y };
  }

  step(x: Tensor): Tensor {
    return tidy(() => this.#mlp.apply(x));
  }
}
