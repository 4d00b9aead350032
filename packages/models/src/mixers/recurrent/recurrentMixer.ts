import {
  add,
  linear,
  matMul,
  mul,
  reshape,
  split,
  stack,
  sum,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { runComposite } from "@statespace/core/backend";
import { copy, sliceAxis } from "@statespace/core/ops";
import { kaimingUniform, uniform } from "../../layers/initializers.ts";
import type { Linear } from "../../layers/linear.ts";
import {
  forwardOptions,
  type ForwardOptions,
  type ForwardResult,
  type LayerState,
  type Mixer,
} from "../../layers/mixer.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import { continuation } from "../../layers/sequenceBoundaries.ts";
import type { RecurrentConfig } from "./config.ts";

/** One token forward: the state behind it, and what the way back needs of it. */
export interface Advance {
  readonly next: LayerState;
  /** By name, [b, .] each. */
  readonly kept: Readonly<Record<string, Tensor>>;
}

/** One token backward. */
export interface Retreat {
  /** Gradient of the hidden state's share of the gates, [b, gates h]. */
  readonly fromHidden: Tensor;
  /** Of the input's share, where that differs. */
  readonly fromInput?: Tensor;
  /** Of the state before, but for what goes through the gates. */
  readonly before: LayerState;
}

/**
 * What GRU and LSTM share: the input's share of all gates is one product over the whole sequence, then one product with the
 * hidden state a token. Back-propagation through time is one node of the tape: the slopes of all tokens are worked out at once,
 * what remains a token is one product and a few elementwise ops, and the recurrent weight's gradient is one product at the end.
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
  readonly outProj: Linear | undefined; // [dModel, h]
  readonly #names: readonly string[];

  /** @param names of the state's tensors, [b, h] each; the first is the output. */
  constructor(config: RecurrentConfig, gates: number, names: readonly string[], build: ParameterBuilder) {
    const { dModel, dHidden: h } = config;
    this.config = config;
    this.#names = names;
    const init = uniform(1 / Math.sqrt(h));
    this.weightIh = build.matrix("weight_ih_l0", [gates * h, dModel], init);
    this.weightHh = build.matrix("weight_hh_l0", [gates * h, h], init);
    this.biasIh = build.make("bias_ih_l0", [gates * h], init, { decay: false });
    this.biasHh = build.make("bias_hh_l0", [gates * h], init, { decay: false });
    this.outProj = h === dModel ? undefined : build.linear("out_proj", [dModel, h], kaimingUniform(h));
    this.parameters = [this.weightIh, this.weightHh, this.biasIh, this.biasHh, ...(this.outProj?.parameters ?? [])];
  }

  /**
   * One token.
   * @param fromInput the input's share of the gates, bias included, [b, gates h]
   * @param fromHidden the hidden state's share, bias included, [b, gates h]
   */
  protected abstract advance(fromInput: Tensor, fromHidden: Tensor, state: LayerState): Advance;
  /** The factors that `retreat` needs, for all tokens at once: of what was kept, [l, b, .] each, and of the states before. */
  protected abstract slopes(
    kept: Readonly<Record<string, Tensor>>,
    before: LayerState,
  ): Readonly<Record<string, Tensor>>;
  /** One token back, from the gradient of the state behind it and the token's slopes, [b, .] each. */
  protected abstract retreat(gradient: LayerState, slopes: Readonly<Record<string, Tensor>>): Retreat;

  initialState(batch: number): LayerState {
    return Object.fromEntries(
      this.#names.map((name) => [name, zeros([batch, this.config.dHidden], { backend: this.weightHh.backend })]),
    );
  }

  forward(x: Tensor, options: ForwardOptions = {}): ForwardResult {
    const { initialState, returnState = false, seqIdx } = forwardOptions(options);
    const { y, ...state } = tidy(() => {
      const gates = linear({ x, weight: this.weightIh.value, bias: this.biasIh.value }).y; // [b, l, gates h]
      const [hidden, ...last] = this.#unroll(
        gates,
        initialState ?? this.initialState(x.shape[0]!),
        seqIdx && continuation(seqIdx),
      );
      const final = Object.fromEntries(this.#names.map((name, i) => [name, last[i]!]));
      return { y: this.#project(hidden!), ...(returnState ? final : {}) } as { y: Tensor } & Record<string, Tensor>;
    });
    return returnState ? { y, state } : { y };
  }

  /** Hidden states [b, l, h] and the final state's tensors. @param kept [b, l]: 0 where a sequence starts */
  #unroll(gates: Tensor, initial: LayerState, kept: Tensor | undefined): Tensor[] {
    const run: { before: LayerState[]; kept: Readonly<Record<string, Tensor>>[] } = { before: [], kept: [] };
    const forward = (): Tensor[] => {
      const [b, l] = gates.shape as [number, number];
      let current = initial;
      const outputs = split(gates, Array<number>(l).fill(1), 1).map((gate, t) => {
        const before = kept && t > 0 ? scaled(current, sliceAxis(kept, 1, t, 1)) : current;
        const { next, kept: own } = this.#next(reshape(gate, [b, -1]), before);
        run.before.push(before);
        run.kept.push(own);
        current = next;
        return next[this.#names[0]!]!;
      });
      return [stack(outputs, 1), ...this.#names.map((name) => current[name]!)];
    };
    const inputs = { gates, weight: this.weightHh.value, bias: this.biasHh.value, ...initial };
    return runComposite("recurrent", inputs, forward, () => {
      const [keptNames, beforeNames] = [Object.keys(run.kept[0]!), this.#names];
      const held = [
        ...run.kept.flatMap((own) => keptNames.map((name) => own[name]!)),
        ...run.before.flatMap((state) => beforeNames.map((name) => state[name]!)),
      ];
      const mask = kept ? [kept] : [];
      return {
        save: [this.weightHh.value, ...mask, ...held],
        backward: (dys, [weight, ...saved]) => {
          const own = kept ? saved.slice(1) : saved;
          const l = run.kept.length;
          const column = (from: number, width: number, i: number): Tensor =>
            stack(Array.from({ length: l }, (_, t) => own[from + t * width + i]!));
          const stacked = Object.fromEntries(keptNames.map((name, i) => [name, column(0, keptNames.length, i)]));
          const before = Object.fromEntries(
            beforeNames.map((name, i) => [name, column(l * keptNames.length, beforeNames.length, i)]),
          );
          return this.#backward(dys, weight!, kept && saved[0], this.slopes(stacked, before), before[this.#names[0]!]!);
        },
      };
    });
  }

  #backward(
    dys: readonly (Tensor | null)[],
    weight: Tensor,
    kept: Tensor | undefined,
    slopes: Readonly<Record<string, Tensor>>,
    hiddenBefore: Tensor,
  ): Record<string, Tensor> {
    const [l, b, h] = hiddenBefore.shape as [number, number, number];
    const back = transpose(weight, [1, 0]);
    const dHidden = dys[0] ? transpose(dys[0], [1, 0, 2]) : undefined; // [l, b, h]
    const at = (x: Tensor, t: number): Tensor => reshape(sliceAxis(x, 0, t, 1), x.shape.slice(1));
    let later: LayerState = Object.fromEntries(
      this.#names.map((name, i) => [name, dys[i + 1] ?? zeros([b, h], { backend: weight.backend })]),
    );
    const output = this.#names[0]!;
    const shares: Retreat[] = [];
    for (let t = l - 1; t >= 0; t--) {
      const gradient = dHidden ? Object.assign({}, later, { [output]: add(later[output]!, at(dHidden, t)) }) : later;
      const share = this.retreat(
        gradient,
        Object.fromEntries(Object.entries(slopes).map(([name, x]) => [name, at(x, t)])),
      );
      shares.unshift(share);
      const through = linear({ x: share.fromHidden, weight: back }).y;
      const before = { ...share.before, [output]: share.before[output] ? add(share.before[output], through) : through };
      later = kept && t > 0 ? scaled(before, sliceAxis(kept, 1, t, 1)) : before;
    }
    const fromHidden = stack(shares.map((share) => share.fromHidden)); // [l, b, gates h]
    const fromInput = stack(
      shares.map((share) => share.fromInput ?? share.fromHidden),
      1,
    ); // [b, l, gates h]
    const rows = reshape(fromHidden, [l * b, -1]);
    return {
      gates: fromInput,
      weight: matMul(rows, reshape(hiddenBefore, [l * b, h]), true),
      bias: sum(rows, 0),
      ...later,
    };
  }

  step(x: Tensor, state: LayerState): Tensor {
    return tidy(() => {
      const { next } = this.#next(linear({ x, weight: this.weightIh.value, bias: this.biasIh.value }).y, state);
      for (const name of this.#names) copy({ destination: state[name]!, source: next[name]! });
      return this.#project(next[this.#names[0]!]!);
    });
  }

  #next(fromInput: Tensor, state: LayerState): Advance {
    const hidden = state[this.#names[0]!]!;
    return this.advance(
      fromInput,
      linear({ x: hidden, weight: this.weightHh.value, bias: this.biasHh.value }).y,
      state,
    );
  }

  #project(y: Tensor): Tensor {
    return this.outProj === undefined ? y : this.outProj.apply(y);
  }
}

/** Every tensor of a state times a column [b, 1]. */
function scaled(state: LayerState, factor: Tensor): LayerState {
  return Object.fromEntries(Object.entries(state).map(([name, x]) => [name, mul(x, factor)]));
}
