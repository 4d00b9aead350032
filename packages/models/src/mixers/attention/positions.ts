import { tensor, type Tensor } from "@statespace/core";
import { makeTurn, type Turn } from "../../layers/rotate.ts";

/**
 * Rotary positions (arXiv 2104.09864): pair i of a vector turns by position / base^(2i / dim).
 * @returns the turn of vectors [b, l, h, dim] at the positions from..from+l: one for all heads of a token.
 */
export function positionTurn(from: number, l: number, dim: number, base: number, interleaved: boolean): Turn {
  const pairs = dim / 2;
  const angles = Float64Array.from(
    { length: l * pairs },
    (_, i) => (from + Math.floor(i / pairs)) / base ** ((i % pairs) / pairs),
  );
  const table = (of: (angle: number) => number): Tensor => tensor(Float32Array.from(angles, of), [l, 1, pairs]);
  return makeTurn(table(Math.cos), table(Math.sin), dim, interleaved ? "neighbours" : "halves");
}
