/** What torch puts into names where a model was compiled or trained on several devices. */
const WRAPPERS = /(^|\.)(?:module|_orig_mod)\./g;
/** Segments at most that some program put before the names. */
const MOST_WRAPPERS = 3;

/**
 * Finds the names of a family's files in files that wrap them: compiled or parallel models (`module.`, `_orig_mod.`), a model inside of another
 * (`language_model.model...`), or the trunk alone, without the segments that the whole model has before it (`embed_tokens` for
 * `model.embed_tokens`).
 */
export class WrappedNames {
  readonly #known: (name: string) => string | undefined;
  readonly #roots: readonly string[];

  /**
   * @param known the canonical name of a name that the model has
   * @param embedding the name of its embedding: what stands before its last two segments is the trunk's
   */
  constructor(known: (name: string) => string | undefined, embedding: string) {
    this.#known = known;
    const trunk = embedding.split(".").slice(0, -2);
    this.#roots = trunk.map((_, i) => `${trunk.slice(0, i + 1).join(".")}.`);
  }

  /** A name without what torch puts into it. */
  static unwrapped(key: string): string {
    let name = key;
    for (let before = ""; before !== name;) {
      before = name;
      name = name.replaceAll(WRAPPERS, "$1");
    }
    return name;
  }

  /** The name that a tensor has in the family's files, if it is one of the model's. */
  find(key: string): string | undefined {
    const segments = WrappedNames.unwrapped(key).split(".");
    for (let dropped = 0; dropped <= Math.min(MOST_WRAPPERS, segments.length - 1); dropped++) {
      const rest = segments.slice(dropped).join(".");
      for (const root of ["", ...this.#roots]) {
        const found = this.#known(root + rest);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}
