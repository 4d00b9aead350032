import { type Complex, ComplexGraph } from "./complexGraph.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";

/** The number of tokens of u [b, l, ..], as [1]. */
export const lengthOf = (graph: GraphBuilder, u: Value): Value => graph.op("Shape", [u], { start: 1, end: 2 });

/** 0, 1, .. as floats, one for each token of u; from the last to the first where asked. */
export function timesOf(graph: GraphBuilder, u: Value, backwards = false): Value {
  const length = graph.op("Squeeze", [lengthOf(graph, u)]);
  const places = backwards
    ? graph.op("Range", [graph.sub(length, graph.int(1)), graph.int(-1), graph.int(-1)])
    : graph.op("Range", [graph.int(0), length, graph.int(1)]);
  return graph.op("Cast", [places], { to: 1 });
}

/** ABar^t at the times of u from the last to the first, [.., l], of logABar [..]. */
export function powersBackwards(graph: GraphBuilder, u: Value, logABar: Complex): Complex {
  const c = new ComplexGraph(graph);
  const wide = (x: Value): Value => graph.unsqueeze(x, -1);
  return c.exp(c.scale({ re: wide(logABar.re), im: wide(logABar.im) }, timesOf(graph, u, true)));
}

/**
 * A causal convolution of each channel by itself with a filter as long as the sequence.
 * @param u [b, l, d] @param filter [d, 1, l], its last tap weighs the token itself @returns [b, l, d]
 */
export function longConv(graph: GraphBuilder, u: Value, filter: Value, d: number): Value {
  const before = graph.sub(lengthOf(graph, u), graph.ints([1]));
  const none = graph.ints([0]);
  const channels = graph.transpose(u, [0, 2, 1]);
  const padded = graph.op("Pad", [channels, graph.concat([none, none, before, none, none, none], 0)]);
  return graph.transpose(graph.op("Conv", [padded, filter], { group: d }), [0, 2, 1]);
}
