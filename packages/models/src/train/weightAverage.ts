import { add, mul, Parameter, tidy } from "@statespace/core";
import { disposeOnThrow } from "@statespace/core/backend";
import { copy } from "@statespace/core/ops";

/**
 * An exponential moving average of weights, which often measures better than the last ones. Of the first steps it takes more, so that it is not
 * the start's for long: its decay after t steps is min(decay, (1 + t) / (10 + t)).
 * Source: Polyak and Juditsky 1992; the warm-up as in TensorFlow's ExponentialMovingAverage.
 */
export class WeightAverage {
  readonly #decay: number;
  readonly #pairs: readonly { readonly weight: Parameter; readonly average: Parameter }[];

  /** Begins at the weights as they are. */
  constructor(parameters: readonly Parameter[], decay: number) {
    this.#decay = decay;
    this.#pairs = disposeOnThrow(() =>
      parameters
        .filter(({ trainable }) => trainable)
        .map((weight) => ({
          weight,
          average: new Parameter(
            weight.name,
            tidy(() => mul(weight.value, 1)),
          ),
        })),
    );
  }

  /** @param step steps taken, this one counted */
  update(step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    for (const { weight, average } of this.#pairs) {
      tidy(() =>
        copy({ destination: average.value, source: add(mul(average.value, decay), mul(weight.value, 1 - decay)) }),
      );
      average.version++;
    }
  }

  /** Puts the average in the weights' place, and they in its; again: back. */
  exchange(): void {
    for (const { weight, average } of this.#pairs) weight.swap(average);
  }

  async read(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const { average } of this.#pairs) values.set(average.name, await average.read());
    return values;
  }

  assign(values: ReadonlyMap<string, Float32Array>): void {
    for (const { average } of this.#pairs) average.assign(values.get(average.name)!);
  }

  dispose(): void {
    for (const { average } of this.#pairs) average.dispose();
  }
}
