import { ArgumentError, Parameter, tensor, type ParameterOptions, type Rng, type Tensor } from "@statespace/core";
import { type BackendChoice } from "@statespace/core/backend";
import { AddedLinear, type LowRank } from "./addedLinear.ts";
import { constant, kaimingUniform, type Initializer } from "./initializers.ts";
import { Derived } from "./derived.ts";
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

/** What one use of a shared projection adds to it: a low-rank projection of all its rows, or one of each of its parts, which must be all it has. */
export interface Addition {
  readonly rank: number;
  readonly parts?: readonly string[];
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
  readonly derived: Derived[];
}

/**
 * Makes a model's parameters under their names: the one place that says which there are, of what shapes. With a generator they get
 * initial values; without one they take no memory until a loader brings their values.
 */
export class ParameterBuilder {
  #shared: Shared;
  #prefix = "";
  #projections: Projections = {};
  /** Which use of shared parameters this builds: what was made is then not made again. */
  #use: number | undefined;
  #additions: Readonly<Record<string, Addition>> = {};
  /** Those made under this prefix. */
  readonly #made: string[] = [];

  /**
   * @param additions how often the stack adds to its residual stream, for `ontoResidual`; 0 leaves its projections unscaled
   * @param backend where the parameters are made; by default the backend that is set
   */
  constructor(rng: Rng | undefined, additions = 0, backend?: BackendChoice) {
    this.#shared = {
      rng,
      additions,
      backend,
      made: [],
      matrices: new Set(),
      parts: new Map(),
      linears: new Map(),
      derived: [],
    };
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
    inner.#use = this.#use;
    inner.#additions = this.#additions;
    return inner;
  }

  /** Parameters that several layers share: those that an earlier use made under this name are given again. @param use its number */
  shared(name: string, use: number): ParameterBuilder {
    const inner = this.within(name);
    inner.#use = use;
    return inner;
  }

  /** The same, but projections of these names get additions of this use. */
  adding(additions: Readonly<Record<string, Addition>>): ParameterBuilder {
    const inner = this.within("");
    inner.#prefix = this.#prefix;
    inner.#additions = additions;
    return inner;
  }

  make(name: string, shape: readonly number[], init: Initializer, { parts, ...options }: MakeOptions = {}): Parameter {
    const { rng, backend, made } = this.#shared;
    const before = this.#use === undefined ? undefined : this.#madeBefore(name, shape);
    if (before !== undefined) return before;
    const value = rng === undefined ? shape : tensor(init(shape, rng), shape, { backend });
    const parameter = new Parameter(`${this.#prefix}${name}`, value, { ...options, backend });
    if (parts !== undefined) this.#shared.parts.set(parameter, parts);
    made.push(parameter);
    return parameter;
  }

  /** @throws ArgumentError for another use of it with another shape. */
  #madeBefore(name: string, shape: readonly number[]): Parameter | undefined {
    const full = `${this.#prefix}${name}`;
    const found = this.#shared.made.find((parameter) => parameter.name === full);
    if (found !== undefined && found.shape.join() !== shape.join())
      throw new ArgumentError(
        `${full}: layers that share it must have the same settings, got [${found.shape.join(", ")}] and [${shape.join(", ")}]`,
      );
    return found;
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
    const base = this.#linear(name, shape, init, options);
    const addition = this.#additions[name];
    if (addition === undefined) return base;
    const parts = addition.parts ?? [undefined];
    const additions = parts.map((part) => this.#lowRank(name, shape, addition.rank, options.parts ?? {}, part));
    const rows = additions.reduce((total, { up }) => total + up.weight.shape[0]!, 0);
    if (rows !== shape[0])
      throw new ArgumentError(`${this.#prefix}${name}: additions must be of all ${shape[0]} rows, got ${rows}`);
    return new AddedLinear(base, additions);
  }

  #linear(name: string, shape: readonly [number, number], init: Initializer, options: LinearOptions = {}): Linear {
    const { factors, bias } = this.#projections[name] ?? {};
    this.#made.push(name);
    if (bias !== undefined && options.bias === undefined)
      throw new ArgumentError(`projections.${name}.bias: the layer looks after this bias itself`);
    const parts = options.parts === undefined ? {} : { parts: options.parts };
    const weight = this.matrix(`${name}.weight`, shape, init, parts);
    const before = this.#use === undefined ? undefined : this.#shared.linears.get(`${this.#prefix}${name}`);
    if (before !== undefined) return before;
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

  /** The addition of this use to all rows of a projection, or to one part of them. It starts as nothing. */
  #lowRank(
    name: string,
    [outputs, inputs]: readonly [number, number],
    rank: number,
    parts: Parts,
    part: string | undefined,
  ): LowRank {
    const own = `${name}.added.${this.#use}${part === undefined ? "" : `.${part}`}`;
    const size = part === undefined ? outputs : (parts[part] ?? 0);
    const rows = typeof size === "number" ? size : size.rows;
    return {
      down: this.#linear(`${own}.down`, [rank, inputs], kaimingUniform(inputs)),
      up: this.#linear(`${own}.up`, [rows, rank], constant(0), part === undefined ? { parts } : {}),
    };
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

  /** A tensor computed from a parameter and kept for inference, which the model frees. */
  derived(parameter: Parameter, compute: (value: Tensor) => Tensor): Derived {
    const made = new Derived(parameter, compute);
    this.#shared.derived.push(made);
    return made;
  }

  /** What `derived` made. */
  get allDerived(): readonly Derived[] {
    return this.#shared.derived;
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
