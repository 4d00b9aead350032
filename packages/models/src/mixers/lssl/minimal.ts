/**
 * LSSL in plain float64 loops: one layer seen as a recurrence and as a convolution, without tensors or batches.
 * Read it top down. l tokens, h channels, n states of each. Source: arXiv 2110.13985, section 3.
 */
import { generalisedBilinear, zeroOrderHold } from "@statespace/core/discretization";
import { Matrix } from "@statespace/core/math";
import {
  plainGelu,
  plainGlu,
  plainLinear,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "../../layers/plainLoops.ts";
import type { LsslConfig } from "./config.ts";

/** One layer with one output a channel: [l][h] in, [l][h] out. `mode` of the config chooses the view. */
export function minimalLssl(weights: LayerWeights, config: LsslConfig, u: PlainSequence): PlainSequence {
  const D = plainWeight(weights, "D");
  const y = u.map((token) => token.map((value, c) => D[c]! * value));
  for (let c = 0; c < config.dModel; c++) {
    const channel = u.map((token) => token[c]!);
    const system = discretize(weights, config, c);
    const out =
      config.mode === "recurrent" ? recur(system, channel) : convolve(filterOf(system, channel.length), channel);
    y.forEach((token, t) => (token[c]! += out[t]!));
  }
  const active = y.map((token) => (config.activation === "gelu" ? token.map(plainGelu) : token));
  if (config.output === "none") return active;
  const [weight, bias] = [plainWeight(weights, "output_linear.weight"), plainWeight(weights, "output_linear.bias")];
  const projected = active.map((token) => plainLinear(weight, bias, token));
  return config.output === "glu" ? projected.map(plainGlu) : projected;
}

/** x_t = ABar x_{t-1} + BBar u_t, y_t = C x_t. */
interface Discrete {
  readonly ABar: Matrix; // [n, n]
  readonly BBar: Matrix; // [n, 1]
  readonly C: Matrix; // [n, 1]
}

/** One channel's system, sampled with the step that it learned. */
function discretize(
  weights: LayerWeights,
  { dState: n, discretization, alpha }: LsslConfig,
  channel: number,
): Discrete {
  const part = (name: string, size: number): Float64Array =>
    plainWeight(weights, name).slice(channel * size, (channel + 1) * size);
  const rule = discretization === "zoh" ? zeroOrderHold : generalisedBilinear(alpha);
  const delta = Math.exp(plainWeight(weights, "log_step")[channel]!);
  return {
    ...rule.dense(new Matrix(n, n, part("A", n * n)), Matrix.column(part("B", n)), delta),
    C: Matrix.column(part("C", n)),
  };
}

/** The view that decodes: the past is in x, each token costs the same. */
function recur({ ABar, BBar, C }: Discrete, u: readonly number[]): number[] {
  let x = new Matrix(ABar.rows, 1);
  return u.map((value) => {
    x = ABar.times(x).plus(BBar, value);
    return C.dot(x);
  });
}

/** The filter K_t = C ABar^t BBar: what one 1 becomes. */
function filterOf({ ABar, BBar, C }: Discrete, l: number): number[] {
  let x = BBar;
  return Array.from({ length: l }, () => {
    const tap = C.dot(x);
    x = ABar.times(x);
    return tap;
  });
}

/** The view that trains: y_t = sum_j K_j u_{t-j}, all tokens at once (the fast path goes through the FFT). */
function convolve(K: readonly number[], u: readonly number[]): number[] {
  return u.map((_, t) => K.slice(0, t + 1).reduce((sum, tap, j) => sum + tap * u[t - j]!, 0));
}
