import { ArgumentError, readFloats } from "@statespace/core";
import type { LsslConfig } from "../mixers/lssl/config.ts";
import { LsslMixer } from "../mixers/lssl/mixer.ts";
import type { PositiveTransform, S4Config } from "../mixers/s4/config.ts";
import type { S5Config } from "../mixers/s5/config.ts";
import { type Complex, ComplexGraph, discretized } from "./complexGraph.ts";
import type { GraphBuilder, Value } from "./graphBuilder.ts";
import type { LayerGraph } from "./layerGraph.ts";
import { longConv, powersBackwards, timesOf } from "./longConvGraph.ts";

/** S4D by its recurrence, or by the filter of the whole sequence. */
export function s4dGraph(layer: LayerGraph, u: Value, config: S4Config): Value {
  const { graph } = layer;
  const { dModel: h, nSsm: s, dState, channels: c, mode, discretization, bidirectional, rate } = config;
  if (mode !== "diag") throw new ArgumentError(`onnx: s4 cannot have mode = ${mode}; s4d has mode diag`);
  if (discretization === "dss") throw new ArgumentError("onnx: s4d cannot have discretization = dss");
  if (bidirectional) throw new ArgumentError("onnx: s4d cannot have bidirectional = true");
  const n = dState / 2;
  const complex = new ComplexGraph(graph);
  const own = (name: string): Value => layer.own(`layer.kernel.${name}`);
  const spread = (x: Value): Value => (s === h ? x : graph.op("Tile", [x, graph.ints([h / s, 1])]));
  const spreadPair = ({ re, im }: Complex): Complex => ({ re: spread(re), im: spread(im) });
  const positive = (transform: PositiveTransform, name: string): Value => positiveOf(graph, transform, own(name));
  const minus = (x: Value): Value => spread(graph.op("Neg", [x]));
  const A = {
    re: minus(positive(config.realTransform, "A_real")),
    im: minus(positive(config.imagTransform, "A_imag")),
  };
  const delta = graph.times(positive(config.deltaTransform, "inv_dt"), rate);
  const { ABar, logABar, gain } = discretized(graph, discretization, A, delta);
  const BBar = complex.mul(gain, spreadPair(complex.parts(own("B"), [s, n])));
  const C = complex.parts(own("C"), [c, h, n]);
  let y: Value; // [b, l, c, h]
  if (graph.dialect.view === "convolution") {
    const powers = powersBackwards(graph, u, logABar); // [h, n, l]
    const weights = complex.mul(C, BBar); // [c, h, n]
    const product = complex.mul({ re: graph.unsqueeze(weights.re, -1), im: graph.unsqueeze(weights.im, -1) }, powers);
    const filter = graph.reshape(graph.times(graph.sum(product.re, 2), 2), [c * h, 1, -1]);
    const repeated = c === 1 ? u : graph.concat(Array<Value>(c).fill(u), 2);
    y = graph.reshape(longConv(graph, repeated, filter, c * h), [0, 0, c, h]);
  } else {
    const shape = ["batch", h, n, 2];
    const state = layer.state("ssm", shape);
    const scanned = layer.scan(state.before, shape, [{ value: u, shape: ["batch", h] }], (g, before, [token]) => {
      const after = advanced(g, before, ABar, complexInput(g, BBar, token!), n, h);
      const read = g.sub(g.mul(g.unsqueeze(after.re, 1), C.re), g.mul(g.unsqueeze(after.im, 1), C.im));
      const joined = g.concat([g.unsqueeze(after.re, -1), g.unsqueeze(after.im, -1)], -1);
      return { state: joined, y: g.times(g.sum(read, -1), 2), shape: ["batch", c, h] };
    });
    state.put(scanned.last);
    y = scanned.y;
  }
  return finished(layer, y, u, layer.own("layer.D"), config, "output_linear.0");
}

/** B u of one token: B [h, n], u [b, h]. */
const complexInput = (g: GraphBuilder, B: Complex, u: Value): Complex => ({
  re: g.mul(B.re, g.unsqueeze(u, -1)),
  im: g.mul(B.im, g.unsqueeze(u, -1)),
});

