import type { MlpConfig } from "../layers/mlpConfig.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";

/** Less than any score. */
const LOWEST = -3e38;

/** An MLP, or a mixture of them. */
export function mlpGraph(layer: LayerGraph, x: Value, config: MlpConfig): Value {
  return config.experts > 0 ? moeGraph(layer, x, config) : layer.mlp(x, config);
}

/**
 * A mixture of experts: all of them run on every token, and those that the router did not choose weigh nothing. No standard operator picks a matrix for each token
 * without a copy of it. Their first matrices stand one under the other and their second ones side by side, so that each are one product, of blocks too.
 */
function moeGraph(layer: LayerGraph, x: Value, config: MlpConfig): Value {
  const { graph } = layer;
  const { experts, latent, hidden, gated, sharedHidden, sharedGate, outputMultiplier } = config;
  const seen = latent > 0 ? layer.linear("latent.fc1", x) : x;
  const first = graph.reshape(layer.product("experts.fc1.weight", seen), [0, 0, experts, gated ? 2 * hidden : hidden]);
  const shares = graph.unsqueeze(routed(layer, x, config), -1); // [b, l, experts, 1]
  const inner = graph.mul(layer.activated(first, config), shares); // [b, l, experts, hidden]
  const mixed = layer.sumOfProducts("experts.fc2.weight", graph.reshape(inner, [0, 0, experts * hidden]));
  const y = latent > 0 ? layer.linear("latent.fc2", mixed) : mixed;
  if (sharedHidden === 0) return graph.times(y, outputMultiplier);
  const own = { ...config, hidden: sharedHidden, experts: 0, outputMultiplier: 1 };
  const shared = layer.within("shared.").mlp(x, own);
  const gate = (): Value =>
    graph.sigmoid(graph.op("MatMul", [x, graph.transpose(layer.own("shared.gate.weight"), [1, 0])]));
  return graph.times(graph.add(y, sharedGate ? graph.mul(shared, gate()) : shared), outputMultiplier);
}

/** How much each expert counts for each token, [b, l, experts]: nothing for those that were not chosen. */
function routed(layer: LayerGraph, x: Value, config: MlpConfig): Value {
  const { graph } = layer;
  const { expertsPerToken, router, renormalize, renormalizeEps, routedScale } = config;
  const logits = graph.op("MatMul", [x, graph.transpose(layer.own("router.weight"), [1, 0])]);
  const scores = router === "softmax" ? graph.op("Softmax", [logits], { axis: -1 }) : graph.sigmoid(logits);
  const correction = layer.weight("router.correction");
  const corrected = correction === undefined ? scores : graph.add(scores, correction);
  const [, ids] = topK(graph, eligible(graph, corrected, config), expertsPerToken);
  const picked = graph.op("GatherElements", [scores, ids], { axis: -1 });
  const total = graph.op("ReduceSum", [picked, graph.ints([-1])], { keepdims: 1 });
  const shares = renormalize ? graph.op("Div", [picked, graph.add(total, graph.float(renormalizeEps))]) : picked;
  const none = graph.mul(scores, graph.float(0));
  return graph.op("ScatterElements", [none, ids, graph.times(shares, routedScale)], { axis: -1 });
}

/** Scores of experts outside a token's groups are less than any other; a group counts as much as its two best. */
function eligible(graph: GraphBuilder, scores: Value, config: MlpConfig): Value {
  const { experts, routerGroups: groups, routerGroupsPerToken } = config;
  if (groups === routerGroupsPerToken) return scores;
  const grouped = graph.reshape(scores, [0, 0, groups, experts / groups]);
  const best = graph.sum(topK(graph, grouped, 2)[0], -1); // [b, l, groups]
  const [, chosen] = topK(graph, best, routerGroupsPerToken);
  const marks = graph.op("OneHot", [chosen, graph.int(groups), graph.floats([0, 1])], { axis: -1 });
  const open = graph.op("Greater", [graph.unsqueeze(graph.sum(marks, 2), -1), graph.float(0)]);
  return graph.reshape(graph.op("Where", [open, grouped, graph.float(LOWEST)]), [0, 0, experts]);
}

function topK(graph: GraphBuilder, x: Value, k: number): readonly [values: Value, ids: Value] {
  const [values, ids] = graph.ops("TopK", [x, graph.ints([k])], 2, { axis: -1 });
  return [values!, ids!];
}
