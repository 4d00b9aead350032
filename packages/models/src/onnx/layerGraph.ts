import type { Parameter } from "@statespace/core";
import type { Activation } from "../layers/activations.ts";
import { factorsByRow, type Projections } from "../layers/linear.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { MlpConfig } from "../layers/mlpConfig.ts";
import type { Model } from "../model/model.ts";
import { MICROSOFT } from "./dialect.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import { matrixProduct, sumOfProducts } from "./matrixGraph.ts";

/** A state that goes in and comes out: its shape, with names for what is free. */
export interface StatePort {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly after: Value;
}

/** Which part of a model it is. */
export interface LayerPart {
  /** How the names of its states begin. */
  readonly states?: string;
  /** What the config says of its projections. */
  readonly projections?: Projections;
  /** Where it is one mixer. */
  readonly mixer?: Mixer;
  /** Which use of weights that layers share, where there are such. */
  readonly use?: number | undefined;
}

/** The parameters of one part of a model, and the graph that uses them. */
export class LayerGraph {
  readonly graph: GraphBuilder;
  readonly states: StatePort[] = [];
  readonly #model: Model;
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly prefix: string;
  /** Where the layer is one mixer. */
  readonly mixer: Mixer | undefined;
  readonly #projections: Projections;
  readonly #statePrefix: string;
  readonly #use: number | undefined;

  constructor(graph: GraphBuilder, model: Model, prefix: string, part: LayerPart = {}) {
    const { states = "", projections = {}, mixer, use } = part;
    this.mixer = mixer;
    this.graph = graph;
    this.#model = model;
    this.#parameters = new Map(model.parameters.map((parameter) => [parameter.name, parameter]));
    this.prefix = prefix;
    this.#statePrefix = states;
    this.#projections = projections;
    this.#use = use;
  }

  /** A weight by its name in the layer; `undefined` where the layer has none of that name. */
  weight(name: string): Value | undefined {
    const parameter = this.#parameters.get(this.prefix + name);
    return parameter === undefined ? undefined : this.graph.weight(parameter);
  }

  own(name: string): Value {
    return this.weight(name)!;
  }

  /** What the graph takes as a state before the first token of its input. */
  state(
    name: string,
    shape: readonly (number | string)[],
  ): { readonly before: Value; readonly put: (after: Value, shape?: readonly (number | string)[]) => void } {
    const before = `state.${this.#statePrefix}${name}`;
    this.graph.inputs.push({ name: before, type: "float32", shape });
    return {
      before,
      put: (after, afterShape = shape) =>
        void this.states.push({ name: `${this.#statePrefix}${name}`, shape: afterShape, after }),
    };
  }

