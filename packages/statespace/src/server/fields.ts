import { ApiError } from "./apiError.ts";

/** Plain JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** Reads fields of a request, and refuses what is out of its range or not known. */
export class RequestFields {
  readonly #json: Json;
  readonly #read = new Set<string>();

  /** @throws ApiError unless it is an object. */
  constructor(json: unknown) {
    if (typeof json !== "object" || json === null || Array.isArray(json))
      throw new ApiError(400, "the body must be a JSON object");
    this.#json = json as Json;
  }

  /** A field, undefined where it is absent or null. */
  raw(name: string): unknown {
    this.#read.add(name);
    return this.#json[name] ?? undefined;
  }

  /** @throws ApiError naming the field. */
  wrong(name: string, must: string): never {
    throw new ApiError(400, `${name} must be ${must}`, { param: name });
  }

  number(name: string, min: number, max: number): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !(value >= min && value <= max)) this.wrong(name, `a number in [${min}, ${max}]`);
    return value as number;
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.number(name, min, max);
    if (value !== undefined && !Number.isSafeInteger(value)) this.wrong(name, `a whole number in [${min}, ${max}]`);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== "boolean") this.wrong(name, "true or false");
    return value as boolean | undefined;
  }

  string(name: string): string | undefined {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== "string") this.wrong(name, "a string");
    return value as string | undefined;
  }

  object(name: string): Json | undefined {
    const value = this.raw(name);
    if (value !== undefined && (typeof value !== "object" || Array.isArray(value))) this.wrong(name, "an object");
    return value as Json | undefined;
  }

  /** @throws ApiError for a field that nobody asked for and that is not null. */
  refuseOthers(passedOver: readonly string[]): void {
    const unknown = Object.keys(this.#json).find(
      (name) => !this.#read.has(name) && !passedOver.includes(name) && this.#json[name] !== null,
    );
    if (unknown !== undefined)
      throw new ApiError(400, `unknown field ${JSON.stringify(unknown.slice(0, 100))}`, {
        param: unknown.slice(0, 100),
        code: "unknown_field",
      });
  }
}
