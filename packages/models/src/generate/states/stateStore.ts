import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { isNode } from "@statespace/files";
import type { Model } from "../../model/model.ts";
import { PREFILL_CHUNK } from "../promptReader.ts";
import type { Standing } from "../places.ts";
import { folderShelf } from "./folderShelf.ts";
import { hashText } from "./hash.ts";
import { identityOf } from "./identity.ts";
import { headOf, joinKept, readKept, readSince, standingOf, writeKept, type KeptHead } from "./keptState.ts";
import { pageShelf } from "./pageShelf.ts";
import { isPlainReading, wentThrough, type Pieces } from "./pieces.ts";
import { memoryShelf, type StateShelf } from "./stateShelf.ts";

/** Options of a `StateStore`. */
export interface StateStoreOptions {
  /** Memory or disk that it may take; default 256 MiB. What was used least lately goes first. */
  readonly bytes?: number;
  /** A state is kept after every so many tokens, and where reading and saying end; default 512. Of texts that are read, multiples of the session's `prefillChunk` alone. */
  readonly every?: number;
  /** Where the states are kept; default memory. */
  readonly shelf?: StateShelf;
}

/** What a `StateStore` holds and did. */
export interface StateStoreStats {
  readonly states: number;
  readonly bytes: number;
  /** Texts of which some beginning was found, and of which none was. */
  readonly hits: number;
  readonly misses: number;
  /** Tokens that need not be read again. */
  readonly reusedTokens: number;
  /** Why nothing is kept any more, such as a full disk. */
  readonly failure: string | undefined;
}

/** A place in a text. */
export interface StoredPlace {
  readonly tokens: readonly number[];
  readonly pieces: Pieces;
}

/** A kept state that a text begins with. */
export interface FoundState extends Standing, StoredPlace {}

interface Kept {
  readonly name: string;
  head: KeptHead;
  bytes: number;
  /** All tokens up to here. */
  readonly length: number;
  parent: Kept | undefined;
  readonly children: Set<Kept>;
  used: number;
}

const OPTIONS = ["bytes", "every", "shelf"];

/**
 * States of texts that were read and said, so that a text that begins as another did need not be read again: of several models, over
 * all their sessions (see the option `store` of `Session`). The longest beginning is found by its tokens. What is found is the state
 * that the other session had there, bit for bit; states of another model, of other weights, or of a backend that rounds otherwise are
 * never found.
 */
export class StateStore {
  readonly every: number;
  readonly #budget: number;
  readonly #shelf: StateShelf;
  readonly #kept = new Map<string, Kept>();
  /** First states of texts, by model. */
  readonly #roots = new Map<string, Set<Kept>>();
  #bytes = 0;
  #clock = 0;
  #hits = 0;
  #misses = 0;
  #reused = 0;
  #failure: string | undefined;
  /** What was begun last: one thing after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws ArgumentError naming the option that is unknown or out of range. */
  constructor(options: StateStoreOptions = {}) {
    refuseUnknown("StateStore", options, OPTIONS, { maxBytes: "bytes", budget: "bytes" });
    const { bytes = 2 ** 28, every = PREFILL_CHUNK, shelf = memoryShelf() } = options;
    if (!(bytes > 0)) throw new ArgumentError(`StateStore: bytes must be a number > 0, got ${bytes}`);
    if (!Number.isSafeInteger(every) || every < 1)
      throw new ArgumentError(`StateStore: every must be a whole number >= 1, got ${every}`);
    this.every = every;
    this.#budget = bytes;
    this.#shelf = shelf;
  }

  /**
   * A store in a folder (Node) or in the page's private file system under a name; what was kept there is found again. Files that are
   * damaged or of another version are removed.
   */
  static async open(where: string, options: Omit<StateStoreOptions, "shelf"> = {}): Promise<StateStore> {
    const store = new StateStore({ ...options, shelf: isNode() ? folderShelf(where) : await pageShelf(where) });
    await store.#alone(() => store.#load());
    return store;
  }

  get stats(): StateStoreStats {
    return {
      states: this.#kept.size,
      bytes: this.#bytes,
      hits: this.#hits,
      misses: this.#misses,
      reusedTokens: this.#reused,
      failure: this.#failure,
    };
  }

