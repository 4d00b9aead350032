import { FormatError } from "@statespace/core";

/** What `parseStrictJson` returns: JSON whose objects have no prototype. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** An object without a prototype, so that a key such as `__proto__` is data like any other. */
export type JsonObject = { [key: string]: JsonValue };

/** What to call the text, and what of it is accepted beyond the standard. */
export interface StrictJsonOptions {
  /** What is being parsed; begins every error message. */
  readonly what: string;
  /** Accept the bare words NaN, Infinity and -Infinity, which Python's `json` writes into config files. */
  readonly nonFinite?: boolean;
  /** Deepest nesting accepted; bounds the recursion, so that `[[[[...` cannot exhaust the stack. */
  readonly maxDepth?: number;
  /**
   * Told of a key that an object has twice, which is an error unless this is given. Where the two values are the same, that is the value; else whoever asks for it
   * gets the error, so that a file with such a key is read as long as nothing depends on it.
   */
  readonly repeated?: ((key: string) => void) | undefined;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const WHITESPACE = /[ \t\n\r]*/y;
/**
 * Parses JSON the way a file from a stranger should be parsed: duplicate keys (unless told), trailing text and deep nesting are errors, and objects have no prototype.
 * Errors: {@link FormatError} with the position.
 */
export function parseStrictJson(text: string, options: StrictJsonOptions): JsonValue {
  const parser = new Parser(text, options);
  const value = parser.value(0);
  parser.end();
  return value;
}

/** {@link parseStrictJson} for bytes that must be valid UTF-8. */
export function parseStrictJsonBytes(bytes: Uint8Array, options: StrictJsonOptions): JsonValue {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new FormatError(`${options.what}: must be UTF-8 text`);
  }
  return parseStrictJson(text, options);
}

/** Whether a value is an object, neither a list nor null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class Parser {
  readonly #text: string;
  readonly #what: string;
  readonly #nonFinite: boolean;
  readonly #maxDepth: number;
  readonly #repeated: ((key: string) => void) | undefined;
  #at = 0;

  constructor(text: string, options: StrictJsonOptions) {
    this.#text = text;
    this.#what = options.what;
    this.#nonFinite = options.nonFinite ?? false;
    this.#maxDepth = options.maxDepth ?? 64;
    this.#repeated = options.repeated;
  }

  value(depth: number): JsonValue {
    if (depth > this.#maxDepth) throw this.#error(`nesting must be at most ${this.#maxDepth} deep`);
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("text after the value");
  }

  #object(depth: number): JsonObject {
    const object = Object.create(null) as JsonObject;
    this.#at++;
    this.#space();
    if (this.#take("}")) return object;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error("expected a key");
      const key = this.#string();
      const twice = key in object ? this.#error(`key ${quote(key)} appears twice`) : undefined;
      if (twice !== undefined && this.#repeated === undefined) throw twice;
      this.#space();
      if (!this.#take(":")) throw this.#error('expected ":"');
      const value = this.value(depth + 1);
      if (twice === undefined) object[key] = value;
      else this.#repeat(object, key, value, twice);
      this.#space();
      if (this.#take("}")) return object;
      if (!this.#take(",")) throw this.#error('expected "," or "}"');
    }
  }

  /** A key that is there already: the same value, or none that anybody may use. */
  #repeat(object: JsonObject, key: string, value: JsonValue, error: FormatError): void {
    this.#repeated!(key);
    const before = Object.getOwnPropertyDescriptor(object, key)!;
    if ("value" in before && sameJson(before.value as JsonValue, value)) return;
    const get = (): never => {
      throw error;
    };
    Object.defineProperty(object, key, { get, enumerable: true, configurable: true });
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at++;
    this.#space();
    if (this.#take("]")) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      this.#space();
      if (this.#take("]")) return array;
      if (!this.#take(",")) throw this.#error('expected "," or "]"');
    }
  }

  #string(): string {
    const start = this.#at;
    let at = start + 1;
    // Scanned by hand: a pattern with alternatives can exhaust its stack on a very long string.
    for (; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) at++;
    }
    try {
      const text = JSON.parse(this.#text.slice(start, at + 1)) as string;
      this.#at = at + 1;
      return text;
    } catch {
      throw this.#error("not a valid string");
    }
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.#text)?.[0];
    if (literal !== undefined) {
      this.#at += literal.length;
      const number = Number(literal);
      if (!Number.isFinite(number)) throw this.#error(`number ${literal} does not fit a float64`);
      return number;
    }
    if (this.#nonFinite) {
      for (const [word, number] of [
        ["NaN", NaN],
        ["Infinity", Infinity],
        ["-Infinity", -Infinity],
      ] as const) {
        if (this.#text.startsWith(word, this.#at)) return this.#word(word, number);
      }
    }
    throw this.#error(this.#at >= this.#text.length ? "unexpected end of text" : "expected a value");
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error("expected a value");
    this.#at += word.length;
    return value;
  }

  #space(): void {
    WHITESPACE.lastIndex = this.#at;
    this.#at += WHITESPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #error(message: string): FormatError {
    return new FormatError(`${this.#what}: not valid JSON at character ${this.#at}: ${message}`);
  }
}

/** Whether two values are written the same; what has a key twice inside is like nothing. */
function sameJson(a: JsonValue, b: JsonValue): boolean {
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A string from a file as it may appear in a message: quoted, escaped, at most 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
