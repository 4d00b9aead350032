import { ArgumentError } from "@statespace/core";
import type { AttentionMixerConfig } from "../mixers/attention/config.ts";
import { rotaryFrequencies } from "../mixers/attention/scaling.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";

/**
 * Heads [b, l, .., p] whose first channels turn by their places [l].
 * @throws ArgumentError where frequencies depend on how long the text is
 */
export function rotated(graph: GraphBuilder, x: Value, places: Value, config: AttentionMixerConfig): Value {
  const { headDim: p, rotaryDim: r, rotaryBase, rotaryScaling, rotaryInterleaved } = config;
  if (r === 0) return x;
  if (rotaryScaling?.type === "dynamic")
    throw new ArgumentError("onnx: attention cannot have rotaryScaling of type dynamic");
  const frequencies = [...rotaryFrequencies(r, rotaryBase, rotaryScaling)];
  const angles = graph.mul(graph.unsqueeze(graph.op("Cast", [places], { to: 1 }), 1), graph.floats(frequencies));
  const [cos, sin] = ["Cos", "Sin"].map((op) =>
    graph.unsqueeze(graph.times(graph.op(op, [angles]), rotaryScaling?.gain ?? 1), 1),
  ) as [Value, Value]; // [l, 1, r / 2]
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
