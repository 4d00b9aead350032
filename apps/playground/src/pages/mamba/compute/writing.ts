import { Session, type Model, type ModelState, type Point } from "@statespace/models";
import type { Tokenizer } from "@statespace/text";
import { loadBackend } from "../../../workers/backend.ts";
import type { Drawing } from "./chances.ts";
import type { BackendName } from "../../../workers/backendNames.ts";

/** Everything needed to go on from a place in a text, on any backend: a file that the library's `Session.restore` reads, and what it is of. */
export interface Snapshot {
  readonly ids: readonly number[];
  readonly bytes: Uint8Array;
}

/** Tokens between two places that rewinding starts from. */
const POINT_EVERY = 8;

/** A place to come back to, and the tokens up to it. */
interface Kept {
  readonly point: Point;
  readonly ids: readonly number[];
}

/** A text that a model writes, which can be saved, put back, rewound to any of its tokens, and moved to another backend between two of them. */
export class Writing {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  #session: Session;
  #kept: Kept[] = [];
  /** Seed that the next tokens begin with; undefined goes on where the generator was. */
  #seed: number | undefined;

  constructor(model: Model, tokenizer: Tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.#session = new Session(model, { tokenizer });
  }

  /** Prompt and continuation. */
  get ids(): readonly number[] {
    return this.#session.ids;
  }

  get promptLength(): number {
    return this.#session.promptLength;
  }

  get state(): ModelState | undefined {
    return this.ids.length > 0 ? this.#session.state : undefined;
  }

  /** The shortest text that rewinding can reach. */
  get earliest(): number {
    return Math.max(this.promptLength, this.#kept[0]?.ids.length ?? 0);
  }

  /** Reads a prompt. */
  async begin(prompt: string, seed: number, signal: AbortSignal): Promise<void> {
    const next = new Session(this.model, { tokenizer: this.tokenizer });
    try {
      await next.read(prompt, { signal });
    } catch (error) {
      next.dispose();
      throw error;
    }
    this.#session.dispose();
    this.#session = next;
    this.#seed = seed;
    this.#kept = [];
    this.#keep();
  }

  /** Goes on for so many tokens at most. Whoever takes them may leave at any time. */
  async *tokens(count: number, drawing: Drawing, signal: AbortSignal): AsyncGenerator<number, void, undefined> {
    const seed = this.#seed;
    this.#seed = undefined;
    const options = { maxNewTokens: count, ...drawing, signal, ...(seed === undefined ? {} : { seed }) };
    for await (const { id } of this.#session.tokens(options)) {
      if (this.ids.length % POINT_EVERY === 0) this.#keep();
      yield id;
    }
  }

  #keep(): void {
    this.#kept.push({ point: this.#session.keep(), ids: [...this.ids] });
  }

  async save(): Promise<Snapshot> {
    return { ids: [...this.ids], bytes: await this.#session.save() };
  }

  /** Goes on from a saved place; with a seed this is a fork. @throws FormatError for one of another model; nothing changes then. */
  restore(bytes: Uint8Array, seed: number | undefined): void {
    this.#session.restore(bytes);
    this.#seed = seed;
    // Only what this text went through: the file may be of another one.
    this.#forget(({ ids }) => ids.length > this.ids.length || ids.some((id, i) => id !== this.ids[i]));
    if (this.#kept.length === 0) this.#keep();
  }

  /** Goes back to `length` tokens: from the last kept place before, the rest is read again. */
  async rewind(length: number): Promise<void> {
    const ids = this.ids.slice(0, Math.max(this.earliest, length));
    this.#forget((kept) => kept.ids.length > ids.length);
    const { point, ids: before } = this.#kept.at(-1)!;
    this.#session.rewind(point);
    if (ids.length > before.length) await this.#session.read(ids.slice(before.length));
  }

  #forget(which: (kept: Kept) => boolean): void {
    for (const kept of this.#kept.filter(which)) this.#session.forget(kept.point);
    this.#kept = this.#kept.filter((kept) => !which(kept));
  }

  /** Moves weights and text to another backend. Nothing changes when it cannot start. */
  async moveTo(backend: BackendName): Promise<void> {
    await loadBackend(backend);
    await this.#session.to(backend);
  }

  dispose(): void {
    this.#session.dispose();
    this.model.dispose();
  }
}
