import type { Parameter } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { MICROSOFT, type OnnxWeights } from "./dialect.ts";
import type { GraphBuilder, PackedMatrix, Value } from "./graphBuilder.ts";

/** Values that share a scale. */
export const BLOCK = 32;

/** Bits of a value of a packed matrix. */
export const bitsOf = (weights: OnnxWeights): number => (weights === "q4" ? 4 : 8);

function isPacked({ dialect }: GraphBuilder, model: Model, parameter: Parameter): boolean {
  return dialect.weights !== "f32" && model.packs(parameter, dialect.weights);
}

function blocksProduct(graph: GraphBuilder, x: Value, { quants, scales, n, k }: PackedMatrix): Value {
  // Level 1: products in float32, as here; others round x to fewer bits.
  const attributes = { N: n, K: k, bits: bitsOf(graph.dialect.weights), block_size: BLOCK, accuracy_level: 1 };
  return graph.op("MatMulNBits", [x, quants, scales], attributes, MICROSOFT);
}

/** x [.., k] times a weight [n, k], as a layer has it, or several one under the other, [e, n, k]: [.., e n]. */
export function matrixProduct(graph: GraphBuilder, model: Model, x: Value, parameter: Parameter): Value {
  if (isPacked(graph, model, parameter)) return blocksProduct(graph, x, graph.packedWeight(parameter));
  const weight = graph.weight(parameter);
  const flat = parameter.shape.length === 2 ? weight : graph.reshape(weight, [-1, parameter.shape.at(-1)!]);
  return graph.op("MatMul", [x, graph.transpose(flat, [1, 0])]);
}

/** The sum of what several weights [e, n, k] make, each of its part of x [.., e k]: they are one matrix, side by side. */
export function sumOfProducts(graph: GraphBuilder, model: Model, x: Value, parameter: Parameter): Value {
  const [e, n, k] = parameter.shape as [number, number, number];
  if (isPacked(graph, model, parameter)) return blocksProduct(graph, x, graph.packedWeight(parameter, e));
  const turned = graph.transpose(graph.weight(parameter), [0, 2, 1]); // [e, k, n]
  return graph.op("MatMul", [x, graph.reshape(turned, [e * k, n])]);
}

/** Rows of a weight [v, k] by their numbers. */
export function rowsByIds(graph: GraphBuilder, model: Model, ids: Value, parameter: Parameter): Value {
  if (!isPacked(graph, model, parameter)) return graph.op("Gather", [graph.weight(parameter), ids]);
  const [v, k] = parameter.shape as [number, number];
  const bits = bitsOf(graph.dialect.weights);
  const { quants, scales } = graph.packedWeight(parameter);
  const flat = graph.reshape(quants, [v, (k * bits) / 8]);
  const attributes = { bits, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 };
  return graph.op("GatherBlockQuantized", [flat, ids, scales], attributes, MICROSOFT);
}
