import { add, concat, mul, reshape, split, sub, type Tensor } from "@statespace/core";

/** Which entries of a vector of n form the pairs that are rotated: (0, 1), (2, 3), .. or (0, n/2), (1, n/2 + 1), .. */
export type Pairing = "neighbours" | "halves";

/** Cosine and sine of the pairs' angles, broadcast against the vectors' leading axes. */
export interface Turn {
  readonly cos: Tensor; // [..., s]
  readonly sin: Tensor; // [..., s]
}

/**
 * Rotates the first s pairs of every vector by their angles; the rest stays.
 * @param x [..., n], n at least 2 s
 */
export function rotate(x: Tensor, turn: Turn, pairing: Pairing): Tensor {
  const n = x.shape.at(-1)!;
  const angles = turn.cos.shape.at(-1)!;
  return pairing === "neighbours" ? rotateNeighbours(x, turn, n, angles) : rotateHalves(x, turn, n, angles);
}

/** (a cos - b sin, a sin + b cos). */
function turnPair(a: Tensor, b: Tensor, { cos, sin }: Turn): [Tensor, Tensor] {
  return [sub(mul(a, cos), mul(b, sin)), add(mul(a, sin), mul(b, cos))];
}

function rotateNeighbours(x: Tensor, turn: Turn, n: number, angles: number): Tensor {
  const lead = x.shape.slice(0, -1);
  const [head, rest] = n === 2 * angles ? [x, undefined] : (split(x, [2 * angles, n - 2 * angles]) as [Tensor, Tensor]);
  const [even, odd] = split(reshape(head, [...lead, angles, 2]), [1, 1]).map((part) => reshape(part, [...lead, angles])) as [Tensor, Tensor];
  const pairs = turnPair(even, odd, turn).map((part) => reshape(part, [...lead, angles, 1]));
  const rotated = reshape(concat(pairs, -1), [...lead, 2 * angles]);
  return rest === undefined ? rotated : concat([rotated, rest], -1);
}

function rotateHalves(x: Tensor, turn: Turn, n: number, angles: number): Tensor {
  const left = n / 2 - angles;
  if (left === 0) {
    const [a, b] = split(x, [angles, angles]) as [Tensor, Tensor];
    return concat(turnPair(a, b, turn), -1);
  }
  const [a, restA, b, restB] = split(x, [angles, left, angles, left]) as [Tensor, Tensor, Tensor, Tensor];
  const [first, second] = turnPair(a, b, turn);
  return concat([first, restA, second, restB], -1);
}
