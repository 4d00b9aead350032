import { Parameter, tensor, zeros, type BackendChoice, type ParameterOptions, type Rng } from "@statespace/core";

/** Initial values of a parameter. */
export type Initializer = (shape: readonly number[], rng: Rng) => Float32Array;

/** What all builders of one model share. */
interface Shared {
  readonly rng: Rng | undefined;
  readonly additions: number;
  readonly backend: BackendChoice | undefined;
  readonly made: Parameter[];
}

/**
 * Makes a model's parameters under their names. With a generator they get initial values;
 * without one they start as zeros on the device, for a loader to fill, so that weights are in memory once.
 */
export class ParameterBuilder {
  #shared: Shared;
  #prefix: string;

  /**
   * @param additions how often the stack adds to its residual stream, for `ontoResidual`; 0 leaves its projections unscaled
   * @param backend where the parameters are made; by default the backend that is set
   */
  constructor(rng: Rng | undefined, additions = 0, backend?: BackendChoice) {
    this.#shared = { rng, additions, backend, made: [] };
    this.#prefix = "";
  }

  static #under(shared: Shared, prefix: string): ParameterBuilder {
    const builder = new ParameterBuilder(undefined);
    builder.#shared = shared;
    builder.#prefix = prefix;
    return builder;
  }

  /** True when parameters get initial values, false when a loader will fill them. */
  get draws(): boolean {
    return this.#shared.rng !== undefined;
  }

  /** The same parameters under a longer prefix. */
  within(name: string): ParameterBuilder {
    return ParameterBuilder.#under(this.#shared, `${this.#prefix}${name}.`);
  }

  make(name: string, shape: readonly number[], init: Initializer, options?: ParameterOptions): Parameter {
    const { rng, backend, made } = this.#shared;
    const value = rng === undefined ? zeros(shape, { backend }) : tensor(init(shape, rng), shape, { backend });
    const parameter = new Parameter(`${this.#prefix}${name}`, value, options);
    made.push(parameter);
    return parameter;
  }

  /** Initial values of a projection onto the residual stream: divided by the root of how often that is added to, as GPT-2 does. */
  ontoResidual(init: Initializer): Initializer {
    const { additions } = this.#shared;
    return additions > 0 ? (shape, rng) => init(shape, rng).map((value) => value / Math.sqrt(additions)) : init;
  }

  /** Everything made so far, in order. */
  get parameters(): readonly Parameter[] {
    return this.#shared.made;
  }
}
