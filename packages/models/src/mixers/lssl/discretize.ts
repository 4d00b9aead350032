import { add, concat, matMul, mul, neg, noGrad, reshape, sub, tensor, type Tensor } from "@statespace/core";
import { runComposite } from "@statespace/core/backend";
import { reciprocal, sliceAxis } from "@statespace/core/ops";
import type { LsslConfig } from "./config.ts";

/** A dense discrete system, one a channel. */
export interface DiscreteDense {
  readonly ABar: Tensor; // [h, n, n]
  readonly BBar: Tensor; // [h, n]
}

/** Halvings before the Taylor series of the exponential: |delta A| up to 256 becomes 1/4. */
const HALVINGS = 10;
/** Its terms: (1/4)^9 / 9! is below float32. */
const TERMS = 8;

/**
 * Discretizes every channel's system on the device, so that gradients reach A, B and the step through the tape and no backend has
 * to read them back (`Discretization` of the core does the same in float64 JavaScript, with its own adjoints).
 * @param delta [h, 1]
 */
export function discretizeDense(
  { discretization, alpha }: Pick<LsslConfig, "discretization" | "alpha">,
  A: Tensor,
  B: Tensor,
  delta: Tensor,
): DiscreteDense {
  const h = A.shape[0]!;
  const z = mul(A, reshape(delta, [h, 1, 1]));
  const deltaB = mul(B, delta); // [h, n]
  return discretization === "zoh" ? zeroOrderHold(z, deltaB) : generalisedBilinear(z, deltaB, alpha);
}

function identityLike(M: Tensor): Tensor {
  const n = M.shape[1]!;
  return tensor(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    [1, n, n],
    { backend: M.backend },
  );
}

/** M x for a vector a channel. */
function apply(M: Tensor, x: Tensor): Tensor {
  const [h, n] = x.shape as [number, number];
  return reshape(matMul(M, reshape(x, [h, n, 1])), [h, n]);
}

/** ABar = (I - alpha Z)^-1 (I + (1 - alpha) Z), BBar = (I - alpha Z)^-1 delta B, Z = delta A. */
function generalisedBilinear(z: Tensor, deltaB: Tensor, alpha: number): DiscreteDense {
  const I = identityLike(z);
  const explicit = add(I, mul(z, 1 - alpha));
  if (alpha === 0) return { ABar: explicit, BBar: deltaB };
  const inverse = invert(sub(I, mul(z, alpha)));
  return { ABar: matMul(inverse, explicit), BBar: apply(inverse, deltaB) };
}

/**
 * ABar = exp(Z), BBar = phi(Z) delta B with phi(Z) = Z^-1 (exp(Z) - I), without an inverse: by scaling and squaring on
 * E = exp(Z) - I, which loses nothing where Z is small: E(2Z) = E (E + 2 I), phi(2Z) b = (E + 2 I) phi(Z) b / 2.
 */
function zeroOrderHold(z: Tensor, deltaB: Tensor): DiscreteDense {
  const I = identityLike(z);
  const small = mul(z, 2 ** -HALVINGS);
  let phi = add(I, mul(small, 1 / TERMS));
  for (let k = TERMS - 1; k >= 2; k--) phi = add(I, mul(matMul(small, phi), 1 / k));
  let E = matMul(small, phi);
  let b = apply(phi, deltaB);
  for (let i = 0; i < HALVINGS; i++) {
    const doubled = add(E, mul(I, 2));
    b = mul(apply(doubled, b), 0.5);
    E = matMul(E, doubled);
  }
  return { ABar: add(E, I), BBar: b };
}

/**
 * M^-1 of every channel, with one gradient node: dM = -M^-T dX M^-T.
 * By halves, with the Schur complement: matrix products do nearly all of the work. No pivots: of M = I - alpha delta A the symmetric
 * part is positive where that of A is not (HiPPO's), and then so is that of every Schur complement.
 */
export function invert(M: Tensor): Tensor {
  return runComposite(
    "invert",
    { M },
    () => [noGrad(() => invertByHalves(M))],
    ([X]) => ({
      save: [X!],
      backward: ([dX], [inverse]) => ({ M: neg(matMul(matMul(inverse!, dX!, true), inverse!, false, true)) }),
    }),
  )[0]!;
}

function invertByHalves(M: Tensor): Tensor {
  const n = M.shape[1]!;
  if (n === 1) return reciprocal(M);
  const k = n >> 1;
  const block = (i: number, j: number): Tensor =>
    sliceAxis(sliceAxis(M, 1, i, i === 0 ? k : n - k), 2, j, j === 0 ? k : n - k);
  const first = invertByHalves(block(0, 0));
  const right = matMul(first, block(0, k)); // A^-1 B
  const left = matMul(block(k, 0), first); // C A^-1
  const second = invertByHalves(sub(block(k, k), matMul(block(k, 0), right)));
  const upper = matMul(right, second);
  return concat(
    [concat([add(first, matMul(upper, left)), neg(upper)], 2), concat([neg(matMul(second, left)), second], 2)],
    1,
  );
}
