import { reshape, tensor } from "@statespace/core";
import type { Turn } from "../layers/rotate.ts";

/**
 * Rotary positions (arXiv 2104.09864): pair i of a vector turns by position / base^(2i / dim).
 * @returns cosine and sine [l, 1, dim / 2] for the positions from..from+l: one turn for all heads of a token.
 */
export function positionTurn(from: number, l: number, dim: number, base: number): Turn {
  const pairs = dim / 2;
  const angles = Float64Array.from({ length: l * pairs }, (_, i) => (from + Math.floor(i / pairs)) / base ** ((i % pairs) / pairs));
  const table = (of: (angle: number) => number): Turn["cos"] => reshape(tensor(Float32Array.from(angles, of)), [l, 1, pairs]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
