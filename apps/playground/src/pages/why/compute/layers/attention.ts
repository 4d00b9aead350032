import { causalAttention, concat, linear, reshape, split, type Tensor } from "@statespace/core";
import { fromInputs, WIDTH, type Draw, type Layer } from "./layer.ts";

/** Causal attention of one head, without positions: softmax of q k over all tokens so far weighs their v. It keeps every k and v. */
export function attention(draw: Draw): Layer {
  const qkvWeight = draw([3 * WIDTH, WIDTH], fromInputs(WIDTH));
  const outWeight = draw([WIDTH, WIDTH], fromInputs(WIDTH));
  const scale = 1 / Math.sqrt(WIDTH);
  const project = (x: Tensor): [q: Tensor, k: Tensor, v: Tensor] => {
    const heads = reshape(linear({ x, weight: qkvWeight }).y, [1, -1, 1, 3 * WIDTH]); // [1, l, 1, 3 WIDTH]
    return split(heads, [WIDTH, WIDTH, WIDTH], 3) as [Tensor, Tensor, Tensor];
  };
  const out = (y: Tensor, shape: readonly number[]): Tensor => linear({ x: reshape(y, shape), weight: outWeight }).y;
  return {
    weights: [qkvWeight, outWeight],
    fixedMemory: false,
    forward(x) {
      const [q, k, v] = project(x);
      return out(causalAttention({ q, k, v }, { scale }).y, x.shape);
    },
    remember(x) {
      const [, keys, values] = project(x);
      return { keys, values };
    },
    next(x, { keys, values }) {
      const [q, k, v] = project(x);
      const all = { q, k: concat([keys!, k], 1), v: concat([values!, v], 1) };
      return out(causalAttention(all, { scale }).y, x.shape);
    },
  };
}
