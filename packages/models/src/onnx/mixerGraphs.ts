import type { GatedDeltaMixerConfig } from "../mixers/gatedDelta/config.ts";
import type { MambaMixerConfig } from "../mixers/mamba/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { MixerKind } from "../mixers/registry.ts";
import type { ShortConvConfig } from "../mixers/shortConv/config.ts";
import { attentionGraph } from "./attentionGraph.ts";
import { lsslGraph, s4dGraph, s5Graph } from "./classicGraphs.ts";
import type { Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";
import { memoryGraph } from "./memoryGraph.ts";
import { mlpGraph } from "./moeGraph.ts";
import { rgLruGraph } from "./rgLruGraph.ts";

/** What a mixer makes of x [b, l, dModel]. */
type MixerGraph = (layer: LayerGraph, x: Value, config: never) => Value;

function mamba(layer: LayerGraph, x: Value, config: MambaMixerConfig): Value {
  const { graph } = layer;
  const { dInner: d, dState: n, dConv: k, dtRank, mixerNormEps: eps } = config;
  const [u, z] = graph.split(layer.linear("in_proj", x), [d, d]) as [Value, Value];
  const convolved = layer.convolved(u, d, k, true);
  const raw = graph.split(layer.linear("x_proj", convolved), [dtRank, n, n]);
  const [dt, B, C] = ["dt", "B", "C"].map((name, i) =>
    eps === undefined ? raw[i]! : layer.rms(raw[i]!, eps, layer.weight(`${name}_norm.weight`)),
  ) as [Value, Value, Value];
  // The bias of this projection is a weight of its own, added before the softplus as any other.
  const delta = graph.softplus(layer.linear("dt_proj", dt));
  const A = graph.op("Neg", [graph.op("Exp", [layer.own("A_log")])]);
  const state = layer.state("ssm", ["batch", d, n]);
  const { last, y } = layer.scan(
    state.before,
    ["batch", d, n],
    [
      { value: delta, shape: ["batch", d] },
      { value: graph.mul(delta, convolved), shape: ["batch", d] },
      { value: B, shape: ["batch", n] },
      { value: C, shape: ["batch", n] },
    ],
    (g, before, [step, input, b, c]) => {
      const decay = g.op("Exp", [g.mul(g.unsqueeze(step!, 2), A)]);
      const after = g.add(g.mul(decay, before), g.mul(g.unsqueeze(input!, 2), g.unsqueeze(b!, 1)));
      return { state: after, y: g.sum(g.mul(after, g.unsqueeze(c!, 1)), -1), shape: ["batch", d] };
    },
  );
  state.put(last);
  const skipped = graph.add(y, graph.mul(convolved, layer.own("D")));
  return layer.linear("out_proj", graph.mul(skipped, graph.silu(z)));
}

function mamba2(layer: LayerGraph, x: Value, config: Mamba2MixerConfig): Value {
  const { graph } = layer;
  const { dInner: d, nHeads: h, headDim: p, nGroups: groups, dState: n, dConv: k } = config;
  const width = d + 2 * groups * n;
  const [z, xBC, dt] = graph.split(layer.linear("in_proj", x), [d, width, h]) as [Value, Value, Value];
  const [u, B, C] = graph.split(layer.convolved(xBC, width, k, true), [d, groups * n, groups * n]) as [
    Value,
    Value,
    Value,
  ];
  const [low, high] = config.timeStepLimit;
  const soft = graph.softplus(graph.add(dt, layer.own("dt_bias")));
  const bounds = [graph.float(low), ...(high === Infinity ? [] : [graph.float(high)])];
  const delta = low === 0 && high === Infinity ? soft : graph.op("Clip", [soft, ...bounds]); // [b, l, h]
  const g = graph.mul(delta, graph.op("Neg", [graph.op("Exp", [layer.own("A_log")])]));
  const heads = graph.reshape(u, [0, 0, h, p]);
  const byHead = (value: Value): Value => {
    const apart = graph.reshape(value, [0, 0, groups, 1, n]);
    const repeated = groups === h ? apart : graph.op("Expand", [apart, graph.ints([1, 1, groups, h / groups, n])]);
    return graph.reshape(repeated, [0, 0, h, n]);
  };
  const v = graph.mul(heads, graph.unsqueeze(delta, 3));
  const y = memoryGraph(layer, { name: "ssm", h, n, p, swapped: true, q: byHead(C), k: byHead(B), v, g });
  const D = config.dHasHeadDim ? graph.reshape(layer.own("D"), [h, p]) : graph.unsqueeze(layer.own("D"), 1);
  const flat = graph.reshape(graph.add(y, graph.mul(heads, D)), [0, 0, d]);
  return layer.linear("out_proj", gated(layer, flat, z, config));
}

/** The gate before the norm or after it, each group of channels normed apart; without a norm the gate alone. */
function gated(layer: LayerGraph, y: Value, z: Value, config: Mamba2MixerConfig): Value {
  const { graph } = layer;
  const { mixerNorm, mixerNormEps, normBeforeGate, normGroupSize, dInner } = config;
  const gate = graph.silu(z);
  if (!mixerNorm) return graph.mul(y, gate);
  const input = normBeforeGate ? y : graph.mul(y, gate);
  const groups = graph.reshape(input, [0, 0, dInner / normGroupSize, normGroupSize]);
  const normed = graph.mul(graph.reshape(layer.rms(groups, mixerNormEps), [0, 0, dInner]), layer.own("norm.weight"));
  return normBeforeGate ? graph.mul(normed, gate) : normed;
}

/** Queries and keys are divided by the root of their squares' sum and this. */
const L2_EPS = 1e-6;

function gatedDelta(layer: LayerGraph, x: Value, config: GatedDeltaMixerConfig): Value {
  const { graph } = layer;
  const { nHeads: h, nHeadsKey: hk, headDim: p, dState: n, dConv: k, negativeEigenvalues, mixerNormEps } = config;
  const width = 2 * hk * n + h * p;
  const [qkv, z, b, a] = graph.split(layer.linear("in_proj", x), [width, h * p, h, h]) as [Value, Value, Value, Value];
  const [q, key, v] = graph.split(layer.convolved(qkv, width, k, true), [hk * n, hk * n, h * p]) as [
    Value,
    Value,
    Value,
  ];
  const beta = graph.times(graph.sigmoid(b), negativeEigenvalues ? 2 : 1);
  const A = graph.op("Neg", [graph.op("Exp", [layer.own("A_log")])]);
  const g = graph.mul(graph.softplus(graph.add(a, layer.own("dt_bias"))), A);
  const unit = (value: Value, factor: number): Value => {
    const heads = graph.reshape(value, [0, 0, hk, 1, n]);
    const squares = graph.op("ReduceSum", [graph.mul(heads, heads), graph.ints([-1])], { keepdims: 1 });
    const normed = graph.op("Div", [heads, graph.op("Sqrt", [graph.add(squares, graph.float(L2_EPS))])]);
    const repeated = hk === h ? normed : graph.op("Expand", [normed, graph.ints([1, 1, hk, h / hk, n])]);
    return graph.times(graph.reshape(repeated, [0, 0, h, n]), factor);
  };
  const [query, at, value] = [unit(q, n ** -0.5), unit(key, 1), graph.reshape(v, [0, 0, h, p])];
  const y = memoryGraph(layer, { name: "memory", h, n, p, swapped: false, q: query, k: at, v: value, g, beta });
  const normed = layer.rms(y, mixerNormEps, layer.own("norm.weight"));
  const gate = graph.silu(graph.reshape(z, [0, 0, h, p]));
  return layer.linear("out_proj", graph.reshape(graph.mul(normed, gate), [0, 0, h * p]));
}

function shortConv(layer: LayerGraph, x: Value, { dModel: d, dConv: k }: ShortConvConfig & { dModel: number }): Value {
  const { graph } = layer;
  const [B, C, u] = graph.split(layer.linear("in_proj", x), [d, d, d]) as [Value, Value, Value];
  return layer.linear("out_proj", graph.mul(C, layer.convolved(graph.mul(B, u), d, k)));
}

/** The kinds of mixers that have a graph. */
export const mixerGraphs: Readonly<Partial<Record<MixerKind, MixerGraph>>> = {
  mamba,
  mamba2,
  gatedDelta,
  shortConv,
  rgLru: rgLruGraph,
  attention: attentionGraph,
  mlp: mlpGraph,
  s4: s4dGraph,
  s4d: s4dGraph,
  s5: s5Graph,
  lssl: lsslGraph,
};
