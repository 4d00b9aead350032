import { ArgumentError } from "@statespace/core";

/**
 * Lets text through until a stop string is complete. Text that may be the beginning of a stop string is held back, and nothing of a complete one, or after it, ever passes.
 * Of several, the one completed first counts; of those completed together, the longest. How the text is cut into pieces makes no difference.
 */
export class StopFilter {
  readonly #stops: readonly string[];
  readonly #longest: number;
  #held = "";
  #found: string | undefined;

  /** Errors: {@link ArgumentError} if a stop string is empty or not well-formed Unicode. */
  constructor(stops: readonly string[]) {
    for (const stop of stops) {
      if (typeof stop !== "string" || stop === "" || /\p{Surrogate}/u.test(stop)) {
        throw new ArgumentError(`stop: must hold non-empty strings, got ${JSON.stringify(stop)}`);
      }
    }
    this.#stops = [...stops];
    this.#longest = Math.max(0, ...stops.map((stop) => stop.length));
  }

  /** The stop string that was met. */
  get found(): string | undefined {
    return this.#found;
  }

  /** Takes more text and returns what may be shown. */
  push(text: string): string {
    if (this.#found !== undefined) return "";
    const all = this.#held + text;
    const first = this.#firstStop(all);
    if (first !== undefined) {
      this.#found = first.stop;
      this.#held = "";
      return all.slice(0, first.end - first.stop.length);
    }
    const keep = this.#heldLength(all);
    this.#held = keep === 0 ? "" : all.slice(-keep);
    return all.slice(0, all.length - keep);
  }

  /** The text that was held back, now that no more can follow. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  #firstStop(text: string): { stop: string; end: number } | undefined {
    let first: { stop: string; end: number } | undefined;
    for (const stop of this.#stops) {
      const at = text.indexOf(stop);
      if (at < 0) continue;
      const end = at + stop.length;
      const earlier = first === undefined || end < first.end || (end === first.end && stop.length > first.stop.length);
      if (earlier) first = { stop, end };
    }
    return first;
  }

  /** Length of the longest tail that begins a stop string. */
  #heldLength(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const tail = text.slice(-length);
      if (this.#stops.some((stop) => stop.length > length && stop.startsWith(tail))) return length;
    }
    return 0;
  }
}
