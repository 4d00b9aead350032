import { add, linear, mul, reshape, sigmoid, split, stack, sub, tanh, zeros, type Tensor } from "@statespace/core";
import { copy } from "@statespace/core/ops";
import { fromInputs, WIDTH, type Draw, type Layer } from "./layer.ts";

/** A gated recurrent unit in PyTorch's form: r, z = sigmoid(.), n = tanh(x_n + r h_n), h' = n + z (h - n). It keeps h. */
export function gru(draw: Draw): Layer {
  const [inputWeight, hiddenWeight] = [0, 1].map(() => draw([3 * WIDTH, WIDTH], fromInputs(WIDTH))) as [Tensor, Tensor];
  const [inputBias, hiddenBias] = [0, 1].map(() => draw([3 * WIDTH], fromInputs(WIDTH))) as [Tensor, Tensor];
  const ofInput = (x: Tensor): Tensor => linear({ x, weight: inputWeight, bias: inputBias }).y;
  /** @param share what the token adds to the gates, [1, 3 WIDTH] */
  const step = (share: Tensor, h: Tensor): Tensor => {
    const [gatesX, newX] = split(share, [2 * WIDTH, WIDTH], 1) as [Tensor, Tensor];
    const ofHidden = linear({ x: h, weight: hiddenWeight, bias: hiddenBias }).y;
    const [gatesH, newH] = split(ofHidden, [2 * WIDTH, WIDTH], 1) as [Tensor, Tensor];
    const [r, z] = split(sigmoid(add(gatesX, gatesH)), [WIDTH, WIDTH], 1) as [Tensor, Tensor];
    const n = tanh(add(newX, mul(r, newH)));
    return add(n, mul(z, sub(h, n)));
  };
  /** Every state, [1, WIDTH] each: no step can start before the one before it is done. */
  const walk = (x: Tensor): Tensor[] => {
    let h = zeros([1, WIDTH], { backend: x.backend });
    return split(ofInput(x), Array<number>(x.shape[1]!).fill(1), 1).map(
      (share) => (h = step(reshape(share, [1, 3 * WIDTH]), h)),
    );
  };
  return {
    weights: [inputWeight, hiddenWeight, inputBias, hiddenBias],
    fixedMemory: true,
    forward: (x) => stack(walk(x), 1),
    remember: (x) => ({ h: walk(x).at(-1)! }),
    next(x, { h }) {
      const now = step(ofInput(x), h!);
      copy({ destination: h!, source: now });
      return now;
    },
  };
}
