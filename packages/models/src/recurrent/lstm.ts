import { add, mul, sigmoid, split, tanh, type Tensor } from "@statespace/core";
import type { LayerState } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import type { RecurrentConfig } from "./config.ts";
import { RecurrentMixer } from "./recurrentMixer.ts";

/**
 * Long short-term memory: i, f, o = sigmoid(.), g = tanh(.), c' = f c + i g, h' = o tanh(c'); gates in PyTorch's order i, f, g, o.
 * Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
 */
export class LstmMixer extends RecurrentMixer {
  override readonly kind = "lstm";

  constructor(config: RecurrentConfig, build: ParameterBuilder) {
    super(config, 4, ["h", "c"], build);
  }

  protected override advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): LayerState {
    const { dHidden: h } = this.config;
    const [i, f, g, o] = split(add(fromInput, fromHidden), [h, h, h, h]) as [Tensor, Tensor, Tensor, Tensor];
    const c = add(mul(sigmoid(f), state["c"]!), mul(sigmoid(i), tanh(g)));
    return { h: mul(sigmoid(o), tanh(c)), c };
  }
}
