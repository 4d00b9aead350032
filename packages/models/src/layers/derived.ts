import { keep, tidy, type Parameter, type Tensor } from "@statespace/core";

/**
 * A tensor computed from a parameter (A = -exp(ALog)), kept for inference until the parameter changes.
 * Under a tape it must be computed anew, so that gradients reach the parameter: use `fresh` there.
 */
export class Derived {
  readonly #parameter: Parameter;
  readonly #compute: (value: Tensor) => Tensor;
  #cached: { version: number; source: Tensor; value: Tensor } | undefined;

  constructor(parameter: Parameter, compute: (value: Tensor) => Tensor) {
    this.#parameter = parameter;
    this.#compute = compute;
  }

  /** Computed now, part of the tape. */
  fresh(): Tensor {
    return tidy(() => this.#compute(this.#parameter.value));
  }

  /** Kept between calls; valid while the parameter's values are. */
  cached(): Tensor {
    const { version, value } = this.#parameter;
    if (this.#cached?.version !== version || this.#cached.source !== value) {
      this.dispose();
      this.#cached = { version, source: value, value: keep(this.fresh()) };
    }
    return this.#cached!.value;
  }

  dispose(): void {
    this.#cached?.value.dispose();
    this.#cached = undefined;
  }
}
