import { Parameter, tensor, zeros, type ParameterOptions, type Rng } from "@statespace/core";

/** Initial values of a parameter. */
export type Initializer = (shape: readonly number[], rng: Rng) => Float32Array;

/**
 * Makes a model's parameters under their checkpoint names. With a generator they get initial values;
 * without one they start as zeros on the device, for a loader to fill, so that weights are in memory once.
 */
export class ParameterBuilder {
  readonly #rng: Rng | undefined;
  readonly #prefix: string;
  readonly #made: Parameter[];

  constructor(rng: Rng | undefined, prefix = "", made: Parameter[] = []) {
    this.#rng = rng;
    this.#prefix = prefix;
    this.#made = made;
  }

  /** True when parameters get initial values, false when a loader will fill them. */
  get draws(): boolean {
    return this.#rng !== undefined;
  }

  /** The same parameters under a longer prefix. */
  within(name: string): ParameterBuilder {
    return new ParameterBuilder(this.#rng, `${this.#prefix}${name}.`, this.#made);
  }

  make(name: string, shape: readonly number[], init: Initializer, options?: ParameterOptions): Parameter {
    const value = this.#rng === undefined ? zeros(shape) : tensor(init(shape, this.#rng), shape);
    const parameter = new Parameter(`${this.#prefix}${name}`, value, options);
    this.#made.push(parameter);
    return parameter;
  }

  /** Everything made so far, in order. */
  get parameters(): readonly Parameter[] {
    return this.#made;
  }
}
