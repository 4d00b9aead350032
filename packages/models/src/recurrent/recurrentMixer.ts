import { copy, linear, mul, reshape, sliceAxis, split, stack, tidy, zeros, type Parameter, type Tensor } from "@statespace/core";
import { kaimingUniform, uniform } from "../layers/initializers.ts";
import type { ForwardOptions, ForwardResult, LayerState, Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { continuation } from "../layers/sequenceBoundaries.ts";
import type { RecurrentConfig } from "./config.ts";

/**
 * What GRU and LSTM share: the input's share of all gates is one product over the whole sequence, then one product with the
 * hidden state a token. Gradients come from the ops it is composed of.
 * Weight names, layouts and initial values are PyTorch's (`weight_ih_l0` [gates h, dModel], ..., uniform in 1/sqrt(h)).
 */
export abstract class RecurrentMixer implements Mixer {
  abstract readonly kind: string;
  readonly constantState = true;
  readonly config: RecurrentConfig;
  readonly parameters: readonly Parameter[];
  readonly weightIh: Parameter; // [gates h, dModel]
  readonly weightHh: Parameter; // [gates h, h]
  readonly biasIh: Parameter; // [gates h]
  readonly biasHh: Parameter; // [gates h]
  readonly outProj: Parameter | undefined; // [dModel, h]
  readonly #names: readonly string[];

  /** @param names of the state's tensors, [b, h] each; the first is the output. */
  constructor(config: RecurrentConfig, gates: number, names: readonly string[], build: ParameterBuilder) {
    const { dModel, dHidden: h } = config;
    this.config = config;
    this.#names = names;
    const init = uniform(1 / Math.sqrt(h));
    this.weightIh = build.make("weight_ih_l0", [gates * h, dModel], init);
    this.weightHh = build.make("weight_hh_l0", [gates * h, h], init);
    this.biasIh = build.make("bias_ih_l0", [gates * h], init, { decay: false });
    this.biasHh = build.make("bias_hh_l0", [gates * h], init, { decay: false });
    this.outProj = h === dModel ? undefined : build.make("out_proj.weight", [dModel, h], kaimingUniform(h));
    this.parameters = [this.weightIh, this.weightHh, this.biasIh, this.biasHh, ...(this.outProj ? [this.outProj] : [])];
  }

  /**
   * The next state of one token.
   * @param fromInput the input's share of the gates, bias included, [b, gates h]
   * @param fromHidden the hidden state's share, bias included, [b, gates h]
   */
  protected abstract advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): LayerState;

  initialState(batch: number): LayerState {
    return Object.fromEntries(this.#names.map((name) => [name, zeros([batch, this.config.dHidden])]));
  }

  forward(x: Tensor, { initialState, returnState = false, seqIdx }: ForwardOptions = {}): ForwardResult {
    const { y, ...state } = tidy(() => {
      const [b, l] = x.shape as [number, number];
      const gates = linear({ x, weight: this.weightIh.value, bias: this.biasIh.value }).y; // [b, l, gates h]
      const perToken = split(gates, Array<number>(l).fill(1), 1);
      const kept = seqIdx && continuation(seqIdx);
      let current = initialState ?? this.initialState(b);
      const outputs = perToken.map((gate, t) => {
        const before = kept && t > 0 ? scaled(current, sliceAxis(kept, 1, t, 1)) : current;
        current = this.#next(reshape(gate, [b, -1]), before);
        return current[this.#names[0]!]!;
      });
      return { y: this.#project(stack(outputs, 1)), ...(returnState ? current : {}) } as { y: Tensor } & Record<string, Tensor>;
    });
    return returnState ? { y, state } : { y };
  }

  step(x: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const next = this.#next(linear({ x, weight: this.weightIh.value, bias: this.biasIh.value }).y, state);
      for (const name of this.#names) copy({ destination: state[name]!, source: next[name]! });
      return this.#project(next[this.#names[0]!]!);
    });
  }

  #next(fromInput: Tensor, state: LayerState): LayerState {
    const hidden = state[this.#names[0]!]!;
    return this.advance(fromInput, linear({ x: hidden, weight: this.weightHh.value, bias: this.biasHh.value }).y, state);
  }

  #project(y: Tensor): Tensor {
    return this.outProj === undefined ? y : linear({ x: y, weight: this.outProj.value }).y;
  }
}

/** Every tensor of a state times a column [b, 1]. */
function scaled(state: LayerState, factor: Tensor): LayerState {
  return Object.fromEntries(Object.entries(state).map(([name, x]) => [name, mul(x, factor)]));
}
