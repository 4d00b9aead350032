import { keep, tidy, type Parameter, type Tensor } from "@statespace/core";
import { isRecordingGradients } from "@statespace/core/backend";

/**
 * Several tensors computed from several parameters (ABar, BBar from A, B, delta): kept for inference until one of the parameters
 * changes, computed anew under a tape, so that gradients reach the parameters.
 */
export class DerivedSet<Names extends string> {
  readonly #parameters: readonly Parameter[];
  readonly #compute: () => Record<Names, Tensor>;
  #cached: { key: string; sources: readonly Tensor[]; values: Record<Names, Tensor> } | undefined;

  constructor(parameters: readonly Parameter[], compute: () => Record<Names, Tensor>) {
    this.#parameters = parameters;
    this.#compute = compute;
  }

  /** @param key of what else the values depend on (a sample rate). */
  get(key = ""): Record<Names, Tensor> {
    if (isRecordingGradients()) return tidy(this.#compute);
    const full = `${key} ${this.#parameters.map((p) => p.version).join(" ")}`;
    const valid = this.#cached?.key === full && this.#parameters.every((p, i) => p.value === this.#cached!.sources[i]);
    if (!valid) {
      this.dispose();
      const values = tidy(this.#compute);
      for (const value of Object.values<Tensor>(values)) keep(value);
      this.#cached = { key: full, sources: this.#parameters.map((p) => p.value), values };
    }
    return this.#cached!.values;
  }

  dispose(): void {
    if (this.#cached === undefined) return;
    for (const value of Object.values<Tensor>(this.#cached.values)) value.dispose();
    this.#cached = undefined;
  }
}
