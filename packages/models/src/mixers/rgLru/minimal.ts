/** A real-gated linear recurrent unit in plain float64 loops: d channels in h heads. Source: arXiv 2402.19427, section 2.4. */
import {
  plainGeluTanh,
  plainLinear,
  plainSigmoid,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "../../layers/plainLoops.ts";
import type { RgLruConfig } from "./config.ts";

/** outProj(h gelu(y)) with h_t = a_t h_{t-1} + sqrt(1 - a_t^2) i_t x_t. */
export function minimalRgLru(weights: LayerWeights, config: RgLruConfig, input: PlainSequence): PlainSequence {
  const { dInner: d, dConv: k } = config;
  const w = (name: string): Float64Array => plainWeight(weights, name);
  const projected = input.map((token) => plainLinear(w("in_proj.weight"), w("in_proj.bias"), token));
  const convolved = convolve(
    projected.map((token) => token.slice(0, d)),
    w("conv1d.weight"),
    w("conv1d.bias"),
    k,
  );
  const aParam = w("a_param");
  let state = new Float64Array(d);
  return convolved.map((x, t) => {
    const r = gate(x, w("recurrent_gate.weight"), w("recurrent_gate.bias"), config);
    const i = gate(x, w("input_gate.weight"), w("input_gate.bias"), config);
    state = state.map((h, c) => {
      const a = Math.exp(-8 * r[c]! * Math.log1p(Math.exp(aParam[c]!)));
      // Nothing came before the first token: it goes in as it is.
      return a * h + (t === 0 ? 1 : Math.sqrt(1 - a * a)) * i[c]! * x[c]!;
    });
    const y = projected[t]!.slice(d);
    const out = state.map((h, c) => h * plainGeluTanh(y[c]!));
    return plainLinear(w("out_proj.weight"), w("out_proj.bias"), out);
  });
}

/** A channel's gate sees the channels of its own head. */
function gate(x: Float64Array, weight: Float64Array, bias: Float64Array, { nHeads }: RgLruConfig): Float64Array {
  const width = x.length / nHeads;
  return x.map((_, c) => {
    const head = Math.floor(c / width);
    let sum = bias[c]!;
    for (let from = 0; from < width; from++)
      sum += x[head * width + from]! * weight[(head * width + from) * width + (c % width)]!;
    return plainSigmoid(sum);
  });
}

/** Each channel over its last k tokens; before the first one there is nothing. */
function convolve(x: PlainSequence, taps: Float64Array, bias: Float64Array, k: number): PlainSequence {
  return x.map((token, t) =>
    token.map((_, c) => {
      let sum = bias[c]!;
      for (let tap = 0; tap < k; tap++) sum += taps[c * k + tap]! * (x[t - k + 1 + tap]?.[c] ?? 0);
      return sum;
    }),
  );
}
