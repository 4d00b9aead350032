import { ArgumentError } from "@statespace/core";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";

/** Attention over the keys and values of a state and those of these tokens; the state grows by a token each. */
export function attentionGraph(layer: LayerGraph, x: Value, config: AttentionMixerConfig): Value {
  const { graph } = layer;
  const { nHeads: h, nHeadsKv: hkv, headDim: p, qkNorm, qkNormEps, qkNormOffset, outputGate } = config;
  for (const setting of ["window", "dConv", "mlpDim"] as const)
    if (config[setting] !== 0) throw new ArgumentError(`onnx: attention cannot have ${setting} = ${config[setting]}`);
  if (config.rotaryScaling !== undefined) throw new ArgumentError("onnx: attention cannot have rotaryScaling");
  if (config.sinks) throw new ArgumentError("onnx: attention cannot have sinks");
  const sizes = [h * p, hkv * p, hkv * p, ...(outputGate ? [h * p] : [])];
  const [q, k, v, gate] = graph.split(layer.linear("in_proj", x), sizes) as [Value, Value, Value, Value | undefined];
  const heads = (value: Value, count: number, name: string): Value => {
    const norm = layer.weight(`${name}.weight`);
    const flat = qkNorm === "all" ? layer.rms(value, qkNormEps, norm, qkNormOffset) : value;
    const apart = graph.reshape(flat, [0, 0, count, p]);
    return qkNorm === "head" ? layer.rms(apart, qkNormEps, norm, qkNormOffset) : apart;
  };
  const shape = ["batch", "past", hkv, p];
  const [keys, values] = [layer.state("keys", shape), layer.state("values", shape)];
  const past = graph.op("Shape", [keys.before], { start: 1, end: 2 });
  const length = graph.op("Shape", [x], { start: 1, end: 2 });
  const total = graph.add(past, length);
  const range = (from: Value, to: Value): Value =>
    graph.op("Range", [graph.op("Squeeze", [from]), graph.op("Squeeze", [to]), graph.int(1)]);
  const places = range(past, total);
  const turned = (value: Value): Value => rotated(graph, value, places, config);
  const allKeys = graph.concat([keys.before, turned(heads(k, hkv, "k_norm"))], 1);
  const allValues = graph.concat([values.before, graph.reshape(v, [0, 0, hkv, p])], 1);
  keys.put(allKeys, ["batch", "total", hkv, p]);
  values.put(allValues, ["batch", "total", hkv, p]);
  // [b, hkv, h / hkv, l, p] against [b, hkv, 1, p, m]
  const queries = graph.transpose(
    graph.reshape(turned(heads(q, h, "q_norm")), [0, 0, hkv, h / hkv, p]),
    [0, 2, 3, 1, 4],
  );
  const columns = graph.unsqueeze(graph.transpose(allKeys, [0, 2, 3, 1]), 2);
  const scores = graph.times(graph.op("MatMul", [queries, columns]), config.softmaxScale);
  const ahead = graph.op("Greater", [graph.unsqueeze(range(graph.ints([0]), total), 0), graph.unsqueeze(places, 1)]);
  const masked = graph.op("Where", [ahead, graph.float(-1e30), scores]);
  const rows = graph.unsqueeze(graph.transpose(allValues, [0, 2, 1, 3]), 2);
  const seen = graph.op("MatMul", [graph.op("Softmax", [masked], { axis: -1 }), rows]); // [b, hkv, h / hkv, l, p]
  const flat = graph.reshape(graph.transpose(seen, [0, 3, 1, 2, 4]), [0, 0, h * p]);
  return layer.linear("out_proj", gate === undefined ? flat : graph.mul(flat, graph.sigmoid(gate)));
}

/** Heads [b, l, .., p] whose first channels turn by their places. */
function rotated(graph: GraphBuilder, x: Value, places: Value, config: AttentionMixerConfig): Value {
  const { headDim: p, rotaryDim: r, rotaryBase, rotaryInterleaved } = config;
  if (r === 0) return x;
  const frequencies = Array.from({ length: r / 2 }, (_, i) => rotaryBase ** ((-2 * i) / r));
  const angles = graph.mul(graph.unsqueeze(graph.op("Cast", [places], { to: 1 }), 1), graph.floats(frequencies));
  const [cos, sin] = ["Cos", "Sin"].map((op) => graph.unsqueeze(graph.op(op, [angles]), 1)) as [Value, Value]; // [l, 1, r / 2]
  const [turning, rest] = r === p ? [x, undefined] : (graph.split(x, [r, p - r]) as [Value, Value]);
  const pairs = rotaryInterleaved
    ? graph.reshape(turning, [0, 0, 0, r / 2, 2])
    : graph.reshape(turning, [0, 0, 0, 2, r / 2]);
  const axis = rotaryInterleaved ? 4 : 3;
  const [a, b] = graph.split(pairs, [1, 1], axis).map((part) => graph.op("Squeeze", [part, graph.ints([axis])])) as [
    Value,
    Value,
  ];
  const first = graph.sub(graph.mul(a, cos), graph.mul(b, sin));
  const second = graph.add(graph.mul(b, cos), graph.mul(a, sin));
  const joined = graph.concat([graph.unsqueeze(first, axis), graph.unsqueeze(second, axis)], axis);
  const whole = graph.reshape(joined, [0, 0, 0, r]);
  return rest === undefined ? whole : graph.concat([whole, rest], -1);
}
