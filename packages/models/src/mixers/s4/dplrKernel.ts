import { broadcastTo, concat, ones, reshape, sum, tensor, zeros, type Tensor } from "@statespace/core";
import { cauchy, inverseRealFft, sliceAxis } from "@statespace/core/ops";
import {
  complexAddT,
  complexConjT,
  complexDivT,
  complexMap,
  complexMulT,
  complexParts,
  complexScaleT,
  complexSubT,
  interleave,
  type ComplexTensor,
  complexScalar,
} from "../../layers/complexTensor.ts";
import type { S4System } from "./parameters.ts";

/**
 * The filter of a diagonal plus low-rank system, through its generating function at the l-th roots of unity:
 *
 *     K^(omega) = 2 / (1 + omega) [ C R B - C R P (1 + P^* R P)^-1 P^* R B ],   R = (z - delta A)^-1 delta,  z = 2 (1 - omega) / (1 + omega)
 *
 * Every C R B is a Cauchy sum, and an inverse FFT gives the taps. O((n + l) h) memory; the dense filter takes O(n^2 l h) work.
 * Source: S4 (arXiv 2111.00396), algorithm 1, with the bilinear rule. Departure: at omega = -1, where z is infinite, the limit
 * sum_n Re(delta C_n B_n) is taken instead of a rounded infinity.
 * @param system C as C (I - ABar^l), [c, h, n]
 * @param B [r, h, n]: the input matrix, or for a batch of states (I + delta/2 A) state / delta
 * @returns [r, c, h, l]
 */
export function dplrFilter({ A, C, P, delta }: S4System, B: ComplexTensor, l: number): Tensor {
  const [c, h, n] = C.re.shape as [number, number, number];
  const r = B.re.shape[0]!;
  const rank = P!.re.shape[0]!;
  const left = { re: concat([B.re, P!.re]), im: concat([B.im, P!.im]) }; // [r + rank, h, n]
  const Q = complexConjT(P!);
  const right = { re: concat([C.re, Q.re]), im: concat([C.im, Q.im]) }; // [c + rank, h, n]
  const weights = complexScaleT(
    complexMulT(
      complexMap(left, (x) => reshape(x, [r + rank, 1, h, n])),
      complexMap(right, (x) => reshape(x, [1, c + rank, h, n])),
    ),
    delta,
  ); // [r + rank, c + rank, h, n]
  const { backend } = delta;
  const tangents = nodeTangents(l);
  const resolvent = cauchySums(weights, complexScaleT(A, delta), tangents);
  const corrected = eliminate(resolvent, r, c, rank); // [r, c, h, nodes]
  // 2 / (1 + omega) = 1 + i tan(angle / 2)
  let spectrum = complexMulT(corrected, {
    re: ones([tangents.length], { backend }),
    im: tensor(tangents, [tangents.length], { backend }),
  });
  if (l % 2 === 0) {
    const limit = sum(sliceAxis(sliceAxis(weights.re, 0, 0, r), 1, 0, c), 3, true); // [r, c, h, 1]
    spectrum = { re: concat([spectrum.re, limit], 3), im: concat([spectrum.im, zeros(limit.shape, { backend })], 3) };
  }
  const rows = reshape(interleave(spectrum), [r * c * h, -1, 2]);
  return reshape(inverseRealFft({ x: rows }, { seqLen: l }).y, [r, c, h, l]);
}

/** tan(pi k / l) for the roots of unity omega_k = exp(-2 pi i k / l) with k < l / 2, where z = 2 i tan. */
function nodeTangents(l: number): Float32Array {
  return Float32Array.from({ length: Math.ceil(l / 2) }, (_, k) => Math.tan((Math.PI * k) / l));
}

function cauchySums(weights: ComplexTensor, poles: ComplexTensor, tangents: Float32Array): ComplexTensor {
  const [i, j, h, n] = weights.re.shape as [number, number, number, number];
  const v = reshape(interleave(weights), [i * j * h, n, 2]);
  const w = reshape(broadcastTo(reshape(interleave(poles), [1, h, n, 2]), [i * j, h, n, 2]), [i * j * h, n, 2]);
  const z = tensor(
    Float32Array.from({ length: 2 * tangents.length }, (_, k) => (k % 2 === 0 ? 0 : 2 * tangents[k >> 1]!)),
    [tangents.length, 2],
    { backend: weights.re.backend },
  );
  return complexMap(complexParts(cauchy({ v, w, z }).y), (x) => reshape(x, [i, j, h, tangents.length]));
}

/** Woodbury's correction as one Sherman-Morrison step for each rank: every sum loses what runs through the pivot. */
function eliminate(forms: ComplexTensor, r: number, c: number, rank: number): ComplexTensor {
  let current = forms; // [r + rank, c + rank, h, nodes]
  for (let p = 0; p < rank; p++) {
    const row = complexMap(current, (x) => sliceAxis(x, 0, r + p, 1));
    const column = complexMap(current, (x) => sliceAxis(x, 1, c + p, 1));
    const pivot = complexMap(row, (x) => sliceAxis(x, 1, c + p, 1));
    const one = complexScalar(1, forms.re.backend);
    current = complexSubT(current, complexMulT(column, complexDivT(row, complexAddT(pivot, one))));
  }
  return complexMap(current, (x) => sliceAxis(sliceAxis(x, 0, 0, r), 1, 0, c));
}
