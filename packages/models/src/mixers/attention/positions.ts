import { tensor, type Tensor } from "@statespace/core";
import { type AnyBackend } from "@statespace/core/backend";
import { makeTurn, type Turn } from "../../layers/rotate.ts";

/**
 * Rotary positions (arXiv 2104.09864): pair i of a vector turns by position / base^(2i / dim).
 * @returns the turn of vectors [b, l, h, dim] at the positions from..from+l: one for all heads of a token.
 */
export function positionTurn(
  from: number,
  l: number,
  dim: number,
  base: number,
  interleaved: boolean,
  backend: AnyBackend,
): Turn {
  const pairs = dim / 2;
  const angles = anglesOf(from, l, pairs, base);
  const table = (of: (angle: number) => number): Tensor =>
    tensor(Float32Array.from(angles, of), [l, 1, pairs], { backend });
  return makeTurn(table(Math.cos), table(Math.sin), dim, interleaved ? "neighbours" : "halves");
}

/** The angles of l positions from `from` on, [l, pairs]. */
function anglesOf(from: number, l: number, pairs: number, base: number): Float64Array {
  return Float64Array.from(
    { length: l * pairs },
    (_, i) => (from + Math.floor(i / pairs)) / base ** ((i % pairs) / pairs),
  );
}

/** Cosines, then sines, of every position below m: [m, dim], from which a step on the device takes its own. */
export function rotaryTable(m: number, dim: number, base: number, backend: AnyBackend): Tensor {
  const pairs = dim / 2;
  const angles = anglesOf(0, m, pairs, base);
  const table = new Float32Array(m * dim);
  angles.forEach((angle, i) => {
    const at = Math.floor(i / pairs) * dim + (i % pairs);
    table[at] = Math.cos(angle);
    table[at + pairs] = Math.sin(angle);
  });
  return tensor(table, [m, dim], { backend });
}
