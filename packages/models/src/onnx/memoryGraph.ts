import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";

/** A matrix of state a head, what is written to it and read of it: q, k [b, l, h, n]; v [b, l, h, p]; g, beta [b, l, h]. */
export interface Memory {
  /** Name of the state. */
  readonly name: string;
  readonly h: number;
  readonly n: number;
  readonly p: number;
  /** The state is [b, h, p, n], otherwise [b, h, n, p]. */
  readonly swapped: boolean;
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  /** Logarithm of how much of the state stays. */
  readonly g: Value;
  /** How far a token corrects what the state answers at k; without it v is added. */
  readonly beta?: Value;
}

/**
 * What is read of a state that decays and to which each token adds k v^T, or by the delta rule corrects what it answers at k towards v: `LinearAttention` where
 * there is such an operator, else a `Scan`.
 * @returns [b, l, h, p]
 */
export function memoryGraph(layer: LayerGraph, memory: Memory): Value {
  return layer.graph.dialect.fused === undefined ? scanned(layer, memory) : fused(layer, memory);
}

function fused(layer: LayerGraph, { name, h, n, p, swapped, q, k, v, g, beta }: Memory): Value {
  const { graph } = layer;
  const state = layer.state(name, ["batch", h, ...(swapped ? [p, n] : [n, p])]);
  const turned = (value: Value): Value => (swapped ? graph.transpose(value, [0, 1, 3, 2]) : value);
  const flat = (value: Value, width: number): Value => graph.reshape(value, [0, 0, h * width]);
  const inputs = [flat(q, n), flat(k, n), flat(v, p), turned(state.before), g, ...(beta === undefined ? [] : [beta])];
  const [y, last] = graph.ops(
    "LinearAttention",
    inputs,
    2,
    {
      q_num_heads: h,
      kv_num_heads: h,
      scale: { float: 1 },
      update_rule: beta === undefined ? "gated" : "gated_delta",
    },
    graph.dialect.fused,
  );
  state.put(turned(last!));
  return graph.reshape(y!, [0, 0, h, p]);
}

function scanned(layer: LayerGraph, { name, h, n, p, swapped, q, k, v, g, beta }: Memory): Value {
  const { graph } = layer;
  const shape = ["batch", h, ...(swapped ? [p, n] : [n, p])];
  const [rows, columns] = swapped ? [3, 2] : [2, 3]; // axes of n and of p in the state
  const state = layer.state(name, shape);
  const ofHeads = ["batch", h];
  const step = (body: GraphBuilder, before: Value, tokens: readonly Value[]): { state: Value; y: Value } => {
    const [query, key, value, keep, rate] = tokens as [Value, Value, Value, Value, Value | undefined];
    const decayed = body.mul(body.unsqueeze(keep, 2, 3), before);
    const at = body.unsqueeze(key, columns);
    const written =
      rate === undefined
        ? value
        : body.mul(body.unsqueeze(rate, 2), body.sub(value, body.sum(body.mul(decayed, at), rows)));
    const after = body.add(decayed, body.mul(at, body.unsqueeze(written, rows)));
    return { state: after, y: body.sum(body.mul(after, body.unsqueeze(query, columns)), rows) };
  };
  const { last, y } = layer.scan(
    state.before,
    shape,
    [
      { value: q, shape: [...ofHeads, n] },
      { value: k, shape: [...ofHeads, n] },
      { value: v, shape: [...ofHeads, p] },
      { value: graph.op("Exp", [g]), shape: ofHeads },
      ...(beta === undefined ? [] : [{ value: beta, shape: ofHeads }]),
    ],
    (body, before, tokens) => ({ ...step(body, before, tokens), shape: [...ofHeads, p] }),
  );
  state.put(last);
  return y;
}
