import { tidy, type Parameter, type Tensor } from "@statespace/core";
import { GatedMlp } from "../../layers/gatedMlp.ts";
import type { ForwardOptions, ForwardResult, LayerState, Mixer } from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { MlpMixerConfig } from "./config.ts";

/** A gated MLP in a mixer's place: a layer that looks at one token at a time, and so has no state. */
export class MlpMixer implements Mixer {
  readonly kind: string = "mlp";
  readonly constantState = true;
  readonly parameters: readonly Parameter[];
  readonly #mlp: GatedMlp;

  constructor({ dModel, hidden }: MlpMixerConfig, build: ParameterBuilder) {
    this.#mlp = new GatedMlp(dModel, hidden, build);
    this.parameters = [this.#mlp.fc1, this.#mlp.fc2];
  }

  initialState(): LayerState {
    return {};
  }

  forward(x: Tensor, { returnState }: ForwardOptions = {}): ForwardResult {
    const y = tidy(() => this.#mlp.apply(x));
    return returnState ? { y, state: {} } : { y };
  }

  step(x: Tensor): Tensor {
    return tidy(() => this.#mlp.apply(x));
  }
}
