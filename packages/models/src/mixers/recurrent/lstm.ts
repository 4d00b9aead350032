import { add, concat, mul, sigmoid, split, square, sub, tanh, type Tensor } from "@statespace/core";
import type { LayerState } from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { RecurrentConfig } from "./config.ts";
import { RecurrentMixer, type Advance, type Retreat } from "./recurrentMixer.ts";

/**
 * Long short-term memory: i, f, o = sigmoid(.), g = tanh(.), c' = f c + i g, h' = o tanh(c'); gates in PyTorch's order i, f, g, o.
 * Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
 */
export class LstmMixer extends RecurrentMixer {
  override readonly kind = "lstm";

  constructor(config: RecurrentConfig, build: ParameterBuilder) {
    super(config, 4, ["h", "c"], build);
  }

  protected override advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): Advance {
    const { dHidden: h } = this.config;
    const [rawI, rawF, rawG, rawO] = split(add(fromInput, fromHidden), [h, h, h, h]) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const [i, f, g, o] = [sigmoid(rawI), sigmoid(rawF), tanh(rawG), sigmoid(rawO)];
    const c = add(mul(f, state["c"]!), mul(i, g));
    const seen = tanh(c);
    return { next: { h: mul(o, seen), c }, kept: { i, f, g, o, seen } };
  }

  protected override slopes(
    { i, f, g, o, seen }: Readonly<Record<string, Tensor>>,
    before: LayerState,
  ): Readonly<Record<string, Tensor>> {
    const slope = (gate: Tensor): Tensor => mul(gate, sub(1, gate));
    return {
      f: f!,
      seen: mul(o!, sub(1, square(seen!))), // of h' with respect to c'
      gates: concat(
        [mul(g!, slope(i!)), mul(before["c"]!, slope(f!)), mul(i!, sub(1, square(g!))), mul(seen!, slope(o!))],
        2,
      ),
    };
  }

  protected override retreat(gradient: LayerState, { f, seen, gates }: Readonly<Record<string, Tensor>>): Retreat {
    const d = gradient["h"]!;
    const dc = add(gradient["c"]!, mul(d, seen!));
    return { fromHidden: mul(concat([dc, dc, dc, d], 1), gates!), before: { c: mul(dc, f!) } };
  }
}
