/**
 * What a state of one number holds after a sequence, by where it came from, for A = -1, B = C = 1 and zero-order hold:
 *
 *     x_t = exp(-delta_t) x_(t-1) + (1 - exp(-delta_t)) u_t
 *
 * A token's share is how much of it is left; all shares and what is still empty sum to one.
 */
export interface Jar {
  /** Of each step: how much of the state before it is kept, and how much of the state is then the token. */
  readonly steps: readonly { readonly kept: number; readonly written: number }[];
  readonly shares: readonly number[];
  readonly empty: number;
}

/** The jar after tokens that were looked at for `deltas`. */
export function jarOf(deltas: readonly number[]): Jar {
  const steps = deltas.map((delta) => ({ kept: Math.exp(-delta), written: -Math.expm1(-delta) }));
  let shares: number[] = [];
  let empty = 1;
  for (const { kept, written } of steps) {
    shares = [...shares.map((share) => kept * share), written];
    empty *= kept;
  }
  return { steps, shares, empty };
}