/** ABar x + input of a state [b, h, n, 2]. */
function advanced(g: GraphBuilder, before: Value, ABar: Complex, input: Complex, n: number, h: number): Complex {
  const complex = new ComplexGraph(g);
  const moved = complex.mul(ABar, complex.parts(before, [-1, h, n]));
  return { re: g.add(moved.re, input.re), im: g.add(moved.im, input.im) };
}

function positiveOf(graph: GraphBuilder, transform: PositiveTransform, stored: Value): Value {
  const made = {
    exp: () => graph.op("Exp", [stored]),
    relu: () => graph.add(graph.op("Relu", [stored]), graph.float(1e-4)),
    sigmoid: () => graph.sigmoid(stored),
    softplus: () => graph.softplus(stored),
    none: () => stored,
  };
  return made[transform]();
}

/** The skip, the activation and the projection behind y [b, l, c, h]. */
function finished(
  layer: LayerGraph,
  y: Value,
  u: Value,
  D: Value,
  {
    channels: c,
    dModel: h,
    activation,
    output,
  }: Pick<S4Config | LsslConfig, "channels" | "dModel" | "activation" | "output">,
  projection: string,
): Value {
  const { graph } = layer;
  const skipped = graph.reshape(graph.add(y, graph.mul(graph.unsqueeze(u, 2), D)), [0, 0, c * h]);
  const active = activation === "gelu" ? graph.op("Gelu", [skipped]) : skipped;
  if (output === "none") return active;
  const projected = layer.linear(projection, active);
  if (output === "linear") return projected;
  const [value, gate] = graph.split(projected, [h, h]) as [Value, Value];
  return graph.mul(value, graph.sigmoid(gate));
}

/** S5 by its recurrence, or by the filters of its states. */
export function s5Graph(layer: LayerGraph, u: Value, config: S5Config): Value {
  const { graph } = layer;
  const { dModel: h, dState, conjSym, bidirectional, clipEigs, stepRescale, discretization, activation } = config;
  if (bidirectional) throw new ArgumentError("onnx: s5 cannot have bidirectional = true");
  const p = conjSym ? dState / 2 : dState;
  const complex = new ComplexGraph(graph);
  const raw = layer.own("Lambda_re");
  const Lambda = { re: clipEigs ? graph.op("Min", [raw, graph.float(-1e-4)]) : raw, im: layer.own("Lambda_im") };
  const delta = graph.times(graph.op("Exp", [graph.reshape(layer.own("log_step"), [p])]), stepRescale);
  const { ABar, logABar, gain } = discretized(graph, discretization, Lambda, delta);
  const column = ({ re, im }: Complex): Complex => ({ re: graph.unsqueeze(re, 1), im: graph.unsqueeze(im, 1) });
  const BBar = complex.mul(column(gain), complex.parts(layer.own("B"), [p, h]));
  const written = (part: Value): Value => graph.op("MatMul", [u, graph.transpose(part, [1, 0])]);
  const Bu = { re: written(BBar.re), im: written(BBar.im) }; // [b, l, p]
  const states =
    graph.dialect.view === "convolution" ? s5Filtered(graph, Bu, logABar, p) : s5Scanned(layer, Bu, ABar, p);
  const C = complex.parts(layer.own("C"), [h, p]);
  const read = (state: Value, part: Value): Value => graph.op("MatMul", [state, graph.transpose(part, [1, 0])]);
  const out = graph.times(graph.sub(read(states.re, C.re), read(states.im, C.im)), conjSym ? 2 : 1);
  const y = graph.add(out, graph.mul(u, layer.own("D")));
  if (activation === "none") return y;
  const x = graph.op("Gelu", [y]);
  if (activation === "gelu") return x;
  const value = activation === "fullGlu" ? layer.linear("out1", x) : activation === "halfGlu1" ? x : y;
  return graph.mul(value, graph.sigmoid(layer.linear("out2", x)));
}

function s5Filtered(graph: GraphBuilder, Bu: Complex, logABar: Complex, p: number): Complex {
  const powers = powersBackwards(graph, Bu.re, logABar); // [p, l]
  const by = (x: Value, part: Value): Value => longConv(graph, x, graph.unsqueeze(part, 1), p);
  return {
    re: graph.sub(by(Bu.re, powers.re), by(Bu.im, powers.im)),
    im: graph.add(by(Bu.re, powers.im), by(Bu.im, powers.re)),
  };
}

