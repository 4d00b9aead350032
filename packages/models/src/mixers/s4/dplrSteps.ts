import {
  add,
  concat,
  div,
  matMul,
  mul,
  ones,
  reshape,
  stack,
  sub,
  sum,
  tensor,
  tidy,
  transpose,
  type Tensor,
} from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import {
  complexAddT,
  complexConjT,
  complexMap,
  complexMulT,
  complexReciprocalT,
  complexScaleT,
  complexSubT,
  type ComplexTensor,
  complexScalar,
} from "../../layers/complexTensor.ts";
import { matrixPower } from "../../layers/denseSsm.ts";
import type { S4System } from "./parameters.ts";

/** Doublings after which ABar^l has vanished in every stable system that float32 can tell from a lossless one. */
const DOUBLINGS = 20;

/**
 * What a linear-time step needs. With M = 1 - delta/2 (Lambda - 2 p p^T) over real vectors (Re x, Im x), p = (Re P, Im P):
 *
 *     x' = M^-1 ( x + delta/2 (Lambda x - 2 sum_r P_r <P_r, x>) + delta B u ),   <P, x> = sum_n Re P Re x + Im P Im x
 *
 * M^-1 is a diagonal one followed by one Sherman-Morrison correction for each rank.
 * Source: S4 (arXiv 2111.00396), appendix C.2; half of each conjugate pair stands for both.
 */
export interface LinearStep {
  /** 1 / (1 - delta/2 Lambda), [h, n]. */
  readonly inverse: ComplexTensor;
  /** 1 + delta/2 Lambda, [h, n]. */
  readonly explicit: ComplexTensor;
  readonly P: ComplexTensor; // [rank, h, n]
  /** What the inverse and the earlier corrections make of each P, over its pivot: [rank, h, n]. */
  readonly correction: ComplexTensor;
  readonly delta: Tensor; // [h, 1] or [h, n]
  readonly deltaB: ComplexTensor; // [h, n]
}

/** <P, x>, the last axis kept. */
function overlap(P: ComplexTensor, x: ComplexTensor): Tensor {
  return sum(add(mul(P.re, x.re), mul(P.im, x.im)), -1, true);
}

/** One of the stacked vectors: [h, n]. */
function vectorOf(stacked: ComplexTensor, r: number): ComplexTensor {
  return complexMap(stacked, (x) => reshape(sliceAxis(x, 0, r, 1), x.shape.slice(1)));
}

/** (Lambda - P P^*) x, the sum over both halves of P. @param x [b, h, n] */
export function timesA({ A, P }: Pick<S4System, "A" | "P">, x: ComplexTensor): ComplexTensor {
  let out = complexMulT(A, x);
  for (let r = 0; r < P!.re.shape[0]!; r++) {
    const p = vectorOf(P!, r);
    out = complexSubT(out, complexScaleT(p, mul(overlap(p, x), 2)));
  }
  return out;
}

/** Prepares the step. */
export function prepareLinearStep({ A, B, P, delta }: S4System): LinearStep {
  const half = complexScaleT(A, mul(delta, 0.5));
  const one = complexScalar(1, delta.backend);
  const inverse = complexReciprocalT(complexSubT(one, half));
  const correction: ComplexTensor[] = [];
  for (let r = 0; r < P!.re.shape[0]!; r++) {
    const p = vectorOf(P!, r);
    let moved = complexMulT(inverse, p);
    for (let q = 0; q < r; q++)
      moved = complexSubT(moved, complexScaleT(correction[q]!, overlap(vectorOf(P!, q), moved)));
    const pivot = add(div(1, delta), overlap(p, moved));
    correction.push(complexMap(moved, (x) => div(x, pivot)));
  }
  const stacked = { re: stack(correction.map(({ re }) => re)), im: stack(correction.map(({ im }) => im)) };
  return {
    inverse,
    explicit: complexAddT(one, half),
    P: P!,
    correction: stacked,
    delta,
    deltaB: complexScaleT(B, delta),
  };
}

/**
 * ABar x + BBar u in O(n).
 * @param x [b, h, n]
 * @param u [b, h]; absent for ABar x alone
 */
export function stepLinear(
  { inverse, explicit, P, correction, delta, deltaB }: LinearStep,
  x: ComplexTensor,
  u?: Tensor,
): ComplexTensor {
  const rank = P.re.shape[0]!;
  let next = complexMulT(explicit, x);
  for (let r = 0; r < rank; r++) {
    const p = vectorOf(P, r);
    next = complexSubT(next, complexScaleT(p, mul(overlap(p, x), delta)));
  }
  if (u !== undefined) next = complexAddT(next, complexScaleT(deltaB, reshape(u, [...u.shape, 1])));
  next = complexMulT(inverse, next);
  for (let r = 0; r < rank; r++)
    next = complexSubT(next, complexScaleT(vectorOf(correction, r), overlap(vectorOf(P, r), next)));
  return next;
}

/** The discrete system over real vectors (Re x, Im x). */
export interface DenseSystem {
  readonly ABar: Tensor; // [h, 2n, 2n]
  readonly BBar: Tensor; // [h, 2n]
}

