import { ArgumentError } from "@statespace/core";
import type { MixerKind } from "../mixers/registry.ts";
import type { ResolvedLayer, ResolvedMixer, ResolvedShared } from "../model/config.ts";
import type { Model } from "../model/model.ts";
import { PLAIN, type Dialect } from "./dialect.ts";
import { encoderGraph, headGraph } from "./endGraphs.ts";
import { GraphBuilder, type Value } from "./graphBuilder.ts";
import { LayerGraph, type LayerPart, type StatePort } from "./layerGraph.ts";
import { mixerGraphs } from "./mixerGraphs.ts";
import { mlpGraph } from "./moeGraph.ts";

/** Mixers that have a filter, and those that need none. */
const FILTERS: ReadonlySet<string> = new Set(["s4d", "s5", "lssl", "mlp"]);

/**
 * A model as a graph: `ids` int64 [batch, length], or `inputs` [batch, length, channels], and a state for each layer go in, `logits` [batch, length, vocabulary], or
 * `output`, and the states after the last token come out, `state.0.ssm` and `state_out.0.ssm`; before the first token a state is zeros, and keys and values have no
 * token.
 * @throws ArgumentError naming what has no graph
 */
export function modelGraph(model: Model, dialect: Dialect = PLAIN): GraphBuilder {
  const graph = new GraphBuilder(dialect);
  const stack = new StackGraph(graph, model);
  const encoded = encoderGraph(graph, model, stack.whole);
  const x = model.resolved.layers.reduce((before, layer, i) => stack.layer(before, encoded, layer, i), encoded);
  headGraph(graph, model, stack.whole, stack.normed(x, "norm_f"));
  for (const { name, shape, after } of stack.states) {
    graph.nodes.push({ op: "Identity", inputs: [after], outputs: [`state_out.${name}`] });
    graph.outputs.push({ name: `state_out.${name}`, type: "float32", shape });
  }
  return graph;
}

/** The layers of a model, one after the other. */
class StackGraph {
  readonly whole: LayerGraph;
  readonly states: StatePort[] = [];
  readonly #graph: GraphBuilder;
  readonly #model: Model;
  /** Mixers that were written: their states are named by it. */
  #number = 0;

  constructor(graph: GraphBuilder, model: Model) {
    this.#graph = graph;
    this.#model = model;
    this.whole = new LayerGraph(graph, model, "");
  }

  normed(x: Value, name: string): Value {
    const { norm, normEps, normOffset } = this.#model.resolved;
    return norm === "rms"
      ? this.whole.rms(x, normEps, this.whole.own(`${name}.weight`), normOffset)
      : this.whole.layerNorm(x, normEps, name, normOffset);
  }

  /** @param encoded what the encoder gave */
  layer(x: Value, encoded: Value, { mixers, mlp, normPlacement, shared }: ResolvedLayer, i: number): Value {
    const graph = this.#graph;
    const before = normPlacement === "before";
    const lifted = shared === undefined ? x : graph.add(x, this.#shared(x, encoded, shared, i));
    const input = before ? this.normed(lifted, `layers.${i}.norm`) : lifted;
    const mixed = mixers.map((mixer, k) => this.#own(input, mixer, i, mixers.length > 1 ? `${k}.` : ""));
    const branch = (y: Value, name: string): Value =>
      graph.times(before ? y : this.normed(y, name), this.#model.resolved.residualMultiplier);
    const middle = graph.add(x, branch(mixed.reduce(graph.add), `layers.${i}.norm`));
    if (mlp === undefined) return middle;
    const second = before ? this.normed(middle, `layers.${i}.norm2`) : middle;
    const dense = mlpGraph(this.#part(`layers.${i}.mlp.`), second, mlp);
    return graph.add(middle, branch(dense, `layers.${i}.norm2`));
  }

  /** One of the mixers of a layer, between its factors. */
  #own(input: Value, mixer: ResolvedMixer, i: number, place: string): Value {
    const { kind, config, reverse, inputMultiplier, outputMultiplier, projections } = mixer;
    if (reverse) throw new ArgumentError(`onnx: layers.${i}: a mixer with reverse = true is not written`);
    const prefix = mlpPrefix(this.#model, `layers.${i}.${kind === "mlp" ? "mlp" : "mixer"}.${place}`, i);
    const taken = this.#graph.times(input, inputMultiplier);
    return this.#graph.times(this.#mixed(taken, kind, config, prefix, i, { projections }), outputMultiplier);
  }

  /** The Transformer block that some layers share, before a layer's own mixers; its attention sees what the encoder gave, too. */
  #shared(x: Value, encoded: Value, { block, attention, mlp }: ResolvedShared, i: number): Value {
    const { layers } = this.#model.resolved;
    const prefix = `shared.${layers.findIndex(({ shared }) => shared?.block === block)}.`;
    const use = layers.slice(0, i).filter(({ shared }) => shared !== undefined).length;
    const input = this.normed(this.#graph.concat([x, encoded], -1), `${prefix}norm`);
    const seen = this.#mixed(input, "attention", attention, `${prefix}attention.`, i, { use });
    const dense = this.#part(`${prefix}mlp.`, { use }).mlp(this.normed(seen, `${prefix}norm2`), mlp);
    return this.#part(`layers.${i}.shared.`).linear("linear", dense);
  }

  /** The next mixer that may have a state. @throws ArgumentError where it has no graph */
  #mixed(input: Value, kind: MixerKind, config: object, prefix: string, i: number, part: LayerPart): Value {
    const { view } = this.#graph.dialect;
    const make = mixerGraphs[kind];
    if (view === "convolution" && !FILTERS.has(kind))
      throw new ArgumentError(`onnx: layers.${i}: view = convolution is for ${[...FILTERS].join(", ")}, got ${kind}`);
    if (make === undefined) throw new ArgumentError(`onnx: layers.${i}: mixers of kind ${kind} are not written`);
    const mixer = this.#model.mixers[this.#number]!;
    const layer = this.#part(prefix, { ...part, states: `${this.#number++}.`, mixer });
    const y = make(layer, input, config as never);
    this.states.push(...layer.states);
    return y;
  }

  #part(prefix: string, part?: LayerPart): LayerGraph {
    return new LayerGraph(this.#graph, this.#model, prefix, part);
  }
}

/** An MLP that is a layer of its own may bear either name. */
function mlpPrefix(model: Model, prefix: string, i: number): string {
  const known = model.parameters.some(({ name }) => name.startsWith(prefix));
  return known ? prefix : `layers.${i}.mixer.`;
}
