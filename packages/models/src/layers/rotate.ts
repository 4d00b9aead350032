import { add, concat, mul, neg, pad, reshape, type Tensor } from "@statespace/core";
import { reverse, sliceAxis } from "@statespace/core/ops";

/** Which entries of a vector of n form the pairs that are rotated: (0, 1), (2, 3), .. or (0, n/2), (1, n/2 + 1), .. */
export type Pairing = "neighbours" | "halves";

/** A rotation of vectors of n: every entry's factor, and that of its partner. */
export interface Turn {
  readonly own: Tensor; // [..., n]
  readonly partner: Tensor; // [..., n]
  readonly pairing: Pairing;
}

/**
 * The rotation by cosine and sine of the first s pairs; the other n/2 - s pairs stay.
 * @param cos [..., s], with leading axes that broadcast against those of the vectors
 * @param sin [..., s]
 */
export function makeTurn(cos: Tensor, sin: Tensor, n: number, pairing: Pairing): Turn {
  const lead = cos.shape.slice(0, -1);
  const missing = n / 2 - cos.shape.at(-1)!;
  const all = (x: Tensor, rest: number): Tensor =>
    missing === 0 ? x : pad(x, [...lead.map(() => [0, 0] as const), [0, missing]], rest);
  const joined = (first: Tensor, second: Tensor): Tensor => {
    const axis = pairing === "neighbours" ? -1 : -2;
    const shape = pairing === "neighbours" ? [...lead, n / 2, 1] : [...lead, 1, n / 2];
    return reshape(concat([reshape(first, shape), reshape(second, shape)], axis), [...lead, n]);
  };
  const c = all(cos, 1);
  const s = all(sin, 0);
  return { own: joined(c, c), partner: joined(neg(s), s), pairing };
}

/** The turns of `count` positions from `from` on, of those along the first axis. */
export function turnsFrom({ own, partner, pairing }: Turn, from: number, count: number): Turn {
  if (from === 0 && count === own.shape[0]) return { own, partner, pairing };
  const part = (x: Tensor): Tensor => sliceAxis(x, 0, from, count);
  return { own: part(own), partner: part(partner), pairing };
}

/** (a, b) -> (a cos - b sin, b cos + a sin) for every pair of x [..., n]. */
export function rotate(x: Tensor, { own, partner, pairing }: Turn): Tensor {
  const lead = x.shape.slice(0, -1);
  const half = x.shape.at(-1)! / 2;
  const pairs = reshape(x, pairing === "neighbours" ? [...lead, half, 2] : [...lead, 2, half]);
  const swapped = reshape(reverse(pairs, pairing === "neighbours" ? -1 : -2), x.shape);
  return add(mul(x, own), mul(swapped, partner));
}
