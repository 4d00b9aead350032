import { ArgumentError } from "../errors.ts";
import { add, div, minimum, sqrt, squaredNorm } from "../ops/index.ts";
import { scalar, tidy, type Tensor } from "../tensor/index.ts";

/** Norm of all gradients taken as one vector, and the factor that brings it down to a maximum; both scalars on the device. */
export interface ClipScale {
  readonly norm: Tensor;
  readonly scale: Tensor;
}

/**
 * Global-norm clipping without a read-back: scale = min(1, maxNorm / (norm + 1e-6)), for `AdamW.step`.
 * @throws ArgumentError unless maxNorm > 0.
 * Source: Pascanu et al. 2013, as `torch.nn.utils.clip_grad_norm_`.
 */
export function clipScale(grads: readonly (Tensor | null)[], maxNorm: number): ClipScale {
  if (!(maxNorm > 0)) throw new ArgumentError(`clipScale: maxNorm must be > 0, got ${maxNorm}`);
  return tidy(() => {
    const there = grads.filter((grad) => grad !== null);
    const norm = there.length === 0 ? scalar(0) : sqrt(squaredNorm(there));
    return { norm, scale: minimum(div(maxNorm, add(norm, 1e-6)), 1) };
  });
}