function s5Scanned(layer: LayerGraph, Bu: Complex, ABar: Complex, p: number): Complex {
  const { graph } = layer;
  const shape = ["batch", p, 2];
  const state = layer.state("ssm", shape);
  const tokens = [Bu.re, Bu.im].map((value) => ({ value, shape: ["batch", p] }));
  const { last, y } = layer.scan(state.before, shape, tokens, (g, before, [re, im]) => {
    const complex = new ComplexGraph(g);
    const moved = complex.mul(ABar, complex.parts(before, [-1, p]));
    const after = [g.add(moved.re, re!), g.add(moved.im, im!)] as const;
    return {
      state: g.concat([g.unsqueeze(after[0], -1), g.unsqueeze(after[1], -1)], -1),
      y: g.concat(after, -1),
      shape: ["batch", 2 * p],
    };
  });
  state.put(last);
  const [re, im] = graph.split(y, [p, p]) as [Value, Value];
  return { re, im };
}

/** LSSL by its recurrence, or by its filter. Its dense system is discretized here, since no operator inverts a matrix. */
export function lsslGraph(layer: LayerGraph, u: Value, config: LsslConfig): Value {
  const { graph, mixer } = layer;
  const { dModel: h, dState: n, channels: c } = config;
  if (!(mixer instanceof LsslMixer)) throw new ArgumentError("onnx: a layer of kind lssl is not one");
  const derived = (name: "ABar" | "BBar", shape: readonly number[]): Value =>
    graph.derive(`${layer.prefix}${name}`, shape, async (rows) => {
      for (const parameter of [mixer.A, mixer.B, mixer.logStep])
        parameter.assign((await rows(parameter, 0, parameter.size / parameter.shape.at(-1)!)).slice());
      return readFloats(mixer.discrete()[name]);
    });
  const [ABar, BBar] = [derived("ABar", [h, n, n]), derived("BBar", [h, n])];
  const C = layer.own("C"); // [c, h, n]
  const read = (g: GraphBuilder, x: Value): Value => g.sum(g.mul(g.unsqueeze(x, 1), C), -1); // [b, c, h]
  const moved = (g: GraphBuilder, x: Value): Value =>
    g.op("Squeeze", [g.op("MatMul", [ABar, g.unsqueeze(x, -1)]), g.ints([-1])]);
  let y: Value; // [b, l, c, h]
  if (graph.dialect.view === "convolution") {
    // The answer to one input, token by token but of no batch: its last tap first.
    const clock = graph.unsqueeze(timesOf(graph, u), 0); // [1, l]
    const shape = [1, h, n];
    const response = layer.scan(graph.unsqueeze(BBar, 0), shape, [{ value: clock, shape: [1] }], (g, before) => ({
      state: moved(g, before),
      y: read(g, before),
      shape: [1, c, h],
    })).y; // [1, l, c, h]
    const ends = [graph.ints([-1]), graph.ints([-(2 ** 53 - 1)]), graph.ints([1]), graph.ints([-1])];
    const backwards = graph.op("Slice", [response, ...ends]);
    const filter = graph.reshape(graph.transpose(backwards, [2, 3, 0, 1]), [c * h, 1, -1]);
    const repeated = c === 1 ? u : graph.concat(Array<Value>(c).fill(u), 2);
    y = graph.reshape(longConv(graph, repeated, filter, c * h), [0, 0, c, h]);
  } else {
    const shape = ["batch", h, n];
    const state = layer.state("ssm", shape);
    const scanned = layer.scan(state.before, shape, [{ value: u, shape: ["batch", h] }], (g, before, [token]) => {
      const after = g.add(moved(g, before), g.mul(BBar, g.unsqueeze(token!, -1)));
      return { state: after, y: read(g, after), shape: ["batch", c, h] };
    });
    state.put(scanned.last);
    y = scanned.y;
  }
  return finished(layer, y, u, layer.own("D"), config, "output_linear");
}
