/**
 * S4, S4D and DSS in plain float64 loops: what the fast path computes, without tensors, batches, FFTs or structured solvers.
 * Read it top down: block, then the system of one channel, then the two ways to its filter.
 * l tokens, h channels, n states of each (one of each conjugate pair). Source: arXiv 2111.00396, 2206.11893, 2203.14343.
 */
import { bilinear, zeroOrderHold } from "@statespace/core/discretization";
import {
  complexAdd,
  complexAt,
  complexConj,
  complexDiv,
  complexExp,
  complexMul,
  complexScale,
  complexSub,
  luFactor,
  luSolve,
  Matrix,
  type Complex,
} from "@statespace/core/math";
import {
  plainGelu,
  plainGlu,
  plainLinear,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "../../layers/plainLoops.ts";
import type { S4Config } from "./config.ts";

/** One block with one filter a channel, causal: [l][h] in, [l][h] out. Parameters as the official defaults store them. */
export function minimalS4(weights: LayerWeights, config: S4Config, u: PlainSequence): PlainSequence {
  const D = plainWeight(weights, "layer.D");
  const y = u.map((token) => token.map((value, c) => D[c]! * value));
  for (let c = 0; c < config.dModel; c++) {
    const K = minimalFilter(weights, config, c, u.length);
    y.forEach((token, t) => K.slice(0, t + 1).forEach((tap, j) => (token[c]! += tap * u[t - j]![c]!)));
  }
  const active = y.map((token) => (config.activation === "gelu" ? token.map(plainGelu) : token));
  if (config.output === "none") return active;
  const [weight, bias] = [plainWeight(weights, "output_linear.0.weight"), plainWeight(weights, "output_linear.0.bias")];
  const projected = active.map((token) => plainLinear(weight, bias, token));
  return config.output === "glu" ? projected.map(plainGlu) : projected;
}

/** The filter of one channel: its response to a single 1. */
export function minimalFilter(weights: LayerWeights, config: S4Config, channel: number, l: number): Float64Array {
  const system = systemOf(weights, config, channel);
  return config.mode === "diag" ? diagonalFilter(system, config, l) : recurrentFilter(system, config.kernelLength, l);
}

/** x' = (Lambda - sum_r P_r P_r^*) x + B u, y = 2 Re C x, sampled in steps of delta. */
interface System {
  readonly delta: number;
  readonly Lambda: readonly Complex[];
  readonly B: readonly Complex[];
  readonly C: readonly Complex[];
  readonly P: readonly (readonly Complex[])[];
}

function systemOf(weights: LayerWeights, { dState, rank, mode, nSsm, dModel }: S4Config, channel: number): System {
  const n = dState / 2;
  const shared = channel % nSsm; // channels may share Lambda, B and P
  const named = (name: string): Float64Array => plainWeight(weights, `layer.kernel.${name}`);
  const row = (name: string, i: number): Complex[] =>
    Array.from({ length: n }, (_, k) => complexAt(named(name), i * n + k));
  return {
    delta: Math.exp(named("inv_dt")[channel]!),
    Lambda: Array.from({ length: n }, (_, k) => ({
      re: -Math.exp(named("A_real")[shared * n + k]!),
      im: -named("A_imag")[shared * n + k]!,
    })),
    B: row("B", shared),
    C: row("C", channel % dModel),
    P: mode === "dplr" ? Array.from({ length: rank }, (_, r) => row("P", r * nSsm + shared)) : [],
  };
}

/** S4D: K_t = 2 Re sum_n C_n ABar_n^t BBar_n, a Vandermonde product. DSS divides each state's filter by the sum of its first taps. */
function diagonalFilter(
  { delta, Lambda, B, C }: System,
  { discretization, kernelLength }: S4Config,
  l: number,
): Float64Array {
  const rule = discretization === "bilinear" ? bilinear : zeroOrderHold;
  const K = new Float64Array(l);
  Lambda.forEach((lambda, k) => {
    const z = complexScale(lambda, delta);
    const ABar = rule.growth(z).value;
    let term = complexMul(complexMul(C[k]!, B[k]!), complexScale(rule.gain(z).value, delta));
    if (discretization === "dss")
      term = complexDiv(term, complexSub(complexExp(complexScale(z, kernelLength)), { re: 1, im: 0 }));
    for (let t = 0; t < l; t++, term = complexMul(term, ABar)) K[t]! += 2 * term.re;
  });
  return K;
}

/** The system over real vectors (Re x, Im x): A = [[Re Lambda, -Im Lambda], [Im Lambda, Re Lambda]] - 2 sum_r p p^T with p = (Re P, Im P). */
function discreteDense({ delta, Lambda, B, P }: System): { ABar: Matrix; BBar: Matrix } {
  const n = Lambda.length;
  const p = P.map((vector) => [...vector.map(({ re }) => re), ...vector.map(({ im }) => im)]);
  const A = Matrix.from(2 * n, 2 * n, (i, j) => {
    const { re, im } = Lambda[i % n]!;
    const diagonal = i % n !== j % n ? 0 : i === j ? re : i < n ? -im : im;
    return diagonal - 2 * p.reduce((sum, vector) => sum + vector[i]! * vector[j]!, 0);
  });
  return bilinear.dense(A, Matrix.column([...B.map(({ re }) => re), ...B.map(({ im }) => im)]), delta);
}

/** S4 as a recurrence: C ABar^t BBar by stepping. The weight holds C (I - ABar^L), L the length it was trained for, from which C is solved. */
function recurrentFilter(system: System, kernelLength: number, l: number): Float64Array {
  const { ABar, BBar } = discreteDense(system);
  const stored = Matrix.column([...system.C.map(({ re }) => 2 * re), ...system.C.map(({ im }) => -2 * im)]);
  const C =
    kernelLength === 0
      ? stored
      : luSolve(luFactor(Matrix.identity(ABar.rows).minus(power(ABar, kernelLength)).transposed()), stored);
  let x = BBar;
  return Float64Array.from({ length: l }, () => {
    const tap = C.dot(x);
    x = ABar.times(x);
    return tap;
  });
}

function power(M: Matrix, exponent: number): Matrix {
  let result = Matrix.identity(M.rows);
  for (let square = M, rest = exponent; rest > 0; square = square.times(square), rest >>= 1)
    if (rest & 1) result = result.times(square);
  return result;
}

/**
 * S4's way to the same filter, one channel with P of rank 1 and l = kernelLength (algorithm 1 of the paper): the filter's generating
 * function sum_t K_t omega^t at the roots of unity needs no powers of A, only Cauchy sums; a DFT leads back.
 */
export function minimalCauchyFilter(weights: LayerWeights, config: S4Config, channel: number): Float64Array {
  const { delta, Lambda, B, C, P } = systemOf(weights, config, channel);
  const l = config.kernelLength;
  const Q = P[0]!.map(complexConj);
  const spectrum = Array.from({ length: l }, (_, k): Complex => {
    if (2 * k === l) return { re: delta * B.reduce((sum, b, i) => sum + complexMul(b, C[i]!).re, 0), im: 0 }; // z is infinite there
    const tan = Math.tan((Math.PI * k) / l); // omega = exp(-2 pi i k / l): z = 2 (1 - omega) / (1 + omega) = 2 i tan
    const sum = (left: readonly Complex[], right: readonly Complex[]): Complex =>
      cauchySum(left, right, Lambda, delta, { re: 0, im: 2 * tan });
    const correction = complexDiv(complexMul(sum(B, Q), sum(P[0]!, C)), complexAdd({ re: 1, im: 0 }, sum(P[0]!, Q)));
    return complexMul(complexSub(sum(B, C), correction), { re: 1, im: tan }); // 2 / (1 + omega) = 1 + i tan
  });
  const angle = (k: number, t: number): number => (2 * Math.PI * k * t) / l;
  return Float64Array.from(
    { length: l },
    (_, t) =>
      spectrum.reduce((sum, { re, im }, k) => sum + re * Math.cos(angle(k, t)) - im * Math.sin(angle(k, t)), 0) / l,
  );
}

/** sum over both halves of left right delta / (z - delta Lambda). */
function cauchySum(
  left: readonly Complex[],
  right: readonly Complex[],
  Lambda: readonly Complex[],
  delta: number,
  z: Complex,
): Complex {
  return Lambda.reduce<Complex>(
    (sum, lambda, k) => {
      const weight = complexScale(complexMul(left[k]!, right[k]!), delta);
      const one = complexDiv(weight, complexSub(z, complexScale(lambda, delta)));
      const mirrored = complexDiv(complexConj(weight), complexSub(z, complexScale(complexConj(lambda), delta)));
      return complexAdd(sum, complexAdd(one, mirrored));
    },
    { re: 0, im: 0 },
  );
}
