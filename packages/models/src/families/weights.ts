import { FormatError, type PackedFormat, type Parameter } from "@statespace/core";
import { quote, toFloat32Array, type RawTensor, type TensorEntry } from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { Family } from "./family.ts";
import { publishedName, publishedTensors, type PublishedTensor } from "./weightNames.ts";

/** Weights by name. */
export type NamedWeights = Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/**
 * Pairs the tensors of a file with a model's weights. A tied model may carry a copy of its head, which is passed over.
 * @throws FormatError naming the key that is missing, of another shape, unknown, or there twice.
 */
export function matchWeights(
  model: Model,
  family: Pick<Family, "name" | "weights" | "aliases">,
  entries: ReadonlyMap<string, Pick<TensorEntry, "shape">>,
): ReadonlyMap<string, PublishedTensor> {
  const { weights: rules, aliases = {} } = family;
  const written = new Map<string, string>();
  for (const key of entries.keys()) {
    const canonical = aliases[key] ?? key;
    const twin = written.get(canonical);
    if (twin !== undefined) throw new FormatError(`tensors ${quote(key)} and ${quote(twin)} are the same weight`);
    written.set(canonical, key);
  }
  const matched = new Map<string, PublishedTensor>();
  for (const target of publishedTensors(model, rules)) {
    const key = written.get(target.key);
    if (key === undefined) throw new FormatError(`tensor ${quote(target.key)} is missing`);
    const { shape } = entries.get(key)!;
    if (shape.join() !== target.shape.join())
      throw new FormatError(
        `tensor ${quote(key)}: shape must be [${target.shape.join(", ")}] by config.json, got [${shape.join(", ")}]`,
      );
    matched.set(key, target);
  }
  const { head } = model.resolved;
  const tied = head.kind === "language" && head.tie === true ? publishedName("head.weight", rules) : undefined;
  for (const [canonical, key] of written)
    if (!matched.has(key) && canonical !== tied)
      throw new FormatError(`tensor ${quote(key)} is not part of a ${family.name} model of this configuration`);
  return matched;
}

/** Puts the tensors of a file into a model, one at a time; those that make one weight together wait for each other. */
export class WeightLoader {
  readonly #model: Model;
  readonly #matched: ReadonlyMap<string, PublishedTensor>;
  readonly #format: PackedFormat | undefined;
  readonly #waiting = new Map<Parameter, { readonly values: Float32Array; rows: number }>();
  readonly #missing: Set<string>;

  constructor(model: Model, matched: ReadonlyMap<string, PublishedTensor>, format?: PackedFormat) {
    this.#model = model;
    this.#matched = matched;
    this.#format = format;
    this.#missing = new Set(matched.keys());
  }

  take(key: string, raw: RawTensor): void {
    const target = this.#matched.get(key);
    if (target === undefined) return;
    this.#missing.delete(key);
    const { parameter, rows } = target;
    const values = toFloat32Array(raw);
    if (rows.length === 1 && values.length === parameter.size) {
      this.#model.put(parameter, values, this.#format);
      return;
    }
    const whole = this.#waiting.get(parameter) ?? { values: new Float32Array(parameter.size), rows: 0 };
    scatter(whole.values, values, rows, rowSize(parameter));
    whole.rows += target.shape[0]!;
    this.#waiting.set(parameter, whole);
    if (whole.rows < parameter.shape[0]!) return;
    this.#waiting.delete(parameter);
    this.#model.put(parameter, whole.values, this.#format);
  }

  /** @throws FormatError for a tensor that did not come. */
  finish(): void {
    const [first] = this.#missing;
    if (first !== undefined) throw new FormatError(`tensor ${quote(first)} is missing`);
  }
}

const rowSize = ({ size, shape }: Parameter): number => size / shape[0]!;

function scatter(whole: Float32Array, values: Float32Array, rows: PublishedTensor["rows"], width: number): void {
  let at = 0;
  for (const [from, count] of rows) {
    whole.set(values.subarray(at * width, (at + count) * width), from * width);
    at += count;
  }
}

/** Values of a parameter (a weight, a gradient) as a family's file has them. */
export function publishedValues<A extends Float32Array | Float64Array>(
  { parameter, rows, shape }: PublishedTensor,
  values: A,
): A {
  const width = rowSize(parameter);
  const [[start, height]] = rows as [readonly [number, number]];
  if (rows.length === 1) return values.subarray(start * width, (start + height) * width) as A;
  const out = values.slice(0, shape[0]! * width) as A;
  let at = 0;
  for (const [from, count] of rows) {
    out.set(values.subarray(from * width, (from + count) * width), at * width);
    at += count;
  }
  return out;
}