  /** W x, of several weights one under the other. */
  product(name: string, x: Value): Value {
    return matrixProduct(this.graph, this.#model, x, this.#parameters.get(this.prefix + name)!);
  }

  /** The sum of several weights' products, each with its part of x. */
  sumOfProducts(name: string, x: Value): Value {
    return sumOfProducts(this.graph, this.#model, x, this.#parameters.get(this.prefix + name)!);
  }

  /** W x + b, times the factors that the config has. */
  linear(name: string, x: Value): Value {
    const { graph } = this;
    const weight = this.#parameters.get(`${this.prefix}${name}.weight`)!;
    const product = matrixProduct(graph, this.#model, x, weight);
    const bias = this.weight(`${name}.bias`);
    const own = bias === undefined ? product : graph.add(product, bias);
    const added = this.#added(name, x);
    const y = added.length === 0 ? own : graph.add(own, added.length === 1 ? added[0]! : graph.concat(added, -1));
    const { factors } = this.#projections[name] ?? {};
    if (factors === undefined) return y;
    const rows = factors.reduce((total, [count]) => total + count, 0);
    return graph.mul(y, graph.floats(factorsByRow(factors, rows, name)));
  }

  /** What the use of a shared projection adds to it: low-rank projections of all its rows, or of each part of them. */
  #added(name: string, x: Value): readonly Value[] {
    if (this.#use === undefined) return [];
    const prefix = `${this.prefix}${name}.added.${this.#use}.`;
    const downs = [...this.#parameters.keys()].filter((key) => key.startsWith(prefix) && key.endsWith("down.weight"));
    return downs.map((key) => {
      const part = key.slice(this.prefix.length, -"down.weight".length);
      return this.linear(`${part}up`, this.linear(`${part}down`, x));
    });
  }

  /** x / sqrt(mean(x^2) + eps) along the last axis, times a weight where there is one. */
  rms(x: Value, eps: number, weight?: Value, offset = 0): Value {
    const { graph } = this;
    const mean = graph.op("ReduceMean", [graph.mul(x, x), graph.ints([-1])], { keepdims: 1 });
    const normed = graph.op("Div", [x, graph.op("Sqrt", [graph.add(mean, graph.float(eps))])]);
    if (weight === undefined) return normed;
    return graph.mul(normed, offset === 0 ? weight : graph.add(weight, graph.float(offset)));
  }

  /** (x - mean) / sqrt(variance + eps) along the last axis, times a weight, plus a bias. */
  layerNorm(x: Value, eps: number, name: string, offset: number): Value {
    const { graph } = this;
    const weight = this.own(`${name}.weight`);
    const scale = offset === 0 ? weight : graph.add(weight, graph.float(offset));
    const inputs = [x, scale, this.own(`${name}.bias`)];
    return graph.op("LayerNormalization", inputs, { axis: -1, epsilon: { float: eps } });
  }

  /** A causal convolution of each channel by itself, and silu where asked: x [b, l, d] and the k - 1 inputs before it, [b, k - 1, d]. */
  convolved(x: Value, d: number, k: number, silu = false): Value {
    const { graph } = this;
    const state = this.state("conv", ["batch", k - 1, d]);
    const [weight, bias] = [this.own("conv1d.weight"), this.weight("conv1d.bias")];
    const turned = (value: Value): Value => graph.transpose(value, [0, 2, 1]);
    const { fused } = graph.dialect;
    if (fused !== undefined && k > 1) {
      // onnxruntime's own has an attribute for channels that stand last; the standard one has them first.
      const own = fused === MICROSOFT;
      const placed = own ? (value: Value): Value => value : turned;
      const attributes = { activation: silu ? "silu" : "none", ...(own ? { channels_last: 1 } : {}) };
      const inputs = [placed(x), weight, bias ?? "", placed(state.before)];
      const [y, last] = graph.ops("CausalConvWithState", inputs, 2, attributes, fused);
      state.put(placed(last!));
      return placed(y!);
    }
    const all = graph.concat([state.before, x], 1);
    state.put(k === 1 ? state.before : graph.last(all, -(k - 1), 1));
    const inputs = [turned(all), weight, ...(bias === undefined ? [] : [bias])];
    const y = turned(graph.op("Conv", inputs, { group: d, kernel_shape: [k] }));
    return silu ? graph.silu(y) : y;
  }

  /**
   * A recurrence over tokens: `step` makes the new state and what is read of it from the state and the token's values, which stand along axis 1.
   * @returns the last state, and what was read [b, l, ...]
   */
  scan(
    state: Value,
    stateShape: readonly (number | string)[],
    tokens: readonly { readonly value: Value; readonly shape: readonly (number | string)[] }[],
    step: (
      graph: GraphBuilder,
      state: Value,
      tokens: readonly Value[],
    ) => { readonly state: Value; readonly y: Value; readonly shape: readonly (number | string)[] },
  ): { readonly last: Value; readonly y: Value } {
    const body = this.graph.inner();
    const before = body.fresh();
    const names = tokens.map(() => body.fresh());
    body.inputs.push({ name: before, type: "float32", shape: stateShape });
    names.forEach((name, i) => body.inputs.push({ name, type: "float32", shape: tokens[i]!.shape }));
    const made = step(body, before, names);
    // An output of its own for each: a state that is also read would be one name twice.
    const [after, read] = [body.op("Identity", [made.state]), body.op("Identity", [made.y])];
    body.outputs.push(
      { name: after, type: "float32", shape: stateShape },
      { name: read, type: "float32", shape: made.shape },
    );
    const [last, y] = this.graph.ops("Scan", [state, ...tokens.map(({ value }) => value)], 2, {
      body: body.graph("step"),
      num_scan_inputs: tokens.length,
      scan_input_axes: tokens.map(() => 1),
      scan_output_axes: [1],
    });
    return { last: last!, y: y! };
  }

  /** A part of this one, whose parameters' names begin so. */
  within(name: string): LayerGraph {
    return new LayerGraph(this.graph, this.#model, this.prefix + name, { use: this.#use });
  }

  activation(x: Value, name: Activation): Value {
    const { graph } = this;
    const activate = {
      silu: graph.silu,
      relu2: (v: Value) => graph.op("Pow", [graph.op("Relu", [v]), graph.float(2)]),
      gelu: (v: Value) => graph.op("Gelu", [v]),
      geluTanh: (v: Value) => graph.op("Gelu", [v], { approximate: "tanh" }),
    }[name];
    return activate(x);
  }

  /** up activation(gate), or activation(up), of the first projection of an MLP. */
  activated(first: Value, config: MlpConfig): Value {
    const { graph } = this;
    const activate = (v: Value): Value => this.activation(v, config.activation);
    if (!config.gated) return activate(graph.times(first, config.gateMultiplier));
    const [up, gate] = graph.split(first, [config.hidden, config.hidden]) as [Value, Value];
    return graph.mul(up, activate(graph.times(gate, config.gateMultiplier)));
  }

  /** An MLP of which all tokens share one. */
  mlp(x: Value, config: MlpConfig): Value {
    const inner = this.activated(this.linear("fc1", x), config);
    return this.graph.times(this.linear("fc2", inner), config.outputMultiplier);
  }
}