  /**
   * The state after the longest beginning of `tokens` that is kept, as tensors of the caller's own.
   * @param chunk only states that reading `tokens` anew, in pieces of so many, would give bit for bit
   */
  async find(model: Model, tokens: ArrayLike<number>, chunk?: number): Promise<FoundState | undefined> {
    const key = keyOf(await identityOf(model));
    return this.#alone(async () => {
      for (;;) {
        const best = this.#longest(key, tokens, chunk);
        if (best === undefined) {
          this.#misses++;
          return undefined;
        }
        const found = await this.#open(best, model);
        if (found === undefined) continue; // It is gone or damaged, and no longer listed.
        this.#hits++;
        this.#reused += best.length;
        best.used = ++this.#clock;
        return found;
      }
    });
  }

  /** Keeps the state of a session's text; left as it is. It must not change meanwhile. */
  async add(model: Model, standing: Standing, { tokens, pieces }: StoredPlace): Promise<void> {
    if (this.#failure !== undefined) return;
    const key = keyOf(await identityOf(model));
    await this.#alone(async () => {
      const name = hashText(JSON.stringify([key, pieces, tokens]));
      const had = this.#kept.get(name);
      if (had !== undefined) {
        had.used = ++this.#clock;
        return;
      }
      const parent = this.#parent(key, tokens, pieces);
      const from = parent?.length ?? 0;
      const { tensors, grows } = await readSince(standing, from);
      const head: KeptHead = {
        model: key,
        parent: parent?.name ?? "",
        tokens: tokens.slice(from),
        pieces,
        layers: standing.state.layers.length,
        grows,
      };
      const bytes = writeKept(head, tensors);
      if (bytes.length > this.#budget) return;
      try {
        await this.#shelf.put(name, bytes);
      } catch (error) {
        this.#failure = (error as Error).message;
        return;
      }
      this.#list({ name, head, bytes: bytes.length, length: tokens.length, parent, children: new Set(), used: 0 });
      await this.#shrink();
    });
  }

  /** Waits until all that was begun is done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Forgets everything, on the disk too. */
  async clear(): Promise<void> {
    await this.#alone(async () => {
      for (const name of this.#kept.keys()) await this.#shelf.remove(name);
      this.#kept.clear();
      this.#roots.clear();
      this.#bytes = 0;
    });
  }

  #list(kept: Kept): void {
    kept.used = ++this.#clock;
    this.#kept.set(kept.name, kept);
    this.#siblings(kept).add(kept);
    this.#bytes += kept.bytes;
  }

  #siblings({ parent, head }: Kept): Set<Kept> {
    if (parent !== undefined) return parent.children;
    const roots = this.#roots.get(head.model) ?? new Set();
    this.#roots.set(head.model, roots);
    return roots;
  }

  /** Those of a model that `tokens` go through, the shortest first. */
  *#along(key: string, tokens: ArrayLike<number>): Generator<Kept> {
    let level = [...(this.#roots.get(key) ?? [])];
    while (level.length > 0) {
      const next: Kept[] = [];
      for (const kept of level) {
        const from = kept.length - kept.head.tokens.length;
        if (kept.length > tokens.length || !kept.head.tokens.every((id, i) => id === tokens[from + i])) continue;
        yield kept;
        next.push(...kept.children);
      }
      level = next;
    }
  }

  #longest(key: string, tokens: ArrayLike<number>, chunk: number | undefined): Kept | undefined {
    let best: Kept | undefined;
    for (const kept of this.#along(key, tokens)) {
      const whole = kept.length === tokens.length;
      if (chunk !== undefined && !(isPlainReading(kept.head.pieces, chunk) && (whole || kept.length % chunk === 0)))
        continue;
      if (best === undefined || kept.length > best.length || (kept.length === best.length && kept.used > best.used))
        best = kept;
    }
    return best;
  }

  /** The last one that a text went through on its way. */
  #parent(key: string, tokens: readonly number[], pieces: Pieces): Kept | undefined {
    let last: Kept | undefined;
    for (const kept of this.#along(key, tokens))
      if (kept.length < tokens.length && kept.length > (last?.length ?? 0) && wentThrough(kept.head.pieces, pieces))
        last = kept;
    return last;
  }

  /** The state of a kept one, or nothing where it cannot be had: it then is forgotten, with all that go on from it. */
  async #open(kept: Kept, model: Model): Promise<FoundState | undefined> {
    let tensors: ReturnType<typeof readKept>["tensors"] | undefined;
    const tokens: number[] = [];
    for (let at: Kept | undefined = kept; at !== undefined; at = at.parent) {
      tokens.unshift(...at.head.tokens);
      if (tensors !== undefined && !kept.head.grows) continue;
      const own = await this.#read(at);
      if (own === undefined) {
        await this.#forget(at);
        return undefined;
      }
      tensors = tensors === undefined ? own : joinKept(own, tensors);
    }
    const { layers, pieces } = kept.head;
    return { ...standingOf(tensors!, { layers, position: kept.length }, model.backend), tokens, pieces };
  }

  async #read({ name }: Kept): Promise<ReturnType<typeof readKept>["tensors"] | undefined> {
    const bytes = await this.#shelf.get(name);
    if (bytes === undefined) return undefined;
    try {
      return readKept(bytes).tensors;
    } catch {
      return undefined;
    }
  }

  async #forget(kept: Kept): Promise<void> {
    for (const child of kept.children) await this.#forget(child);
    this.#siblings(kept).delete(kept);
    this.#kept.delete(kept.name);
    this.#bytes -= kept.bytes;
    await this.#shelf.remove(kept.name);
  }

  /** Takes away what was used least lately until all fits: one that nothing goes on from, or that one thing goes on from, which then stands for both. */
  async #shrink(): Promise<void> {
    while (this.#bytes > this.#budget) {
      const removable = [...this.#kept.values()].filter(({ children }) => children.size <= 1);
      const oldest = removable.reduce((x, y) => (y.used < x.used ? y : x));
      const [child] = oldest.children;
      if (child !== undefined && !(await this.#join(oldest, child))) {
        await this.#forget(oldest);
        continue;
      }
      if (child === undefined) await this.#forget(oldest);
    }
  }

  /** Puts the one state that goes on from another in the place of both. */
  async #join(kept: Kept, child: Kept): Promise<boolean> {
    const [before, after] = [await this.#read(kept), await this.#read(child)];
    if (before === undefined || after === undefined) return false;
    const head = { ...child.head, parent: kept.head.parent, tokens: [...kept.head.tokens, ...child.head.tokens] };
    const bytes = writeKept(head, joinKept(before, after));
    try {
      await this.#shelf.put(child.name, bytes);
    } catch (error) {
      this.#failure = (error as Error).message;
      return false;
    }
    this.#bytes += bytes.length - child.bytes;
    Object.assign(child, { head, bytes: bytes.length, parent: kept.parent });
    kept.children.clear();
    this.#siblings(kept).add(child);
    await this.#forget(kept);
    return true;
  }

  /** Lists what is on the shelf. */
  async #load(): Promise<void> {
    const entries = new Map<string, { head: KeptHead; bytes: number }>();
    for (const { name, bytes, head } of await this.#shelf.list()) {
      try {
        let first = headOf(await head(2 ** 16));
        if ("needs" in first) first = headOf(await head(first.needs));
        if ("needs" in first) throw new ArgumentError("kept state: is cut off");
        entries.set(name, { head: first, bytes });
      } catch {
        await this.#shelf.remove(name);
      }
    }
    const put = (name: string): Kept | undefined => {
      const had = this.#kept.get(name);
      const entry = entries.get(name);
      if (had !== undefined || entry === undefined) return had;
      const parent = entry.head.parent === "" ? undefined : put(entry.head.parent);
      if (entry.head.parent !== "" && parent === undefined) return undefined;
      const length = (parent?.length ?? 0) + entry.head.tokens.length;
      this.#list({ name, ...entry, length, parent, children: new Set(), used: 0 });
      return this.#kept.get(name);
    };
    // What a removed one left behind cannot be made whole.
    for (const name of entries.keys()) if (put(name) === undefined) await this.#shelf.remove(name);
    await this.#shrink();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work, work);
    this.#last = run.catch(() => undefined);
    return run;
  }
}

const keyOf = ({ model, backend, bits }: { model: string; backend: string; bits: string }): string =>
  `${model}.${backend}.${bits}`;
