import { ArgumentError } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { PLAIN, type Dialect } from "./dialect.ts";
import { encoderGraph, headGraph } from "./endGraphs.ts";
import { GraphBuilder, type Value } from "./graphBuilder.ts";
import { LayerGraph } from "./layerGraph.ts";
import { mixerGraphs } from "./mixerGraphs.ts";
import { mlpGraph } from "./moeGraph.ts";

/**
 * A model as a graph: `ids` int64 [batch, length], or `inputs` [batch, length, channels], and a state for each layer go in, `logits` [batch, length, vocabulary], or
 * `output`, and the states after the last token come out, `state.0.ssm` and `state_out.0.ssm`; before the first token a state is zeros, and keys and values have no
 * token.
 * @throws ArgumentError naming what has no graph
 */
export function modelGraph(model: Model, dialect: Dialect = PLAIN): GraphBuilder {
  const { layers, residualMultiplier, norm, normEps, normOffset } = model.resolved;
  const graph = new GraphBuilder(dialect);
  const whole = new LayerGraph(graph, model, "");
  const normed = (x: Value, name: string): Value =>
    norm === "rms"
      ? whole.rms(x, normEps, whole.own(`${name}.weight`), normOffset)
      : whole.layerNorm(x, normEps, name, normOffset);
  let x = encoderGraph(graph, model, whole);
  const outputs: { name: string; shape: readonly (number | string)[]; after: Value }[] = [];
  let number = 0;
  layers.forEach(({ mixers, mlp, normPlacement, shared }, i) => {
    if (shared !== undefined) throw new ArgumentError(`onnx: layers.${i}: shared blocks are not written`);
    const before = normPlacement === "before";
    const input = before ? normed(x, `layers.${i}.norm`) : x;
    const mixed = mixers.map(({ kind, config, reverse, inputMultiplier, outputMultiplier, projections }, k) => {
      const make = mixerGraphs[kind];
      if (reverse) throw new ArgumentError(`onnx: layers.${i}: a mixer with reverse = true is not written`);
      if (dialect.view === "convolution" && !FILTERS.has(kind))
        throw new ArgumentError(`onnx: layers.${i}: view = convolution is for ${[...FILTERS].join(", ")}, got ${kind}`);
      if (make === undefined) throw new ArgumentError(`onnx: layers.${i}: mixers of kind ${kind} are not written`);
      const prefix = `layers.${i}.${kind === "mlp" ? "mlp" : "mixer"}.${mixers.length > 1 ? `${k}.` : ""}`;
      const mixer = model.mixers[number]!;
      const layer = new LayerGraph(graph, model, mlpPrefix(model, prefix, i), `${number++}.`, projections, mixer);
      const y = make(layer, graph.times(input, inputMultiplier), config as never);
      outputs.push(...layer.states);
      return graph.times(y, outputMultiplier);
    });
    const branch = (y: Value, name: string): Value => graph.times(before ? y : normed(y, name), residualMultiplier);
    x = graph.add(x, branch(mixed.reduce(graph.add), `layers.${i}.norm`));
    if (mlp === undefined) return;
    const second = before ? normed(x, `layers.${i}.norm2`) : x;
    x = graph.add(
      x,
      branch(mlpGraph(new LayerGraph(graph, model, `layers.${i}.mlp.`), second, mlp), `layers.${i}.norm2`),
    );
  });
  headGraph(graph, model, whole, normed(x, "norm_f"));
  for (const { name, shape, after } of outputs) {
    graph.nodes.push({ op: "Identity", inputs: [after], outputs: [`state_out.${name}`] });
    graph.outputs.push({ name: `state_out.${name}`, type: "float32", shape });
  }
  return graph;
}

/** Mixers that have a filter, and those that need none. */
const FILTERS: ReadonlySet<string> = new Set(["s4d", "s5", "lssl", "mlp"]);

/** An MLP that is a layer of its own may bear either name. */
function mlpPrefix(model: Model, prefix: string, i: number): string {
  const known = model.parameters.some(({ name }) => name.startsWith(prefix));
  return known ? prefix : `layers.${i}.mixer.`;
}
