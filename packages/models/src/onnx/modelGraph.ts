import { ArgumentError } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { PLAIN, type Dialect } from "./dialect.ts";
import { GraphBuilder, type Value } from "./graphBuilder.ts";
import { LayerGraph } from "./layerGraph.ts";
import { matrixProduct, rowsByIds } from "./matrixGraph.ts";
import { mixerGraphs } from "./mixerGraphs.ts";

/**
 * A language model as a graph: `ids` int64 [batch, length] and a state for each layer go in, `logits` [batch, length, vocabulary] and the states after the last
 * token come out, `state.0.ssm` and `state_out.0.ssm`; before the first token a state is zeros, and keys and values have no token.
 * @throws ArgumentError naming what has no graph
 */
export function modelGraph(model: Model, dialect: Dialect = PLAIN): GraphBuilder {
  const { encoder, head, layers, residualMultiplier, norm, normEps, normOffset } = model.resolved;
  if (encoder.kind !== "embedding" || head.kind !== "language")
    throw new ArgumentError(`onnx: head of kind ${head.kind} is not written`);
  if (norm !== "rms") throw new ArgumentError(`onnx: norm = ${norm} is not written`);
  const graph = new GraphBuilder(dialect);
  graph.inputs.push({ name: "ids", type: "int64", shape: ["batch", "length"] });
  const whole = new LayerGraph(graph, model, "");
  const normed = (x: Value, name: string): Value => whole.rms(x, normEps, whole.own(`${name}.weight`), normOffset);
  let x = graph.times(rowsByIds(graph, model, "ids", model.parameter("encoder.weight")), encoder.multiplier ?? 1);
  const outputs: { name: string; shape: readonly (number | string)[]; after: Value }[] = [];
  let number = 0;
  layers.forEach(({ mixers, mlp, normPlacement, shared }, i) => {
    if (shared !== undefined || mlp?.experts)
      throw new ArgumentError(`onnx: layers.${i}: shared blocks and mixtures of experts are not written`);
    const before = normPlacement === "before";
    const input = before ? normed(x, `layers.${i}.norm`) : x;
    const mixed = mixers.map(({ kind, config, inputMultiplier, outputMultiplier, projections }, k) => {
      const make = mixerGraphs[kind];
      if (make === undefined) throw new ArgumentError(`onnx: layers.${i}: mixers of kind ${kind} are not written`);
      const prefix = `layers.${i}.${kind === "mlp" ? "mlp" : "mixer"}.${mixers.length > 1 ? `${k}.` : ""}`;
      const layer = new LayerGraph(graph, model, mlpPrefix(model, prefix, i), `${number++}.`, projections);
      const y = make(layer, graph.times(input, inputMultiplier), config as never);
      outputs.push(...layer.states);
      return graph.times(y, outputMultiplier);
    });
    const branch = (y: Value, name: string): Value => graph.times(before ? y : normed(y, name), residualMultiplier);
    x = graph.add(x, branch(mixed.reduce(graph.add), `layers.${i}.norm`));
    if (mlp === undefined) return;
    const second = before ? normed(x, `layers.${i}.norm2`) : x;
    x = graph.add(x, branch(new LayerGraph(graph, model, `layers.${i}.mlp.`).mlp(second, mlp), `layers.${i}.norm2`));
  });
  const table = model.parameter(head.tie === true ? "encoder.weight" : "head.weight");
  const product = matrixProduct(graph, model, normed(x, "norm_f"), table);
  const scaled = graph.times(product, head.multiplier ?? 1);
  const cap = head.logitCap;
  const logits = cap === undefined ? scaled : graph.times(graph.op("Tanh", [graph.times(scaled, 1 / cap)]), cap);
  graph.nodes.push({ op: "Identity", inputs: [logits], outputs: ["logits"] });
  graph.outputs.push({ name: "logits", type: "float32", shape: ["batch", "length", encoder.vocabSize] });
  for (const { name, shape, after } of outputs) {
    graph.nodes.push({ op: "Identity", inputs: [after], outputs: [`state_out.${name}`] });
    graph.outputs.push({ name: `state_out.${name}`, type: "float32", shape });
  }
  return graph;
}

/** An MLP that is a layer of its own may bear either name. */
function mlpPrefix(model: Model, prefix: string, i: number): string {
  const known = model.parameters.some(({ name }) => name.startsWith(prefix));
  return known ? prefix : `layers.${i}.mixer.`;
}
