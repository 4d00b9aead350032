import { ArgumentError, keep, linear, mul, tensor, type Parameter, type Tensor } from "@statespace/core";
import { isDifferentiated, isRecordingGradients, type AnyBackend } from "@statespace/core/backend";
import { linearFrozen } from "@statespace/core/ops";
import type { JsonValue } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";

/** What a config may say of one projection of a layer, beside the layer's own settings. */
export interface ProjectionSettings {
  /** [rows, factor] of each part of what it makes, in order: what it makes is multiplied by them, as muP does. */
  readonly factors?: readonly (readonly [rows: number, factor: number])[];
  /** It has a bias, where that differs from the layer's settings. */
  readonly bias?: boolean;
}

/** Such settings by the projection's name: `{ in_proj: { factors: [[64, 0.5], [32, 2]] } }`. */
export type Projections = Readonly<Record<string, ProjectionSettings>>;

/** Reads `projections` of a layer's config. @throws FormatError naming the key. */
export function readProjections(fields: ConfigFields): Projections {
  const all = fields.object("projections");
  const read = Object.keys(all.json).map((name) => {
    const own = all.object(name);
    const factors = own.value("factors");
    if (factors !== undefined && !isFactors(factors)) throw own.error("factors", "must be a list of [rows, factor]");
    const settings: ProjectionSettings = {
      ...(factors === undefined ? {} : { factors }),
      ...(own.has("bias") ? { bias: own.boolean("bias", false) } : {}),
    };
    own.rejectUnknown();
    return [name, settings] as const;
  });
  return Object.fromEntries(read);
}

function isFactors(value: JsonValue): value is [number, number][] {
  const isPart = (part: JsonValue): boolean =>
    Array.isArray(part) && part.length === 2 && part.every((x) => Number.isFinite(x)) && isCount(part[0]);
  return Array.isArray(value) && value.length > 0 && value.every(isPart);
}

function isCount(rows: JsonValue | undefined): boolean {
  return typeof rows === "number" && Number.isInteger(rows) && rows > 0;
}

/** A factor for each of `rows` rows. @throws ArgumentError unless the parts add up to them. */
export function factorsByRow(
  factors: NonNullable<ProjectionSettings["factors"]>,
  rows: number,
  name: string,
): number[] {
  const values = factors.flatMap(([count, factor]) => Array<number>(count).fill(factor));
  if (values.length !== rows)
    throw new ArgumentError(`projections.${name}.factors: the parts must add up to ${rows} rows, got ${values.length}`);
  return values;
}

/** What changes a projection's output beside its weights, as an adapter does. */
export interface LinearAdapter {
  /** Whether its values went with their device. */
  readonly isLost?: boolean;
  /**
   * @param x what the projection takes, [..., inputs]
   * @param y what it makes of it, before its factors, [..., outputs]
   */
  apply(x: Tensor, y: Tensor): Tensor; // [..., outputs]
  /** Frees what it keeps beside its parameters. */
  release?(): void;
}

/** y = W x + b, times a factor a row where the config has factors: each projection of a mixer or an MLP is one of these. */
export class Linear {
  readonly weight: Parameter; // [outputs, inputs]
  readonly bias: Parameter | undefined; // [outputs]
  /** Set while an adapter is on. */
  adapter: LinearAdapter | undefined;
  /** While gradients are recorded, products with packed weights may round what they take to 8 bits, as they do otherwise. */
  rounded = false;
  readonly #factors: readonly number[] | undefined;
  #multiplier: Tensor | undefined;

  /** @param factors one a row */
  constructor(weight: Parameter, bias: Parameter | undefined, factors?: readonly number[]) {
    this.weight = weight;
    this.bias = bias;
    this.#factors = factors;
  }

  /** Weight and, where there is one, bias. */
  get parameters(): readonly Parameter[] {
    return this.bias === undefined ? [this.weight] : [this.weight, this.bias];
  }

  /** Where it computes. */
  get backend(): AnyBackend {
    return this.weight.backend;
  }

  /** @param x [..., inputs] @returns [..., outputs] */
  apply(x: Tensor): Tensor {
    const projected = this.#project(x);
    const y = this.adapter === undefined ? projected : this.adapter.apply(x, projected);
    return this.#factors === undefined ? y : mul(y, this.#multipliers(this.#factors));
  }

  /** Weights that get no gradient cost none, and may be packed. */
  #project(x: Tensor): Tensor {
    const inputs = { weight: this.weight.value, ...(this.bias && { bias: this.bias.value }) };
    if (isRecordingGradients() && !isDifferentiated(inputs))
      return linearFrozen({ x, ...inputs }, { rounded: this.rounded });
    return linear({ x, ...inputs }).y;
  }

  /** Kept between calls. */
  #multipliers(factors: readonly number[]): Tensor {
    const { backend } = this;
    if (this.#multiplier?.backend !== backend) {
      this.#multiplier?.dispose();
      this.#multiplier = keep(tensor(Float32Array.from(factors), [factors.length], { backend }));
    }
    return this.#multiplier;
  }

  /** Frees what it keeps beside its weights, which belong to the model. */
  dispose(): void {
    this.#multiplier?.dispose();
    this.#multiplier = undefined;
    this.adapter?.release?.();
  }
}
