/**
 * S5 in plain float64 loops: what the fast path computes, without tensors, batches or a parallel scan.
 * Read it top down. l tokens, h channels, p states (one of each conjugate pair). Source: arXiv 2208.04933, section 3.
 */
import { bilinear, zeroOrderHold } from "@statespace/core/discretization";
import { complexAdd, complexAt, complexMul, complexScale, type Complex } from "@statespace/core/math";
import {
  plainGelu,
  plainLinear,
  plainSigmoid,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "../../layers/plainLoops.ts";
import type { S5Config } from "./config.ts";

/** One layer: [l][h] in, [l][h] out. */
export function minimalS5(weights: LayerWeights, config: S5Config, u: PlainSequence): PlainSequence {
  const { ABar, BBar } = discretize(weights, config);
  const forward = scan(ABar, BBar, u);
  const D = plainWeight(weights, "D");
  const pairs = config.conjSym ? 2 : 1; // 2 Re z = z + conj(z)
  const readOut = (C: Float64Array, x: readonly Complex[], c: number): number =>
    x.reduce((sum, z, k) => sum + pairs * complexMul(complexAt(C, c * x.length + k), z).re, 0);

  let y = u.map((token, t) =>
    token.map(
      (value, c) => readOut(plainWeight(weights, config.bidirectional ? "C1" : "C"), forward[t]!, c) + D[c]! * value,
    ),
  );
  if (config.bidirectional) {
    const backward = scan(ABar, BBar, [...u].reverse()).reverse();
    y = y.map((token, t) => token.map((value, c) => value + readOut(plainWeight(weights, "C2"), backward[t]!, c)));
  }
  return y.map((token) => activate(weights, config, token));
}

/** From x' = Lambda x + B u to x_t = ABar x_{t-1} + BBar u_t, state by state: Lambda is diagonal, so each has a step of its own. */
function discretize(
  weights: LayerWeights,
  { discretization, clipEigs, stepRescale, dModel: h }: S5Config,
): { ABar: Complex[]; BBar: Complex[][] } {
  const [re, im, B, logStep] = ["Lambda_re", "Lambda_im", "B", "log_step"].map((name) =>
    plainWeight(weights, name),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const rule = discretization === "zoh" ? zeroOrderHold : bilinear;
  const ABar: Complex[] = [];
  const BBar: Complex[][] = [];
  re.forEach((real, k) => {
    const delta = stepRescale * Math.exp(logStep[k]!);
    const Lambda = { re: clipEigs ? Math.min(real, -1e-4) : real, im: im[k]! };
    const z = complexScale(Lambda, delta);
    ABar.push(rule.growth(z).value); // zoh: exp(z)
    const gain = complexScale(rule.gain(z).value, delta); // zoh: (exp(z) - 1) / Lambda
    BBar.push(Array.from({ length: h }, (_, c) => complexMul(gain, complexAt(B, k * h + c))));
  });
  return { ABar, BBar };
}

/** The recurrence; because the operator (a, b) then (a', b') = (a' a, a' b + b') is associative, the fast path may cut it anywhere. */
function scan(ABar: readonly Complex[], BBar: readonly (readonly Complex[])[], u: PlainSequence): Complex[][] {
  let x: Complex[] = ABar.map(() => ({ re: 0, im: 0 }));
  return u.map((token) => {
    x = x.map((state, k) =>
      BBar[k]!.reduce((sum, b, c) => complexAdd(sum, complexScale(b, token[c]!)), complexMul(ABar[k]!, state)),
    );
    return x;
  });
}

/** A gelu, and a gate whose input is the gelu's output. */
function activate(weights: LayerWeights, { activation }: S5Config, y: Float64Array): Float64Array {
  if (activation === "none") return y;
  const x = y.map(plainGelu);
  if (activation === "gelu") return x;
  const dense = (name: string): Float64Array =>
    plainLinear(plainWeight(weights, `${name}.weight`), plainWeight(weights, `${name}.bias`), x);
  const gate = dense("out2").map(plainSigmoid);
  const value = activation === "fullGlu" ? dense("out1") : activation === "halfGlu1" ? x : y;
  return value.map((v, c) => v * gate[c]!);
}