/** Steps every unit vector, and the input into a zero state: the columns of ABar, and BBar. */
export function denseSystem(step: LinearStep): DenseSystem {
  const [h, n] = step.inverse.re.shape as [number, number];
  const { backend } = step.delta;
  const unit = (offset: number): Tensor =>
    tensor(
      Float32Array.from({ length: 2 * n * n }, (_, i) => (Math.floor(i / n) === (i % n) + offset ? 1 : 0)),
      [2 * n, 1, n],
      { backend },
    );
  const columns = stepLinear(step, { re: unit(0), im: unit(n) }); // [2n, h, n]: one for each unit vector
  const zero = complexMap(step.inverse, (x) => reshape(mul(x, 0), [1, h, n]));
  const BBar = stepLinear(step, zero, ones([1, h], { backend }));
  return {
    ABar: transpose(concat([columns.re, columns.im], 2), [1, 2, 0]),
    BBar: reshape(concat([BBar.re, BBar.im], 2), [h, 2 * n]),
  };
}

/** The row that reads y = 2 Re C x off (Re x, Im x): [c, h, 2n]; and back. */
export function realRow(C: ComplexTensor): Tensor {
  return concat([mul(C.re, 2), mul(C.im, -2)], 2);
}

/** x M for every channel. @param row [c, h, m] @param M [h, m, m] */
function rowTimes(row: Tensor, M: Tensor): Tensor {
  return transpose(matMul(transpose(row, [1, 0, 2]), M), [1, 0, 2]);
}

/** Sides of matrices whose products take so long that launching a step's ops instead is nothing beside it. */
const LARGE = 512;

/**
 * Whether so many steps through the structure, O(n) each, are less work than the squares of ABar whose product they are. A square
 * counts as as many steps as ABar has rows: it is far more arithmetic, but one launch.
 * @param side rows of ABar, dState
 */
export function stepsAreLess(side: number, count: number): boolean {
  return side >= LARGE && count <= Math.floor(Math.log2(count)) * side;
}

/**
 * x ABar in O(n): the factors of `stepLinear` transposed, the last one first. A complex factor of the diagonal turns a row the other way,
 * by its conjugate.
 * @param x the row's halves, [c, h, n]
 */
function stepRow({ inverse, explicit, P, correction, delta }: LinearStep, x: ComplexTensor): ComplexTensor {
  const rank = P.re.shape[0]!;
  let next = x;
  for (let r = rank - 1; r >= 0; r--)
    next = complexSubT(next, complexScaleT(vectorOf(P, r), overlap(vectorOf(correction, r), next)));
  next = complexMulT(complexConjT(inverse), next);
  const scaled = complexScaleT(next, delta);
  next = complexMulT(complexConjT(explicit), next);
  for (let r = 0; r < rank; r++) {
    const p = vectorOf(P, r);
    next = complexSubT(next, complexScaleT(p, overlap(p, scaled)));
  }
  return next;
}

/** x ABar^exponent for every channel: step by step, or by powers of ABar. @param row [c, h, 2n] */
function rowTimesPower(row: Tensor, step: LinearStep, exponent: number): Tensor {
  if (!stepsAreLess(row.shape[2]!, exponent)) return rowTimes(row, matrixPower(denseSystem(step).ABar, exponent)!);
  const n = row.shape[2]! / 2;
  let halves: ComplexTensor = { re: sliceAxis(row, 2, 0, n), im: sliceAxis(row, 2, n, n) };
  for (let i = 0; i < exponent; i++) {
    const before = halves;
    halves = tidy(() => stepRow(step, before));
  }
  return concat([halves.re, halves.im], 2);
}

/**
 * C (I - ABar^l) from C.
 * @param row C as a real row, [c, h, 2n]
 */
export function attune(row: Tensor, step: LinearStep, l: number): Tensor {
  return sub(row, rowTimesPower(row, step, l));
}

/** C (I - ABar^2l) from C (I - ABar^l). */
export function doubleLength(row: Tensor, step: LinearStep, l: number): Tensor {
  return add(row, rowTimesPower(row, step, l));
}

/**
 * The state after a whole sequence, token by token.
 * @param u [b, l, h]
 * @param x the state before it, [b, h, n]
 */
export function stepThrough(step: LinearStep, u: Tensor, x: ComplexTensor): ComplexTensor {
  let state = x;
  for (let t = 0; t < u.shape[1]!; t++) {
    const before = state;
    state = tidy(() => stepLinear(step, before, reshape(sliceAxis(u, 1, t, 1), [u.shape[0]!, u.shape[2]!])));
  }
  return state;
}

/**
 * C from C (I - ABar^l): (I - M)^-1 = (I + M)(I + M^2)(I + M^4)..., the doubling of the length without end, which converges for
 * every stable system and needs no solver.
 */
export function detune(row: Tensor, ABar: Tensor, l: number): Tensor {
  let power = matrixPower(ABar, l)!;
  let result = row;
  for (let i = 0; i < DOUBLINGS; i++) {
    result = add(result, rowTimes(result, power));
    power = matMul(power, power);
  }
  return result;
}
