import { mul, tensor, type Rng, type Tensor } from "@statespace/core";

/**
 * Dropout of whole channels: each row loses a share of its channels for all tokens alike, as S4's `DropoutNd` does, and the rest
 * is scaled up to keep the mean. The draws are the generator's, so that a resumed run drops what the uninterrupted one would have.
 */
export function channelDropout(share: number, rng: Rng): (branch: Tensor) => Tensor {
  return (branch) => {
    const shape = branch.shape.map((extent, i) => (i === 1 ? 1 : extent)); // [b, 1, d]
    const count = shape.reduce((a, b) => a * b, 1);
    return mul(
      branch,
      tensor(
        Float32Array.from({ length: count }, () => (rng.uniform() < share ? 0 : 1 / (1 - share))),
        shape,
        { backend: branch.backend },
      ),
    );
  };
}

/** Dropout of each element by itself, the rest scaled up to keep the mean. */
export function elementDropout(share: number, rng: Rng): (x: Tensor) => Tensor {
  return (x) => {
    const kept = Float32Array.from({ length: x.size }, () => (rng.uniform() < share ? 0 : 1 / (1 - share)));
    return mul(x, tensor(kept, x.shape, { backend: x.backend }));
  };
}
