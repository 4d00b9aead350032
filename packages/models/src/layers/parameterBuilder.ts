import { ArgumentError, Parameter, tensor, type ParameterOptions, type Rng } from "@statespace/core";
import { type BackendChoice } from "@statespace/core/backend";
import { constant, type Initializer } from "./initializers.ts";
import { factorsByRow, Linear, type Projections } from "./linear.ts";

/**
 * Rows of one part of a parameter; where other files may interleave it with others, also the number of equal blocks (heads) it has.
 * `every`: where the weight itself has its parts in turns, as one of several experts has, rows from one of its blocks to the next.
 */
export type PartRows = number | { readonly rows: number; readonly blocks: number; readonly every?: number };

/** Rows of a parameter by the name of what they make, in order: `{ q: 64, k: 32, v: 32 }`. Other files may keep them apart. */
export type Parts = Readonly<Record<string, PartRows>>;

/** How a parameter is made. */
export interface MakeOptions extends ParameterOptions {
  readonly parts?: Parts;
}

/** How a projection is made. */
export interface LinearOptions {
  /** It has a bias; told apart from none, so that the config may say otherwise. */
  readonly bias?: boolean;
  /** Initial values of the bias; zeros unless told. */
  readonly biasInit?: Initializer;
  readonly parts?: Parts;
}

/** What all builders of one model share. */
interface Shared {
  readonly rng: Rng | undefined;
  readonly additions: number;
  readonly backend: BackendChoice | undefined;
  readonly made: Parameter[];
  readonly matrices: Set<Parameter>;
  readonly parts: Map<Parameter, Parts>;
  readonly linears: Map<string, Linear>;
}

/**
 * Makes a model's parameters under their names: the one place that says which there are, of what shapes. With a generator they get
 * initial values; without one they take no memory until a loader brings their values.
 */
export class ParameterBuilder {
  #shared: Shared;
  #prefix = "";
  #projections: Projections = {};
  /** Those made under this prefix. */
  readonly #made: string[] = [];

  /**
   * @param additions how often the stack adds to its residual stream, for `ontoResidual`; 0 leaves its projections unscaled
   * @param backend where the parameters are made; by default the backend that is set
   */
  constructor(rng: Rng | undefined, additions = 0, backend?: BackendChoice) {
    this.#shared = { rng, additions, backend, made: [], matrices: new Set(), parts: new Map(), linears: new Map() };
  }

  /** True when parameters get initial values, false when a loader will fill them. */
  get draws(): boolean {
    return this.#shared.rng !== undefined;
  }

  /** The same parameters under a longer prefix. @param projections what the config says of the projections there */
  within(name: string, projections: Projections = {}): ParameterBuilder {
    const inner = new ParameterBuilder(undefined);
    inner.#shared = this.#shared;
    inner.#prefix = `${this.#prefix}${name}.`;
    inner.#projections = projections;
    return inner;
  }

  make(name: string, shape: readonly number[], init: Initializer, { parts, ...options }: MakeOptions = {}): Parameter {
    const { rng, backend, made } = this.#shared;
    const value = rng === undefined ? shape : tensor(init(shape, rng), shape, { backend });
    const parameter = new Parameter(`${this.#prefix}${name}`, value, { ...options, backend });
    if (parts !== undefined) this.#shared.parts.set(parameter, parts);
    made.push(parameter);
    return parameter;
  }

  /** A parameter that only `linear`, `expertLinear` and `embedding` read, which take it packed too. */
  matrix(name: string, shape: readonly number[], init: Initializer, options?: MakeOptions): Parameter {
    const parameter = this.make(name, shape, init, options);
    this.#shared.matrices.add(parameter);
    return parameter;
  }

  /**
   * A projection with its parameters, `NAME.weight` and perhaps `NAME.bias`.
   * @throws ArgumentError where the config wants factors or a bias that do not fit it.
   */
  linear(name: string, shape: readonly [number, number], init: Initializer, options: LinearOptions = {}): Linear {
    const { factors, bias } = this.#projections[name] ?? {};
    this.#made.push(name);
    if (bias !== undefined && options.bias === undefined)
      throw new ArgumentError(`projections.${name}.bias: the layer looks after this bias itself`);
    const parts = options.parts === undefined ? {} : { parts: options.parts };
    const weight = this.matrix(`${name}.weight`, shape, init, parts);
    const linear = new Linear(
      weight,
      (bias ?? options.bias)
        ? this.make(`${name}.bias`, [shape[0]], options.biasInit ?? constant(0), { decay: false, ...parts })
        : undefined,
      factors && factorsByRow(factors, shape[0], name),
    );
    this.#shared.linears.set(`${this.#prefix}${name}`, linear);
    return linear;
  }

  /** @throws ArgumentError where the config tells of a projection that was not made. */
  expectProjectionsMade(): void {
    for (const name of Object.keys(this.#projections))
      if (!this.#made.includes(name))
        throw new ArgumentError(
          `projections.${name}: the layer has no such projection; it has ${this.#made.join(", ") || "none"}`,
        );
  }

  /** Initial values of a projection onto the residual stream: divided by the root of how often that is added to, as GPT-2 does. */
  ontoResidual(init: Initializer): Initializer {
    const { additions } = this.#shared;
    return additions > 0 ? (shape, rng) => init(shape, rng).map((value) => value / Math.sqrt(additions)) : init;
  }

  /** Runs the making of a model, or of nothing: what was made is freed when it throws. */
  whole<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      for (const parameter of this.#shared.made) parameter.dispose();
      throw error;
    }
  }

  /** Everything made so far, in order. */
  get parameters(): readonly Parameter[] {
    return this.#shared.made;
  }

  /** Those that may be packed. */
  get matrices(): ReadonlySet<Parameter> {
    return this.#shared.matrices;
  }

  /** Every projection by its name: that of its weight without `.weight`. */
  get linears(): ReadonlyMap<string, Linear> {
    return this.#shared.linears;
  }

  /** The parts of those that have any. */
  get parts(): ReadonlyMap<Parameter, Parts> {
    return this.#shared.parts;
  }
}
