import {
  add,
  maximum,
  mean,
  mul,
  reshape,
  ShapeError,
  square,
  sub,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";

/**
 * Mean loss of values over the entries whose mask is not 0: squared errors or, where the output has an axis of quantiles behind, the pinball
 * loss max(q e, (q - 1) e) of e = target - output, its mean over the quantiles q.
 * @param output [...], or [..., quantiles]
 * @param targets as many as the output without quantiles
 * @param mask of the targets' leading axes, or of all of them
 * @throws ShapeError
 * Source of the pinball loss: Koenker and Bassett 1978, Econometrica 46.
 */
export function valueLoss(
  output: Tensor,
  targets: Tensor,
  mask: Float32Array | undefined,
  quantiles?: readonly number[],
): Tensor {
  const shape = quantiles === undefined ? output.shape : output.shape.slice(0, -1);
  const size = shape.reduce((a, b) => a * b, 1);
  if (targets.size !== size)
    throw new ShapeError(`loss: targets must be [${shape.join(", ")}], got [${targets.shape.join(", ")}]`);
  return tidy(() => {
    const losses =
      quantiles === undefined
        ? square(sub(output, reshape(targets, shape)))
        : pinball(output, reshape(targets, [...shape, 1]), quantiles);
    if (mask === undefined) return mean(losses);
    return sum(mul(losses, weightsOf(mask, shape, size, output.backend)));
  });
}

/** Mean over the quantiles of each target's loss. @param targets [..., 1] @returns without that axis */
function pinball(output: Tensor, targets: Tensor, quantiles: readonly number[]): Tensor {
  const levels = tensor(Float32Array.from(quantiles), [quantiles.length], { backend: output.backend });
  const errors = sub(targets, output);
  return mean(maximum(mul(errors, levels), mul(errors, add(levels, -1))), -1);
}

/** One over the number of entries that count, at each of them. */
function weightsOf(mask: Float32Array, shape: readonly number[], size: number, backend: Tensor["backend"]): Tensor {
  const entries = size / mask.length;
  if (!Number.isInteger(entries))
    throw new ShapeError(`loss: mask must have a number for each of [${shape.join(", ")}], got ${mask.length}`);
  const counted = mask.reduce((total, value) => total + value, 0);
  const each = 1 / Math.max(1, counted * entries);
  const weights = Float32Array.from({ length: size }, (_, i) => mask[Math.floor(i / entries)]! * each);
  return tensor(weights, shape, { backend });
}
