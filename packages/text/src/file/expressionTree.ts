/** A part of a regular expression, as far as the time that matching takes depends on it. */
export interface Part {
  /** The expression of one character, where it is one; several where it is a group. */
  readonly atom: string | undefined;
  /** What a group holds: alternatives, each a sequence. */
  readonly alternatives: readonly (readonly Part[])[] | undefined;
  /** It takes no characters: an anchor, a look around. */
  readonly empty: boolean;
  readonly min: number;
  /** Infinity without a bound. */
  readonly max: number;
}

/** A character or class: `a`, `.`, `\d`, `\p{L}`, `\u{1f600}`, `\x41`. Its text goes back into an expression of its own. */
const ESCAPE = /\\(?:[pP]\{[^}]*\}|[pP]\w|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|k<[^>]*>|[^])/uy;
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?/y;
const GROUP = /\((?:\?(?:<?[=!]|<[^>]*>|[a-zA-Z-]*:|>))?/y;

/**
 * The alternatives of an expression, in any of the dialects that tokenizers are written in; `undefined` for what is not understood, which
 * whoever runs it judges.
 */
export function parseExpression(source: string): readonly (readonly Part[])[] | undefined {
  const reader = new Reader(source);
  const alternatives = reader.alternatives(0);
  return reader.at === source.length ? alternatives : undefined;
}

/** More groups inside each other than any tokenizer has. */
const DEEPEST = 50;

class Reader {
  at = 0;
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  alternatives(depth: number): Part[][] | undefined {
    const found: Part[][] = [[]];
    while (this.at < this.#source.length && this.#source[this.at] !== ")") {
      if (this.#source[this.at] === "|") {
        this.at++;
        found.push([]);
        continue;
      }
      const part = this.#part(depth);
      if (part === undefined) return undefined;
      found.at(-1)?.push(part);
    }
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [text] = pattern.exec(this.#source) ?? [];
    if (text !== undefined) this.at += text.length;
    return text;
  }

  #part(depth: number): Part | undefined {
    const inside = this.#inside(depth);
    if (inside === undefined) return undefined;
    const quantifier = this.#take(QUANTIFIER);
    return { ...inside, ...bounds(quantifier) };
  }

  #inside(depth: number): Pick<Part, "atom" | "alternatives" | "empty"> | undefined {
    const first = this.#source[this.at] as string;
    if (first === "(") {
      if (depth === DEEPEST) return undefined;
      const opening = this.#take(GROUP) ?? "";
      const alternatives = this.alternatives(depth + 1);
      if (alternatives === undefined || this.#source[this.at] !== ")") return undefined;
      this.at++;
      return { atom: undefined, alternatives, empty: /^\(\?<?[=!]/.test(opening) };
    }
    if (first === "[") return this.#character(this.#class());
    if (first === "\\") {
      const escape = this.#take(ESCAPE);
      const anchor = escape !== undefined && /^\\[bBAzZG]$/.test(escape);
      return anchor ? { atom: undefined, alternatives: undefined, empty: true } : this.#character(escape);
    }
    this.at++;
    if (first === "^" || first === "$") return { atom: undefined, alternatives: undefined, empty: true };
    if ("*+?".includes(first)) return undefined;
    const low = this.#source.charCodeAt(this.at);
    if (/[\uD800-\uDBFF]/.test(first) && low >= 0xdc00 && low < 0xe000)
      return this.#character(first + this.#source[this.at++]);
    return this.#character(/[{}\]/-]/.test(first) ? `\\${first}` : first);
  }

  #character(atom: string | undefined): Pick<Part, "atom" | "alternatives" | "empty"> | undefined {
    return atom === undefined ? undefined : { atom, alternatives: undefined, empty: false };
  }

  /** A class, which may hold others (`[a[bc]]`, `[a&&[^b]]`). */
  #class(): string | undefined {
    const from = this.at;
    let depth = 0;
    for (; this.at < this.#source.length; this.at++) {
      const letter = this.#source[this.at];
      if (letter === "\\") this.at++;
      else if (letter === "[") depth++;
      // A bracket that comes first is one of the characters.
      else if (letter === "]" && !/\[\^?$/.test(this.#source.slice(from, this.at)) && --depth === 0)
        return this.#source.slice(from, ++this.at);
    }
    return undefined;
  }
}

function bounds(quantifier: string | undefined): { min: number; max: number } {
  if (quantifier === undefined) return { min: 1, max: 1 };
  if (quantifier.startsWith("*")) return { min: 0, max: Infinity };
  if (quantifier.startsWith("+")) return { min: 1, max: Infinity };
  if (quantifier.startsWith("?")) return { min: 0, max: 1 };
  const [, least, comma, most] = /^\{(\d+)(,?)(\d*)/.exec(quantifier) as unknown as [string, string, string, string];
  return { min: Number(least), max: comma === "" ? Number(least) : most === "" ? Infinity : Number(most) };
}
