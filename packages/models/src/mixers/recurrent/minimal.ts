/** GRU and LSTM in plain float64 loops, gates in PyTorch's order. Read them top down. l tokens, h hidden units. */
import {
  plainLinear,
  plainSigmoid,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "../../layers/plainLoops.ts";
import type { RecurrentConfig } from "./config.ts";

/** r, z = sigmoid(.), fresh = tanh(x_n + r h_n), h' = (1 - z) fresh + z h. */
export function minimalGru(weights: LayerWeights, { dHidden: h }: RecurrentConfig, x: PlainSequence): PlainSequence {
  let hidden = new Float64Array(h);
  const outputs = x.map((token) => {
    const [fromInput, fromHidden] = shares(weights, token, hidden);
    hidden = hidden.map((value, i) => {
      const reset = plainSigmoid(fromInput[i]! + fromHidden[i]!);
      const keep = plainSigmoid(fromInput[h + i]! + fromHidden[h + i]!);
      const fresh = Math.tanh(fromInput[2 * h + i]! + reset * fromHidden[2 * h + i]!);
      return (1 - keep) * fresh + keep * value;
    });
    return hidden;
  });
  return project(weights, outputs);
}

/** i, f, o = sigmoid(.), c' = f c + i tanh(g), h' = o tanh(c'). */
export function minimalLstm(weights: LayerWeights, { dHidden: h }: RecurrentConfig, x: PlainSequence): PlainSequence {
  let hidden = new Float64Array(h);
  let cell = new Float64Array(h);
  const outputs = x.map((token) => {
    const [fromInput, fromHidden] = shares(weights, token, hidden);
    const gate = (which: number, i: number): number => fromInput[which * h + i]! + fromHidden[which * h + i]!;
    cell = cell.map((value, i) => plainSigmoid(gate(1, i)) * value + plainSigmoid(gate(0, i)) * Math.tanh(gate(2, i)));
    hidden = cell.map((value, i) => plainSigmoid(gate(3, i)) * Math.tanh(value));
    return hidden;
  });
  return project(weights, outputs);
}

/** What the token and what the hidden state add to the gates. */
function shares(weights: LayerWeights, token: Float64Array, hidden: Float64Array): [Float64Array, Float64Array] {
  return [
    plainLinear(plainWeight(weights, "weight_ih_l0"), plainWeight(weights, "bias_ih_l0"), token),
    plainLinear(plainWeight(weights, "weight_hh_l0"), plainWeight(weights, "bias_hh_l0"), hidden),
  ];
}

/** Back to dModel, where the hidden state has another size. */
function project(weights: LayerWeights, outputs: PlainSequence): PlainSequence {
  if (!weights.has("out_proj.weight")) return outputs;
  return outputs.map((y) => plainLinear(plainWeight(weights, "out_proj.weight"), undefined, y));
}
