import { ArgumentError } from "@statespace/core";
import type { Model } from "../model/model.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";
import { matrixProduct, rowsByIds } from "./matrixGraph.ts";

/** @throws ArgumentError naming a setting of a model's ends that has no graph */
function checkEnds({ encoder, normalize, irregular }: Model["resolved"]): void {
  const refuse = (what: string): never => {
    throw new ArgumentError(`onnx: ${what} is not written`);
  };
  if (normalize !== "none") refuse(`normalize = ${normalize}`);
  if (irregular) refuse("irregular = true");
  if (encoder.kind === "embedding" && encoder.complement !== undefined) refuse("an encoder with complement");
  if (encoder.kind === "linear" && (encoder.missing ?? "refuse") !== "refuse")
    refuse(`an encoder with missing = ${encoder.missing}`);
}

/** The start of a model: `ids` int64 [batch, length] or `inputs` [batch, length, channels] as the residual stream. */
export function encoderGraph(graph: GraphBuilder, model: Model, whole: LayerGraph): Value {
  checkEnds(model.resolved);
  const { encoder } = model.resolved;
  if (encoder.kind === "embedding") {
    graph.inputs.push({ name: "ids", type: "int64", shape: ["batch", "length"] });
    return graph.times(rowsByIds(graph, model, "ids", model.parameter("encoder.weight")), encoder.multiplier ?? 1);
  }
  graph.inputs.push({ name: "inputs", type: "float32", shape: ["batch", "length", encoder.channels] });
  return whole.linear("encoder", "inputs");
}

/** The end of a model: `logits` of a language model, else `output`. @param x [b, l, d], normed */
export function headGraph(graph: GraphBuilder, model: Model, whole: LayerGraph, x: Value): void {
  const { head, encoder } = model.resolved;
  const give = (name: string, value: Value, shape: readonly (number | string)[]): void => {
    graph.nodes.push({ op: "Identity", inputs: [value], outputs: [name] });
    graph.outputs.push({ name, type: "float32", shape });
  };
  if (head.kind === "language") {
    const table = model.parameter(head.tie === true ? "encoder.weight" : "head.weight");
    const scaled = graph.times(matrixProduct(graph, model, x, table), head.multiplier ?? 1);
    const cap = head.logitCap;
    const logits = cap === undefined ? scaled : graph.times(graph.op("Tanh", [graph.times(scaled, 1 / cap)]), cap);
    give("logits", logits, ["batch", "length", encoder.kind === "embedding" ? encoder.vocabSize : table.shape[0]!]);
    return;
  }
  if (head.kind === "forecasting") {
    const { horizon, channels, quantiles } = head;
    const shape = [horizon, channels, ...(quantiles === undefined ? [] : [quantiles.length])];
    give("output", graph.reshape(whole.linear("head", lastOf(graph, x)), [0, ...shape]), ["batch", ...shape]);
    return;
  }
  const pooling = head.kind === "denoising" ? "none" : (head.pooling ?? "mean");
  const mean = (): Value => graph.op("ReduceMean", [x, graph.ints([1])], { keepdims: 0 });
  const pooled = pooling === "none" ? x : pooling === "last" ? lastOf(graph, x) : mean();
  const outputs = model.head.weight.shape[0]!;
  give("output", whole.linear("head", pooled), ["batch", ...(pooling === "none" ? ["length"] : []), outputs]);
}

/** The last token of each row, [b, d]. */
const lastOf = (graph: GraphBuilder, x: Value): Value => graph.op("Squeeze", [graph.last(x, -1, 1), graph.ints([1])]);
