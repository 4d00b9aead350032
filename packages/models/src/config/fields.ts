import { FormatError, type StatespaceError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";
import { isJsonObject, type JsonObject, type JsonValue, quote } from "@statespace/files";

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** The minimum itself is out of range. */
  readonly above?: boolean;
}

/** Largest size of one axis: products of three of them stay exact, and int32 indexing holds. */
const MAX_SIZE = 2 ** 24;

/** Whose fields these are, as an error begins, and the kind of error: a file's (FormatError) unless told. */
export interface FieldsOwner {
  readonly what: string;
  error(message: string): StatespaceError;
}

const CONFIG_FILE: FieldsOwner = { what: "config", error: (message) => new FormatError(message) };

/**
 * Reads the fields of one object of a config file, each with its range, its default and its name in the error.
 * A field that is absent or `null` takes the default, as Hugging Face's loaders do.
 * Errors: {@link FormatError} such as `config: hidden_size must be a whole number in 1..16777216, got -3`.
 */
export class ConfigFields {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #owner: FieldsOwner;
  readonly #read = new Set<string>();
  /** What was read otherwise than it is written, in a line each; of the objects inside too. */
  readonly notes: string[];

  constructor(object: JsonObject, path = "", owner: FieldsOwner = CONFIG_FILE, notes: string[] = []) {
    this.notes = notes;
    this.#object = object;
    this.#path = path;
    this.#owner = owner;
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  /** The object that is read, as it is. */
  get json(): JsonObject {
    return this.#object;
  }

  /** A field as it is, for a reader of its own. */
  value(key: string): JsonValue | undefined {
    return this.#get(key);
  }

  isObject(key: string): boolean {
    return isJsonObject(this.#get(key));
  }

  /** Whether the field holds exactly this. */
  is(key: string, value: JsonValue): boolean {
    return this.#get(key) === value;
  }

  integer(key: string, fallback: number | undefined, { min = 1, max = MAX_SIZE }: NumberRange = {}): number {
    const value = this.#get(key) ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.error(key, `must be a whole number in ${min}..${max}`);
  }

  number(
    key: string,
    fallback: number | undefined,
    { min = -Infinity, max = Infinity, above = false }: NumberRange = {},
  ): number {
    const written = this.#get(key);
    const value = written === undefined ? fallback : toNumber(written);
    if (value !== undefined && value >= min && value <= max && !(above && value === min)) return value;
    throw this.error(key, `must be a number in ${above ? "above " : ""}${min}..${max}`);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#get(key) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.error(key, "must be true or false");
  }

  choice<T extends string>(key: string, choices: readonly T[], fallback: T): T {
    const value = this.#get(key) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.error(key, `must be one of ${choices.map((choice) => quote(choice)).join(", ")}`);
  }

  /** A list of names; so many of the fallback where it is absent. */
  choices<T extends string>(key: string, choices: readonly T[], fallback: T, length: number): readonly T[] {
    const value = this.#get(key);
    if (value === undefined) return Array<T>(length).fill(fallback);
    const listed = Array.isArray(value) && value.length >= 1 && value.length <= 4096 ? value : [null];
    if (listed.every((item) => choices.includes(item as T))) return listed as T[];
    throw this.error(key, `must be a list of ${choices.map((choice) => quote(choice)).join(", ")}`);
  }

  /** A token id, or null where the model has none. An id that no token can have (old files hold -1) is refused. */
  tokenId(key: string, fallback: number | null, vocabSize: number): number | null {
    // Unlike other fields, a null written out means "none", not the default.
    if (this.#object[key] === null) return this.#mark(key, null);
    if (!this.has(key)) return fallback;
    return this.integer(key, undefined, { min: 0, max: vocabSize - 1 });
  }

  /** The id of padding, which changes nothing that a model computes: one that no token can have is none, and noted. */
  padId(key: string, fallback: number | null, vocabSize: number): number | null {
    const value = this.#get(key);
    const outside = typeof value === "number" && Number.isInteger(value) && (value < 0 || value >= vocabSize);
    if (!outside) return this.tokenId(key, fallback, vocabSize);
    this.notes.push(`${this.#path}${key} = ${value} is no token: the model has none for padding`);
    return null;
  }

  /** One id, a list of ids, or null. */
  tokenIds(key: string, fallback: number | null, vocabSize: number): readonly number[] {
    const value = this.#get(key);
    if (Array.isArray(value)) return this.integers(key, [], { min: 0, max: vocabSize - 1 });
    const id = this.tokenId(key, fallback, vocabSize);
    return id === null ? [] : [id];
  }

  integers(key: string, fallback: readonly number[], { min = 0, max = MAX_SIZE }: NumberRange = {}): readonly number[] {
    const value = this.#get(key) ?? [...fallback];
    const ok =
      Array.isArray(value) &&
      value.length <= 4096 &&
      value.every((item) => typeof item === "number" && Number.isInteger(item) && item >= min && item <= max);
    if (ok) return value as number[];
    throw this.error(key, `must be a list of whole numbers in ${min}..${max}`);
  }

  /** Two ascending numbers; infinite ends may be written `Infinity` or `{"__float__": "Infinity"}`. */
  interval(
    key: string,
    fallback: readonly [number, number],
    { min = -Infinity, max = Infinity }: NumberRange = {},
  ): readonly [number, number] {
    const value = this.#get(key);
    if (value === undefined) return fallback;
    const ends = Array.isArray(value) ? value.map(toNumber) : [];
    const [low, high] = ends;
    if (ends.length === 2 && low !== undefined && high !== undefined && low >= min && high <= max && low <= high)
      return [low, high];
    throw this.error(key, `must be [low, high] with ${min} <= low <= high <= ${max}`);
  }

  /** A list of so many numbers. */
  numbers(key: string, fallback: readonly number[] | undefined, length: number): readonly number[] {
    const value = this.#get(key) ?? fallback;
    const items = Array.isArray(value) ? (value as readonly JsonValue[]).map(toNumber) : [];
    if (items.length === length && items.every((item) => item !== undefined && Number.isFinite(item)))
      return items as number[];
    throw this.error(key, `must be a list of ${length} numbers`);
  }

  object(key: string): ConfigFields {
    const value = this.#get(key);
    if (value === undefined) return new ConfigFields({}, `${this.#path}${key}.`, this.#owner, this.notes);
    if (!isJsonObject(value)) throw this.error(key, "must be an object");
    return new ConfigFields(value, `${this.#path}${key}.`, this.#owner, this.notes);
  }

  /** Notes keys that are known and of no consequence here. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  /** Errors: {@link FormatError} naming the first key that nobody read: it may change what the model computes. */
  rejectUnknown(): void {
    for (const key of Object.keys(this.#object)) {
      if (this.#read.has(key)) continue;
      const near = nearestName(key, this.#read);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      throw this.#owner.error(`${this.#owner.what}: ${this.#path}${key} is not a known setting${hint}`);
    }
  }

  error(key: string, must: string): StatespaceError {
    const value = this.#object[key];
    const got = value === undefined ? "nothing" : describe(value);
    return this.#owner.error(`${this.#owner.what}: ${this.#path}${key} ${must}, got ${got}`);
  }

  #get(key: string): JsonValue | undefined {
    this.#read.add(key);
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  #mark<T>(key: string, value: T): T {
    this.#read.add(key);
    return value;
  }
}

/** A JSON number or transformers' spelling of one that JSON lacks; NaN is no number. */
function toNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value;
  if (!isJsonObject(value)) return undefined;
  if (value.__float__ === "Infinity") return Infinity;
  return value.__float__ === "-Infinity" ? -Infinity : undefined;
}

function describe(value: JsonValue): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return quote(JSON.stringify(value)).replace(/^"|"$/g, "");
}
