import type { Model } from "@statespace/models";

/** A copy of a model's trained weights in memory: those of the lowest loss so far. */
export class KeptWeights {
  readonly #model: Model;
  #values: Map<string, Float32Array> | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  async take(): Promise<void> {
    const values = new Map<string, Float32Array>();
    for (const parameter of this.#model.parameters)
      if (parameter.trainable) values.set(parameter.name, await parameter.read());
    this.#values = values;
  }

  /** Puts them back, if any were taken. */
  restore(): void {
    for (const parameter of this.#model.parameters) {
      const values = this.#values?.get(parameter.name);
      if (values !== undefined) parameter.assign(values);
    }
  }
}
