import { add, concat, mul, sigmoid, split, square, sub, tanh, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import type { LayerState } from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { RecurrentConfig } from "./config.ts";
import { RecurrentMixer, type Advance, type Retreat } from "./recurrentMixer.ts";

/**
 * A gated recurrent unit: r, z = sigmoid(.), n = tanh(x_n + r h_n), h' = (1 - z) n + z h.
 * Source: Cho et al. 2014 (arXiv 1406.1078) in PyTorch's form, where r scales the product with h, bias included.
 */
export class GruMixer extends RecurrentMixer {
  override readonly kind = "gru";

  constructor(config: RecurrentConfig, build: ParameterBuilder) {
    super(config, 3, ["h"], build);
  }

  protected override advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): Advance {
    const { dHidden: h } = this.config;
    const [gatesX, newX] = split(fromInput, [2 * h, h]) as [Tensor, Tensor];
    const [gatesH, newH] = split(fromHidden, [2 * h, h]) as [Tensor, Tensor];
    const gates = sigmoid(add(gatesX, gatesH));
    const [reset, update] = split(gates, [h, h]) as [Tensor, Tensor];
    const fresh = tanh(add(newX, mul(reset, newH)));
    return { next: { h: add(fresh, mul(update, sub(state["h"]!, fresh))) }, kept: { gates, fresh, newH } };
  }

  protected override slopes(
    { gates, fresh, newH }: Readonly<Record<string, Tensor>>,
    before: LayerState,
  ): Readonly<Record<string, Tensor>> {
    const { dHidden: h } = this.config;
    const [reset, update] = split(gates!, [h, h]) as [Tensor, Tensor];
    const [resetSlope, updateSlope] = split(mul(gates!, sub(1, gates!)), [h, h]) as [Tensor, Tensor];
    return {
      update,
      fresh: mul(sub(1, update), sub(1, square(fresh!))), // of h' with respect to the argument of tanh
      gates: concat([mul(newH!, resetSlope), mul(sub(before["h"]!, fresh!), updateSlope), reset], 2),
    };
  }

  protected override retreat(
    gradient: LayerState,
    { update, fresh, gates }: Readonly<Record<string, Tensor>>,
  ): Retreat {
    const { dHidden: h } = this.config;
    const d = gradient["h"]!;
    const dNew = mul(d, fresh!);
    const fromHidden = mul(concat([dNew, d, dNew], 1), gates!);
    return {
      fromHidden,
      fromInput: concat([sliceAxis(fromHidden, 1, 0, 2 * h), dNew], 1),
      before: { h: mul(d, update!) },
    };
  }
}
