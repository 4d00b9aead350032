import { add, mul, sigmoid, split, sub, tanh, type Tensor } from "@statespace/core";
import type { LayerState } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import type { RecurrentConfig } from "./config.ts";
import { RecurrentMixer } from "./recurrentMixer.ts";

/**
 * A gated recurrent unit: r, z = sigmoid(.), n = tanh(x_n + r h_n), h' = (1 - z) n + z h.
 * Source: Cho et al. 2014 (arXiv 1406.1078) in PyTorch's form, where r scales the product with h, bias included.
 */
export class GruMixer extends RecurrentMixer {
  override readonly kind = "gru";

  constructor(config: RecurrentConfig, build: ParameterBuilder) {
    super(config, 3, ["h"], build);
  }

  protected override advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): LayerState {
    const { dHidden: h } = this.config;
    const [gatesX, newX] = split(fromInput, [2 * h, h]) as [Tensor, Tensor];
    const [gatesH, newH] = split(fromHidden, [2 * h, h]) as [Tensor, Tensor];
    const [reset, update] = split(sigmoid(add(gatesX, gatesH)), [h, h]) as [Tensor, Tensor];
    const fresh = tanh(add(newX, mul(reset, newH)));
    return { h: add(fresh, mul(update, sub(state["h"]!, fresh))) };
  }
}
