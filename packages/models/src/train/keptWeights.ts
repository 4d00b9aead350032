import type { Parameter } from "@statespace/core";

/** A copy of trained weights in memory: those of the lowest loss so far. */
export class KeptWeights {
  readonly #parameters: readonly Parameter[];
  values: ReadonlyMap<string, Float32Array> | undefined;

  constructor(parameters: readonly Parameter[]) {
    this.#parameters = parameters.filter(({ trainable }) => trainable);
  }

  async take(): Promise<void> {
    const values = new Map<string, Float32Array>();
    for (const parameter of this.#parameters) values.set(parameter.name, await parameter.read());
    this.values = values;
  }

  /** Puts them back, if any were taken. */
  restore(): void {
    for (const parameter of this.#parameters) {
      const values = this.values?.get(parameter.name);
      if (values !== undefined) parameter.assign(values);
    }
  }
}
