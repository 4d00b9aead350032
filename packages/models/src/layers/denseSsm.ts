import { add, concat, matMul, reshape, transpose, zeros, type Tensor } from "@statespace/core";
import { reverse, sliceAxis } from "@statespace/core/ops";

/** Longest run of tokens that one product carries into the state. */
const CHUNK = 128;

/** M^exponent by squaring; undefined for exponent 0, whose power changes nothing. @param M [h, n, n] */
export function matrixPower(M: Tensor, exponent: number): Tensor | undefined {
  let result: Tensor | undefined;
  let square = M;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === undefined ? square : matMul(result, square);
    if (rest > 1) square = matMul(square, square);
  }
  return result;
}

/**
 * The Krylov columns [B, M B, M^2 B, ...], in log2(count) products: each doubles how many there are.
 * @param M [h, n, n]
 * @param B [h, n, r]
 * @returns [h, n, count r], the r columns of one power side by side
 */
function krylovColumns(M: Tensor, B: Tensor, count: number): Tensor {
  const r = B.shape[2]!;
  let columns = B;
  let power = M;
  for (let have = 1; have < count; have *= 2) {
    columns = concat([columns, matMul(power, columns)], 2);
    if (2 * have < count) power = matMul(power, power);
  }
  return columns.shape[2] === count * r ? columns : sliceAxis(columns, 2, 0, count * r);
}

/**
 * The filters C M^t B of a dense state space model, t < l, by baby steps and giant steps: rows C M^(T i) times columns M^j B with
 * T near sqrt(l), so that 2 sqrt(l) vectors are held instead of l.
 * @param C [h, n]
 * @param B [h, n, r]
 * @returns [h, l, r]
 */
export function denseFilter(C: Tensor, M: Tensor, B: Tensor, l: number): Tensor {
  const [h, n, r] = B.shape as [number, number, number];
  const baby = 2 ** Math.ceil(Math.log2(l) / 2);
  const giant = Math.ceil(l / baby);
  const columns = krylovColumns(M, B, baby); // [h, n, baby r]
  const row = reshape(C, [h, n, 1]);
  const rows = giant === 1 ? row : krylovColumns(transpose(matrixPower(M, baby)!, [0, 2, 1]), row, giant); // [h, n, giant]
  return sliceAxis(reshape(matMul(rows, columns, true), [h, giant * baby, r]), 1, 0, l);
}

/**
 * The state after a whole sequence, chunk by chunk: state := M^T state + [M^(T-1) B ... M B, B] u.
 * @param u [b, l, h]
 * @param initialState [b, h, n]
 * @returns [b, h, n]
 */
export function denseLastState(M: Tensor, B: Tensor, u: Tensor, initialState?: Tensor): Tensor {
  const [h, n] = B.shape as [number, number];
  const [b, l] = u.shape as [number, number];
  const inputs = transpose(u, [2, 1, 0]); // [h, l, b]
  const chunk = Math.min(CHUNK, l);
  const columns = reverse(krylovColumns(M, reshape(B, [h, n, 1]), chunk), 2); // the oldest token meets the highest power
  let state = initialState ? transpose(initialState, [1, 2, 0]) : zeros([h, n, b], { backend: u.backend });
  const rest = l % chunk;
  if (rest > 0) {
    const fresh = matMul(sliceAxis(columns, 2, chunk - rest, rest), sliceAxis(inputs, 1, 0, rest));
    state = initialState ? add(matMul(matrixPower(M, rest)!, state), fresh) : fresh;
  }
  const decay = matrixPower(M, chunk)!;
  for (let from = rest; from < l; from += chunk)
    state = add(matMul(decay, state), matMul(columns, sliceAxis(inputs, 1, from, chunk)));
  return transpose(state, [2, 0, 1]);
}
