import { add, cos, cumsum, div, mul, noGrad, reshape, sin, sub, tanh, type Tensor } from "@statespace/core";
import { floor } from "@statespace/core/ops";
import { makeTurn, type Pairing, type Turn } from "../../layers/rotate.ts";

const TURN = 2 * Math.PI;

/**
 * The angles of every token: the running sum of pi tanh(rate) dt from where the sequence before left off, in [0, 2 pi).
 * @param rates [b, l, h, s], or [b, l, 1, s] shared by the heads
 * @param dt [b, l, h]
 * @param initial [b, h, s]
 * @returns [b, l, h, s]
 */
export function accumulateAngles(rates: Tensor, dt: Tensor, initial: Tensor | undefined): Tensor {
  const total = cumsum(turned(rates, dt), 1);
  if (initial === undefined) return wrap(total);
  const [b, h, s] = initial.shape as [number, number, number];
  return wrap(add(total, reshape(initial, [b, 1, h, s])));
}

/** The same for one token: rates [b, h, s] or [b, 1, s], dt [b, h], before [b, h, s]. */
export function advanceAngle(rates: Tensor, dt: Tensor, before: Tensor): Tensor {
  return wrap(add(before, turned(rates, dt)));
}

/** The rotation of vectors [..., h, r, n] by angles [..., h, s]: all ranks of a head turn together. */
export function turnOf(angle: Tensor, n: number, pairing: Pairing): Turn {
  const shape = [...angle.shape.slice(0, -1), 1, angle.shape.at(-1)!];
  return makeTurn(reshape(cos(angle), shape), reshape(sin(angle), shape), n, pairing);
}

/** What a token adds to its head's angles. */
function turned(rates: Tensor, dt: Tensor): Tensor {
  return mul(mul(tanh(rates), Math.PI), reshape(dt, [...dt.shape, 1]));
}

/** The angle less its whole turns; the number of turns has no slope. */
function wrap(angle: Tensor): Tensor {
  const turns = noGrad(() => floor(div(angle, TURN)));
  return sub(angle, mul(turns, TURN));
}
