import type { FileStream, ReadOptions, ReadRangeOptions, Source, StreamFileOptions } from "@statespace/files";

/** Files beside the weights that a saved folder has again, byte for byte. `tokenizer.json` is the tokenizer's own to write. */
const KEPT: ReadonlySet<string> = new Set([
  "tokenizer_config.json",
  "generation_config.json",
  "chat_template.jinja",
  "chat_template.json",
]);

/** A source that remembers the small files that were read of it: each is asked for once, and can be written again. */
export class KeptFiles implements Source {
  readonly name: string;
  readonly #inner: Source;
  readonly #read: Map<string, Uint8Array | undefined> = new Map();

  constructor(inner: Source) {
    this.#inner = inner;
    this.name = inner.name;
  }

  /** What was read and is there, by name. */
  get files(): Record<string, Uint8Array> {
    const there = [...this.#read].filter((entry): entry is [string, Uint8Array] => entry[1] !== undefined);
    return Object.fromEntries(there);
  }

  size(file: string, options?: ReadOptions): Promise<number | null | undefined> {
    return this.#inner.size(file, options);
  }

  /** A small file is read whole; the limits that readers set for it are far above what it has. */
  async read(file: string, options: ReadRangeOptions = {}): Promise<Uint8Array | undefined> {
    if (!KEPT.has(file) || (options.start ?? 0) > 0) return this.#inner.read(file, options);
    if (!this.#read.has(file)) this.#read.set(file, await this.#inner.read(file, options));
    return this.#read.get(file)?.slice();
  }

  stream(file: string, options?: StreamFileOptions): Promise<FileStream | undefined> {
    return this.#inner.stream(file, options);
  }
}
