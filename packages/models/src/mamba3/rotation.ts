import { add, concat, cos, cumsum, div, floor, mul, noGrad, reshape, sin, split, sub, tanh, type Tensor } from "@statespace/core";

const TURN = 2 * Math.PI;

/**
 * Which entries of a vector form the pairs that are rotated: (0, 1), (2, 3), .. or (0, n/2), (1, n/2 + 1), ..
 * Official SISO checkpoints have the first, MIMO ones the second.
 */
export type Pairing = "neighbours" | "halves";

/**
 * The angles of every token: the running sum of pi tanh(rate) dt from where the sequence before left off, in [0, 2 pi).
 * @param rates [b, l, h, s], or [b, l, 1, s] shared by the heads
 * @param dt [b, l, h]
 * @param initial [b, h, s]
 * @returns [b, l, h, s]
 */
export function accumulateAngles(rates: Tensor, dt: Tensor, initial: Tensor | undefined): Tensor {
  const turned = mul(mul(tanh(rates), Math.PI), reshape(dt, [...dt.shape, 1]));
  const total = cumsum(turned, 1);
  if (initial === undefined) return wrap(total);
  const [b, h, s] = initial.shape as [number, number, number];
  return wrap(add(total, reshape(initial, [b, 1, h, s])));
}

/** The same for one token: rates [b, h, s] or [b, 1, s], dt [b, h], before [b, h, s]. */
export function advanceAngle(rates: Tensor, dt: Tensor, before: Tensor): Tensor {
  return wrap(add(before, mul(mul(tanh(rates), Math.PI), reshape(dt, [...dt.shape, 1]))));
}

/** The angle less its whole turns; the number of turns has no slope. */
function wrap(angle: Tensor): Tensor {
  const turns = noGrad(() => floor(div(angle, TURN)));
  return sub(angle, mul(turns, TURN));
}

/**
 * Rotates the first s pairs of every vector by its head's angles; the rest stays.
 * @param x [..., h, r, n]
 * @param angle [..., h, s]
 */
export function rotate(x: Tensor, { c, s }: { c: Tensor; s: Tensor }, pairing: Pairing): Tensor {
  const n = x.shape.at(-1)!;
  const angles = c.shape.at(-1)!;
  return pairing === "neighbours" ? rotateNeighbours(x, c, s, n, angles) : rotateHalves(x, c, s, n, angles);
}

/** Cosine and sine [..., h, 1, s] of angles [..., h, s]: all ranks of a head turn together. */
export function cosineAndSine(angle: Tensor): { c: Tensor; s: Tensor } {
  const shape = [...angle.shape.slice(0, -1), 1, angle.shape.at(-1)!];
  return { c: reshape(cos(angle), shape), s: reshape(sin(angle), shape) };
}

function turn(a: Tensor, b: Tensor, c: Tensor, s: Tensor): [Tensor, Tensor] {
  return [sub(mul(a, c), mul(b, s)), add(mul(a, s), mul(b, c))];
}

function rotateNeighbours(x: Tensor, c: Tensor, s: Tensor, n: number, angles: number): Tensor {
  const lead = x.shape.slice(0, -1);
  const [head, rest] = split(x, [2 * angles, n - 2 * angles]) as [Tensor, Tensor];
  const [even, odd] = split(reshape(head, [...lead, angles, 2]), [1, 1]).map((part) => reshape(part, [...lead, angles])) as [Tensor, Tensor];
  const pairs = turn(even, odd, c, s).map((part) => reshape(part, [...lead, angles, 1]));
  const rotated = reshape(concat(pairs, -1), [...lead, 2 * angles]);
  return n === 2 * angles ? rotated : concat([rotated, rest], -1);
}

function rotateHalves(x: Tensor, c: Tensor, s: Tensor, n: number, angles: number): Tensor {
  const left = n / 2 - angles;
  const [a, restA, b, restB] = split(x, [angles, left, angles, left]) as [Tensor, Tensor, Tensor, Tensor];
  const [first, second] = turn(a, b, c, s);
  return left === 0 ? concat([first, second], -1) : concat([first, restA, second, restB], -1);
}
