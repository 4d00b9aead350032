import type { RgLruConfig } from "../mixers/rgLru/config.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";

/** The power of a that a wide open recurrence gate means. */
const POWER = 8;
/** Least square of an input's scale: a gate that is shut further lets nothing through in float32. */
const SMALLEST = 1e-30;

/** Gated linear recurrences, h_t = a_t h_{t-1} + sqrt(1 - a_t^2) i_t x_t, a channel each; the first token goes in as it is. */
export function rgLruGraph(layer: LayerGraph, x: Value, config: RgLruConfig): Value {
  const { graph } = layer;
  const { dInner: d, dConv: k, activation } = config;
  const [u, y] = graph.split(layer.linear("in_proj", x), [d, d]) as [Value, Value];
  const convolved = layer.convolved(u, d, k);
  const r = graph.sigmoid(byHeads(layer, convolved, "recurrent_gate", config));
  const i = graph.sigmoid(byHeads(layer, convolved, "input_gate", config));
  const logA = graph.mul(r, graph.times(graph.softplus(layer.own("a_param")), -POWER)); // [b, l, d]
  const input = graph.mul(convolved, i);
  const started = startedBefore(layer, x); // [b, l, 1]
  const scaled = graph.op("Where", [started, graph.mul(input, inputScale(graph, logA)), input]);
  const states = recurrence(layer, logA, scaled, d);
  return layer.linear("out_proj", graph.mul(states, layer.activation(y, activation)));
}

/** The states h_t = a_t h_{t-1} + input_t, [b, l, d]: `LinearAttention` of as many heads as channels, each with a state of one number, or a `Scan`. */
function recurrence(layer: LayerGraph, logA: Value, input: Value, d: number): Value {
  const { graph } = layer;
  const channels = ["batch", d];
  const state = layer.state("recurrent", channels);
  if (graph.dialect.fused !== undefined) {
    const ones = graph.op("Expand", [graph.float(1), graph.op("Shape", [input])]);
    const inputs = [ones, ones, input, graph.unsqueeze(state.before, 2, 3), logA];
    const attributes = { q_num_heads: d, kv_num_heads: d, scale: { float: 1 }, update_rule: "gated" };
    const [states, last] = graph.ops("LinearAttention", inputs, 2, attributes, graph.dialect.fused);
    state.put(graph.op("Squeeze", [last!, graph.ints([2, 3])]));
    return states!;
  }
  const tokens = [
    { value: graph.op("Exp", [logA]), shape: channels },
    { value: input, shape: channels },
  ];
  const { last, y } = layer.scan(state.before, channels, tokens, (body, before, [a, token]) => {
    const after = body.add(body.mul(a!, before), token!);
    return { state: after, y: after, shape: channels };
  });
  state.put(last);
  return y;
}

/** A projection of each head's channels, [b, l, d] -> [b, l, d]. */
function byHeads(layer: LayerGraph, x: Value, name: string, { dInner: d, nHeads: h }: RgLruConfig): Value {
  const { graph } = layer;
  const heads = graph.transpose(graph.reshape(x, [0, 0, h, d / h]), [0, 2, 1, 3]); // [b, h, l, d / h]
  const product = graph.op("MatMul", [heads, layer.own(`${name}.weight`)]);
  const y = graph.add(graph.transpose(product, [0, 2, 1, 3]), layer.own(`${name}.bias`));
  return graph.reshape(y, [0, 0, d]);
}

/** sqrt(1 - a^2) of log a. With t = tanh(log a) it is sqrt(-2 t / (1 - t)), which cancels nothing where a is nearly 1 and is finite where it is nearly 0. */
function inputScale(graph: GraphBuilder, logA: Value): Value {
  const t = graph.op("Tanh", [logA]);
  const square = graph.op("Div", [graph.times(t, -2), graph.sub(graph.float(1), t)]);
  return graph.op("Sqrt", [graph.op("Max", [square, graph.float(SMALLEST)])]);
}

/** Whether tokens of its sequence went before each token of x: [b, l, 1]. The state says it for the first; after some token it is 1. */
function startedBefore(layer: LayerGraph, x: Value): Value {
  const { graph } = layer;
  const state = layer.state("started", ["batch", 1]);
  const [rows, length] = [0, 1].map((axis) => graph.op("Shape", [x], { start: axis, end: axis + 1 })) as [Value, Value];
  state.put(graph.op("Expand", [graph.float(1), graph.concat([rows, graph.ints([1])], 0)]));
  const places = graph.op("Range", [graph.int(0), graph.op("Squeeze", [length]), graph.int(1)]);
  const later = graph.op("Cast", [graph.unsqueeze(graph.op("Greater", [places, graph.int(0)]), 1)], { to: 1 }); // [l, 1]
  return graph.op("Greater", [graph.add(graph.unsqueeze(state.before, 1), later), graph.float(0.5)]);
}
