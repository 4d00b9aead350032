import { ArgumentError } from "@statespace/core";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";
import { rotated } from "./rotaryGraph.ts";

/** What stands for a score that does not count. */
const HIDDEN = -1e30;

/** Queries of these tokens, and what they may see: keys and values of a state and of these tokens. */
interface Seen {
  readonly q: Value; // [b, l, h, p], turned
  readonly k: Value; // [b, m, hkv, p], turned
  readonly v: Value; // [b, m, hkv, p]
  /** Places of the queries among the keys, [l]. */
  readonly places: Value;
  /** Places of the keys, [m]. */
  readonly all: Value;
  /** [b, m]: 0 where there was no token. */
  readonly visible?: Value;
}

/** Heads [b, l, .., p] before they are turned. */
type Heads = Pick<Seen, "q" | "k" | "v">;

/** Attention over the keys and values of a state and those of these tokens; the state grows by a token each, or is that of a window. */
export function attentionGraph(layer: LayerGraph, x: Value, config: AttentionMixerConfig): Value {
  const { graph } = layer;
  const { nHeads: h, nHeadsKv: hkv, headDim: p, outputGate, window } = config;
  for (const setting of ["dConv", "mlpDim"] as const)
    if (config[setting] !== 0) throw new ArgumentError(`onnx: attention cannot have ${setting} = ${config[setting]}`);
  if (config.sinks) throw new ArgumentError("onnx: attention cannot have sinks");
  const sizes = [h * p, hkv * p, hkv * p, ...(outputGate ? [h * p] : [])];
  const [q, k, v, gate] = graph.split(layer.linear("in_proj", x), sizes) as [Value, Value, Value, Value | undefined];
  const heads = {
    q: headsOf(layer, q, h, "q_norm", config),
    k: headsOf(layer, k, hkv, "k_norm", config),
    v: graph.reshape(v, [0, 0, hkv, p]),
  };
  const length = graph.op("Shape", [x], { start: 1, end: 2 });
  const y = attended(graph, (window > 0 ? inWindow : sinceStart)(layer, heads, length, config), config);
  return layer.linear("out_proj", gate === undefined ? y : graph.mul(y, graph.sigmoid(gate)));
}

/** [b, l, heads p] -> [b, l, heads, p], normed where the layer does that. */
function headsOf(layer: LayerGraph, x: Value, count: number, name: string, config: AttentionMixerConfig): Value {
  const { headDim: p, qkNorm, qkNormEps, qkNormOffset } = config;
  const norm = layer.weight(`${name}.weight`);
  const flat = qkNorm === "all" ? layer.rms(x, qkNormEps, norm, qkNormOffset) : x;
  const apart = layer.graph.reshape(flat, [0, 0, count, p]);
  return qkNorm === "head" ? layer.rms(apart, qkNormEps, norm, qkNormOffset) : apart;
}

/** All tokens since the first: keys are kept turned. */
function sinceStart(layer: LayerGraph, { q, k, v }: Heads, length: Value, config: AttentionMixerConfig): Seen {
  const { graph } = layer;
  const shape = (tokens: string): readonly (number | string)[] => ["batch", tokens, config.nHeadsKv, config.headDim];
  const [keys, values] = [layer.state("keys", shape("past")), layer.state("values", shape("past"))];
  const past = graph.op("Shape", [keys.before], { start: 1, end: 2 });
  const total = graph.add(past, length);
  const places = range(graph, past, total);
  const seen = {
    q: rotated(graph, q, places, config),
    k: graph.concat([keys.before, rotated(graph, k, places, config)], 1),
    v: graph.concat([values.before, v], 1),
    places,
    all: range(graph, graph.ints([0]), total),
  };
  keys.put(seen.k, shape("total"));
  values.put(seen.v, shape("total"));
  return seen;
}

/** The tokens of a window before these: keys are kept as they were, since places in the window are as good as places in the text. */
function inWindow(layer: LayerGraph, { q, k, v }: Heads, length: Value, config: AttentionMixerConfig): Seen {
  const { graph } = layer;
  const { nHeadsKv, headDim, window } = config;
  const shape = ["batch", window, nHeadsKv, headDim];
  const [keys, values] = [layer.state("lastKeys", shape), layer.state("lastValues", shape)];
  const known = layer.state("lastVisible", ["batch", window]);
  const rows = graph.op("Shape", [k], { start: 0, end: 2 });
  const allKeys = graph.concat([keys.before, k], 1);
  const allValues = graph.concat([values.before, v], 1);
  const visible = graph.concat([known.before, graph.op("Expand", [graph.float(1), rows])], 1);
  keys.put(graph.last(allKeys, -window, 1));
  values.put(graph.last(allValues, -window, 1));
  known.put(graph.last(visible, -window, 1));
  const total = graph.add(graph.ints([window]), length);
  const places = range(graph, graph.ints([window]), total);
  const all = range(graph, graph.ints([0]), total);
  return {
    q: rotated(graph, q, places, config),
    k: rotated(graph, allKeys, all, config),
    v: allValues,
    places,
    all,
    visible,
  };
}

function range(graph: GraphBuilder, from: Value, to: Value): Value {
  return graph.op("Range", [graph.op("Squeeze", [from]), graph.op("Squeeze", [to]), graph.int(1)]);
}

/** What the queries see, [b, l, h p]. */
function attended(graph: GraphBuilder, seen: Seen, config: AttentionMixerConfig): Value {
  const { nHeads: h, nHeadsKv: hkv, headDim: p, softmaxScale, softCap } = config;
  // [b, hkv, h / hkv, l, p] against [b, hkv, 1, p, m]
  const queries = graph.transpose(graph.reshape(seen.q, [0, 0, hkv, h / hkv, p]), [0, 2, 3, 1, 4]);
  const columns = graph.unsqueeze(graph.transpose(seen.k, [0, 2, 3, 1]), 2);
  const scaled = graph.times(graph.op("MatMul", [queries, columns]), softmaxScale);
  const scores =
    softCap === undefined ? scaled : graph.times(graph.op("Tanh", [graph.times(scaled, 1 / softCap)]), softCap);
  const masked = hidden(graph, scores, seen, config.window);
  const rows = graph.unsqueeze(graph.transpose(seen.v, [0, 2, 1, 3]), 2);
  const y = graph.op("MatMul", [graph.op("Softmax", [masked], { axis: -1 }), rows]); // [b, hkv, h / hkv, l, p]
  return graph.reshape(graph.transpose(y, [0, 3, 1, 2, 4]), [0, 0, h * p]);
}

/** Scores [b, hkv, h / hkv, l, m] without those of tokens that are still to come, were before the window, or were none. */
function hidden(graph: GraphBuilder, scores: Value, { places, all, visible }: Seen, window: number): Value {
  const without = (condition: Value, from: Value): Value => graph.op("Where", [condition, graph.float(HIDDEN), from]);
  const keys = graph.unsqueeze(all, 0); // [1, m]
  const causal = without(graph.op("Greater", [keys, graph.unsqueeze(places, 1)]), scores);
  if (visible === undefined) return causal;
  const first = graph.unsqueeze(graph.sub(places, graph.int(window - 1)), 1); // [l, 1]
  const recent = without(graph.op("Less", [keys, first]), causal);
  return without(graph.op("Less", [graph.unsqueeze(visible, 1, 2, 3), graph.float(0.5)]), recent);
}
