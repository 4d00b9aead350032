/** A gated short convolution in plain float64 loops: d channels, each convolved over its last k tokens. */
import { plainLinear, plainWeight, type LayerWeights, type PlainSequence } from "../../layers/plainLoops.ts";

/** outProj(C conv(B x)) with B, C, x = inProj(input). */
export function minimalShortConv(weights: LayerWeights, input: PlainSequence): PlainSequence {
  const optional = (name: string): Float64Array | undefined =>
    weights.has(name) ? plainWeight(weights, name) : undefined;
  const d = input[0]!.length;
  const taps = plainWeight(weights, "conv1d.weight");
  const k = taps.length / d;
  const bias = optional("conv1d.bias");
  const projected = input.map((token) =>
    plainLinear(plainWeight(weights, "in_proj.weight"), optional("in_proj.bias"), token),
  );
  const written = projected.map((token) => token.slice(0, d).map((B, c) => B * token[2 * d + c]!));
  return projected.map((token, t) => {
    const convolved = Float64Array.from({ length: d }, (_, c) => {
      let sum = bias ? bias[c]! : 0;
      // Before the first token there is nothing.
      for (let tap = 0; tap < k; tap++) sum += taps[c * k + tap]! * (written[t - k + 1 + tap]?.[c] ?? 0);
      return sum;
    });
    const read = convolved.map((value, c) => value * token[d + c]!);
    return plainLinear(plainWeight(weights, "out_proj.weight"), optional("out_proj.bias"), read);
  });
}
