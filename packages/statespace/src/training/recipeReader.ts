import { FormatError } from "@statespace/core";

/** Bounds of a number, both allowed. */
interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Reads an object of a recipe key by key; every error names the key with its path (`model.hidden_size`), and a key that nobody asked
 * for is an error too, so that a misspelt setting does not pass in silence.
 */
export class RecipeReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #read = new Set<string>();

  /** @throws FormatError unless the value is an object. */
  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new FormatError(`recipe: ${path || "the file"} must be an object, got ${JSON.stringify(value)}`);
    this.#fields = value as Record<string, unknown>;
    this.#path = path;
  }

  has(key: string): boolean {
    this.#read.add(key);
    return this.#fields[key] !== undefined;
  }

  number(key: string, fallback: number | undefined, bounds?: Bounds): number;
  number(key: string, fallback: null, bounds?: Bounds): number | undefined;
  number(
    key: string,
    fallback: number | undefined | null,
    { min = -Infinity, max = Infinity }: Bounds = {},
  ): number | undefined {
    if (!this.has(key)) return this.#absent(key, fallback);
    const value = this.#fields[key];
    if (typeof value !== "number" || !(value >= min && value <= max))
      throw this.error(key, `must be a number${range(min, max)}`);
    return value;
  }

  integer(key: string, fallback: number | undefined, bounds?: Bounds): number;
  integer(key: string, fallback: null, bounds?: Bounds): number | undefined;
  integer(
    key: string,
    fallback: number | undefined | null,
    { min = 1, max = Number.MAX_SAFE_INTEGER }: Bounds = {},
  ): number | undefined {
    if (!this.has(key)) return this.#absent(key, fallback);
    const value = this.#fields[key];
    if (!Number.isSafeInteger(value) || !((value as number) >= min && (value as number) <= max))
      throw this.error(key, `must be an integer${range(min, max)}`);
    return value as number;
  }

  boolean(key: string, fallback: boolean): boolean {
    if (!this.has(key)) return fallback;
    const value = this.#fields[key];
    if (typeof value !== "boolean") throw this.error(key, "must be true or false");
    return value;
  }

  text(key: string, fallback?: string): string {
    if (!this.has(key) && fallback !== undefined) return fallback;
    const value = this.#fields[key];
    if (typeof value !== "string" || value === "") throw this.error(key, "must be a text");
    return value;
  }

  texts(key: string): string[] {
    this.has(key);
    const value = this.#fields[key];
    if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === "string" && item !== ""))
      throw this.error(key, "must be a list of texts");
    return value as string[];
  }

  choice<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.text(key, fallback);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.error(key, `must be one of ${choices.join(", ")}`);
    return found;
  }

  /** A nested object; an empty one where it is absent and `optional`. */
  object(key: string, optional = false): RecipeReader {
    return new RecipeReader(this.has(key) || !optional ? this.#fields[key] : {}, this.#at(key));
  }

  /** A nested object as it is, for someone else to check. */
  raw(key: string): Record<string, unknown> {
    this.object(key, true);
    return { ...(this.#fields[key] as Record<string, unknown> | undefined) };
  }

  /** @throws FormatError for keys that were not asked for. */
  end(): void {
    const unknown = Object.keys(this.#fields).find((key) => !this.#read.has(key));
    if (unknown !== undefined)
      throw new FormatError(
        `recipe: ${this.#at(unknown)} is not a setting; known are ${[...this.#read].sort().join(", ")}`,
      );
  }

  error(key: string, must: string): FormatError {
    return new FormatError(`recipe: ${this.#at(key)} ${must}, got ${JSON.stringify(this.#fields[key])}`);
  }

  #at(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }

  #absent(key: string, fallback: number | undefined | null): number | undefined {
    if (fallback === undefined) throw new FormatError(`recipe: ${this.#at(key)} is missing`);
    return fallback ?? undefined;
  }
}

function range(min: number, max: number): string {
  if (min === -Infinity && max === Infinity) return "";
  return max === Infinity || max === Number.MAX_SAFE_INTEGER ? ` >= ${min}` : ` in [${min}, ${max}]`;
}
