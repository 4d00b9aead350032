import { ArgumentError, DeviceLostError, FormatError, readFloats, tensor } from "@statespace/core";
import { sampleStreams } from "@statespace/core/ops";
import { throwIfAborted } from "@statespace/files";
import { StreamDecoder, type Tokenizer } from "@statespace/text";
import type { Model } from "../model/model.ts";
import { ModelState } from "../model/state.ts";
import { FrameKeeper } from "../eventLoop.ts";
import { History } from "./history.ts";
import {
  checkTokenOptions,
  refuseUnknownOptions,
  STREAM_OPTIONS,
  TOKEN_OPTIONS,
  withDefaults,
  type StreamOptions,
  type TokenOptions,
} from "./options.ts";
import { copyPlace, Places, readStanding, type Place, type Point, type Standing } from "./places.ts";
import { readPrompts, type PrefillOptions } from "./prefill.ts";
import { PREFILL_CHUNK } from "./promptReader.ts";
import { promptsOf, type Prompt } from "./prompts.ts";
import { readText, type ReadingOptions } from "./readText.ts";
import { checkFits, checkState, readSessionFile, writeSessionFile, type SessionOwner } from "./sessionFile.ts";
import { checkSessionOptions, type SessionOptions } from "./sessionOptions.ts";
import { identityOf, sameModel, tokenizerIdentity } from "./states/identity.ts";
import type { TokenLogprob } from "./logprobs.ts";
import { roundsOf } from "./rounds.ts";
import { bannedAsIds, stopsOf } from "./textOptions.ts";
import { TokenLoop } from "./tokenLoop.ts";

/** Options of `Session.read`. */
export type ReadOptions = Omit<PrefillOptions, "initialState" | "chunk">;

/** One new token of one text. */
export interface GeneratedToken {
  /** Which text. */
  readonly sequence: number;
  readonly id: number;
  /** With `logprobs`: the log probability (natural) that the model itself gave it. */
  readonly logprob?: number;
  /** With `topLogprobs`: the most probable tokens, the likeliest first. */
  readonly topLogprobs?: readonly TokenLogprob[];
  /** It ended its text: an eos token, or the last one asked for. */
  readonly done: boolean;
}

/** Options of `Session.fork`. */
export interface ForkOptions {
  readonly rows?: number;
  readonly seed?: number;
}

/** Why a text ended: an eos token, as many tokens as were asked for, a stop text, or the reader left. */
export type FinishReason = "eos" | "length" | "stop" | "left";

/**
 * A text that a model reads and goes on with. Whatever was read and said is in the state, to the last token, so a session can be
 * saved and restored, forked, taken back to a kept point, and moved to another backend in the middle; it then goes on bit for bit as
 * it would have (on another backend: within that backend's bounds). Tokens are drawn on the device; only their ids come back.
 *
 * With several `rows`, texts run side by side. Where they end after different numbers of tokens, the state has no meaning any more:
 * what would need it throws.
 */
export class Session {
  readonly model: Model;
  readonly tokenizer: Tokenizer | undefined;
  readonly rows: number;
  readonly defaults: StreamOptions;
  /** Why the last stream ended. */
  finish: FinishReason | undefined;
  /** Plain JSON of the caller's own, saved, forked, kept and rewound with the text. */
  notes: Record<string, unknown> = {};
  /** Tokens of the text's beginning that the store had, and that were not read. */
  cachedTokens = 0;
  readonly #initial: ModelState | undefined;
  readonly #reading: ReadingOptions;
  readonly #firstRow: number;
  readonly #places = new Places();
  #history: History;
  /** The rows' generators, int32 [b, 4]; their counters are those of the tokens said. */
  #streams: Int32Array;
  #loop: TokenLoop | undefined;
  /** What is going on, and why nothing can go on. */
  #busy: string | undefined;
  #broken: string | undefined;

  /** @throws ArgumentError naming the option that is unknown or out of range. */
  constructor(model: Model, options: SessionOptions = {}) {
    checkSessionOptions(options, model.vocabSize);
    const { tokenizer, rows = 1, seed = 0, firstRow = 0, initialState, defaults = {} } = options;
    const { store, prefillChunk: chunk = PREFILL_CHUNK, reproducible = false } = options;
    this.model = model;
    this.tokenizer = tokenizer;
    this.rows = rows;
    this.defaults = defaults;
    this.#initial = initialState;
    this.#reading = { store: rows === 1 && initialState === undefined ? store : undefined, chunk, reproducible };
    this.#firstRow = firstRow;
    this.#history = new History(rows);
    this.#streams = this.#streamsOf(seed);
  }

  /** The tokens of the first text, read and said. */
  get ids(): readonly number[] {
    return this.#history.rows[0]!;
  }

  /** The tokens of every text. */
  get texts(): readonly (readonly number[])[] {
    return this.#history.rows;
  }

  /** Tokens of the first text that were read before the first one was said. */
  get promptLength(): number {
    return this.#history.promptLength(0);
  }

  /** The state after everything read and said; it belongs to the session and changes in place. @throws ArgumentError before the first read. */
  get state(): ModelState {
    return this.#ready("state").state;
  }

  /** The model's scores of the next token of each text, [b * v]. @throws ArgumentError before the first read. */
  async scores(): Promise<Float32Array> {
    return readFloats(this.#ready("scores").logits);
  }

  /** Kernel launches that one token takes; 0 before the first. */
  get launches(): number {
    return this.#loop?.launches ?? 0;
  }

  /**
   * Reads text or ids, or one of them for each row. An empty text at the beginning is the tokenizer's beginning-of-text token.
   * @throws ArgumentError for an id out of range, an empty prompt, or rows of unequal length in the middle of texts; AbortedError. Nothing was read then.
   */
  async read(input: Prompt | readonly Prompt[], options: ReadOptions = {}): Promise<this> {
    refuseUnknownOptions("read", options, ["signal", "onProgress"]);
    const prompts = promptsOf(input, this.rows, () => this.#tokenizer("read"), this.#loop === undefined);
    await this.#alone("read", async () => {
      const fresh = this.#loop === undefined && this.#broken === undefined;
      const before = fresh ? this.#initial : this.#ready("read").state;
      this.#history.goesOnAt(this.model.backend.name);
      const text = { tokens: this.ids, pieces: this.#history.pieces };
      const read =
        this.rows === 1
          ? await readText(this.model, prompts[0]!, { ...this.#reading, before, text }, options)
          : {
              ...(await readPrompts(this.model, prompts, {
                ...options,
                chunk: this.#reading.chunk,
                initialState: before,
              })),
              pieces: undefined,
              found: 0,
            };
      this.#put(read);
      prompts.forEach((ids, row) => this.#history.read(row, ids));
      this.#history.pieces = read.pieces;
      if (fresh) this.cachedTokens = read.found;
    });
    return this;
  }

  /**
   * Goes on token by token. Leaving the loop is fine at any time: the state is that after the last token handed out.
   * @throws ArgumentError naming the option that is unknown or out of range, before any work; AbortedError within a token;
   * NonFiniteError where the model's logits cannot be sampled from.
   */
  async *tokens(options: TokenOptions = {}): AsyncGenerator<GeneratedToken, void, undefined> {
    refuseUnknownOptions("tokens", options, TOKEN_OPTIONS);
    const { stop: _, badWords: __, ...defaults } = this.defaults;
    const all = withDefaults(defaults, options);
    checkTokenOptions("tokens", all, this.model.vocabSize);
    yield* this.#tokens(all);
  }

  /**
   * Goes on as text, of one row. Pieces never split a character, and what may be the beginning of a stop text is held back.
   * @throws ArgumentError as `tokens`, and for an empty stop text.
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<string, void, undefined> {
    refuseUnknownOptions("stream", options, STREAM_OPTIONS);
    if (this.rows !== 1)
      throw new ArgumentError(`stream: is for one text, and the session has ${this.rows} rows; see tokens`);
    const { stop, ...rest } = bannedAsIds(withDefaults(this.defaults, options), () => this.#tokenizer("stream"));
    checkTokenOptions("stream", rest, this.model.vocabSize);
    const decoder = new StreamDecoder(this.#tokenizer("stream"), { stop: stopsOf(stop), prompt: this.ids });
    for await (const { id, done } of this.#tokens(rest)) {
      let text = decoder.push(id);
      const ends = done || decoder.stopped;
      if (ends) text += decoder.flush();
      // Before the text goes out: whoever takes it may leave.
      if (decoder.stopped) this.#stopped = true;
      if (text !== "") yield text;
      if (ends) return;
    }
  }

  /** Set when a stop text was met, for `finish`. */
  #stopped = false;

  /** The session as bytes, a safetensors file: tokens, state, scores of the next token and generators. */
  async save(): Promise<Uint8Array> {
    return this.#alone("save", async () => {
      const { state, logits } = this.#ready("save");
      const owner = { ...(await identityOf(this.model)), tokenizer: tokenizerIdentity(this.tokenizer) };
      return writeSessionFile({
        history: this.#history.toJson(),
        notes: this.notes,
        streams: this.#streams,
        logits: await readFloats(logits),
        state: await state.toBytes(),
        owner,
      });
    });
  }

  /**
   * Goes on from what `save` wrote, on the model's backend: bit for bit on the backend it was saved on, within its bounds on another.
   * @throws FormatError for anything else, or what belongs to another model, tokenizer or version; nothing changes then. A model that
   * differs in nothing but its weights is told by the first use of the session, which then throws it.
   */
  restore(bytes: Uint8Array): this {
    this.#idle("restore");
    const { vocabSize } = this.model;
    const file = readSessionFile(bytes, vocabSize);
    if (file.history.rows.length !== this.rows)
      throw new FormatError(`session: has ${file.history.rows.length} texts, but this one has ${this.rows}`);
    checkFits(file.owner, this.model, this.tokenizer);
    const place = { backend: this.model.backend };
    const state = ModelState.fromBytes(file.state, place);
    try {
      checkState(this.model, state, this.rows, file.history.rows[0]!.length);
    } catch (error) {
      state.dispose();
      throw error;
    }
    const { streams, notes } = file;
    const logits = tensor(file.logits, [this.rows, vocabSize], place);
    this.#goTo({ state, logits, streams, notes, history: History.fromJson(file.history) });
    this.#history.goesOnAt(file.owner.backend);
    this.#unproved = file.owner;
    this.cachedTokens = 0;
    return this;
  }

  /**
   * Another session at the same place: what one of them does, the other does not see. Its generators are where those of this one are; give
   * one of the two a `seed` for another text.
   * @param options.rows so many texts that go on from this one, each with a generator of its own, of the `seed` (default 0)
   * @throws ArgumentError where a session of several rows is to become one of another number.
   */
  fork(options: ForkOptions = {}): Session {
    refuseUnknownOptions("fork", options, ["rows", "seed"]);
    const { rows = this.rows, seed } = options;
    if (rows !== this.rows && this.rows !== 1)
      throw new ArgumentError(`fork: rows must be ${this.rows}, those of the session, got ${rows}`);
    const place = this.#place("fork", rows / this.rows);
    const other = new Session(this.model, {
      tokenizer: this.tokenizer,
      rows,
      firstRow: this.#firstRow,
      defaults: this.defaults,
      store: this.#reading.store,
      prefillChunk: this.#reading.chunk,
      reproducible: this.#reading.reproducible,
    });
    if (seed !== undefined || rows !== this.rows) place.streams = other.#streamsOf(seed ?? 0);
    other.#goTo(place);
    other.#unproved = this.#unproved;
    other.cachedTokens = this.cachedTokens;
    return other;
  }

  /** Keeps this place, to come back with `rewind`. It costs as much memory as the state. */
  keep(): Point {
    return this.#places.add(this.#place("keep"));
  }

  /** Goes back to a kept place, and may do so again. @throws ArgumentError for a point that is not kept. */
  rewind(point: Point): void {
    this.#idle("rewind");
    this.#goTo(copyPlace(this.#places.get("rewind", point)));
  }

  /** Forgets the text: nothing was read. Notes, generators and kept points stay. */
  clear(): void {
    this.#idle("clear");
    this.#loop?.dispose();
    this.#loop = undefined;
    this.#broken = undefined;
    this.#unproved = undefined;
    this.#history = new History(this.rows);
    this.cachedTokens = 0;
  }

  /** Frees a kept place. */
  forget(point: Point): void {
    this.#places.forget("forget", point);
  }

  /**
   * Moves the model and this session to another backend, kept points too; other sessions of the model cannot go on then.
   * Nothing changes if the backend cannot start.
   */
  async to(backend: string): Promise<this> {
    await this.#alone("to", async () => {
      const standing = this.#loop === undefined ? undefined : await readStanding(this.#ready("to"));
      const movePlaces = await this.#places.read();
      await this.model.to(backend);
      this.#loop?.dispose();
      this.#loop = undefined;
      if (standing !== undefined) this.#put(standing(this.model.backend));
      movePlaces(this.model.backend);
    });
    return this;
  }

  /** Frees everything but the model. */
  dispose(): void {
    this.#loop?.dispose();
    this.#loop = undefined;
    this.#places.dispose();
    this.#broken = "it was disposed";
  }

  async *#tokens(options: TokenOptions): AsyncGenerator<GeneratedToken, void, undefined> {
    const {
      maxNewTokens = 64,
      eosTokenIds = this.model.resolved.eosTokenIds,
      logprobs = false,
      topLogprobs = 0,
      signal,
      seed,
    } = options;
    if (maxNewTokens === 0) return;
    this.#ready("tokens");
    this.#idle("tokens");
    this.#busy = "tokens";
    try {
      await this.#present();
      await this.#prove();
    } catch (error) {
      this.#busy = undefined;
      throw error;
    }
    const loop = this.#ready("tokens");
    this.#history.goesOnAt(this.model.backend.name);
    this.#stopped = false;
    this.finish = "left";
    if (seed !== undefined) this.#streams = this.#streamsOf(seed);
    const open = new Set(this.#history.rows.keys());
    const frames = new FrameKeeper();
    let whole = false;
    const drawing = roundsOf(loop, { options, history: this.#history, streams: this.#streams });
    try {
      for (let made = 1; ; made++) {
        throwIfAborted(signal, "tokens");
        const { value, done: over } = await drawing.next();
        if (over) return;
        this.#drawn(value.ids, open);
        for (const row of open) {
          const id = value.ids[row]!;
          const isEos = eosTokenIds.includes(id) || value.complete.has(row);
          const done = isEos || made === maxNewTokens;
          if (done) open.delete(row);
          if (open.size === 0) this.finish = isEos ? "eos" : "length";
          whole = false;
          yield {
            sequence: row,
            id,
            done,
            ...(logprobs ? { logprob: value.logprobs![row]! } : {}),
            ...(topLogprobs > 0 ? { topLogprobs: value.top![row]! } : {}),
          };
        }
        whole = true;
        if (open.size === 0) return;
        if (open.size < this.rows) this.#broken ??= "its texts ended after different numbers of tokens";
        if (loop.state.position % (this.#reading.store?.every ?? Number.POSITIVE_INFINITY) === 0) await this.#toStore();
        await frames.breathe();
      }
    } catch (error) {
      // A step on what is not a token may have gone into the state.
      if (!isAbort(error) && !(error instanceof DeviceLostError))
        this.#broken ??= `it failed: ${(error as Error).message}`;
      throw error;
    } finally {
      if (this.#stopped) this.finish = "stop";
      if (!whole && this.rows > 1) this.#broken ??= "it was left in the middle of its rows";
      await drawing.return();
      await this.#toStore();
      this.#busy = undefined;
    }
  }

  /** Keeps this place in the store, if there is one. */
  async #toStore(): Promise<void> {
    const { store } = this.#reading;
    const { pieces } = this.#history;
    const loop = this.#loop;
    if (store === undefined || pieces === undefined || loop === undefined || this.#broken !== undefined) return;
    if (loop.isLost) return;
    await store.add(this.model, { state: loop.state, logits: loop.logits }, { tokens: [...this.ids], pieces });
  }

  /**
   * After the device was lost: waits for the weights, where they come back by themselves, and reads the text anew from what the store has of it.
   * @throws DeviceLostError where the state is lost for good
   */
  async #present(): Promise<void> {
    await this.model.present();
    if (this.#loop?.isLost !== true) return;
    if (this.#reading.store === undefined)
      throw new DeviceLostError(
        "session: its state went with the device: restore one that was saved, or clear it and read anew; a session with a store comes back by itself",
      );
    const text = { tokens: [], pieces: [] };
    const read = await readText(this.model, this.ids, { ...this.#reading, before: undefined, text }, {});
    this.#put(read);
    this.#history.pieces = read.pieces;
  }

  /** What the restored session belongs to, until it is proved that the model's weights are those. */
  #unproved: SessionOwner | undefined;

  /** @throws FormatError where the session was restored from one of a model with other weights. */
  async #prove(): Promise<void> {
    const owner = this.#unproved;
    if (owner === undefined) return;
    const own = await identityOf(this.model);
    if (!sameModel(owner, own))
      throw new FormatError("session: was saved with other weights: it belongs to another model");
    if (owner.bits !== own.bits) this.#history.pieces = undefined;
    this.#unproved = undefined;
  }

  /** Writes down one token of each open row; it is in the state already. */
  #drawn(ids: Int32Array, open: ReadonlySet<number>): void {
    for (let row = 0; row < this.rows; row++) {
      const at = 4 * row + 2;
      this.#streams[at]!++;
      if (this.#streams[at] === 0) this.#streams[at + 1]!++;
      if (open.has(row)) this.#history.said(row, ids[row]!);
    }
  }

  #streamsOf(seed: number): Int32Array {
    if (!Number.isSafeInteger(seed)) throw new ArgumentError(`Session: seed must be a whole number, got ${seed}`);
    return sampleStreams(seed, this.#firstRow + this.rows).slice(4 * this.#firstRow);
  }

  /** Goes on from a state and scores, which are taken over. */
  #put({ state, logits }: Standing): void {
    if (this.#loop?.isLost === false) {
      this.#loop.replace(state, logits);
      return;
    }
    this.#loop?.dispose();
    this.#loop = new TokenLoop(this.model, this.rows, state, logits);
  }

  /** Goes on from a place, which is taken over. */
  #goTo(place: Place): void {
    this.#put(place);
    this.#history = place.history;
    this.notes = place.notes;
    this.#streams = place.streams;
    this.#broken = undefined;
  }

  #place(what: string, copies = 1): Place {
    const { state, logits } = this.#ready(what);
    const { notes } = this;
    return copyPlace({ state, logits, history: this.#history, notes, streams: this.#streams }, copies);
  }

  /** The loop, whose state stands for the texts. */
  #ready(what: string): TokenLoop {
    if (this.#broken !== undefined) throw new ArgumentError(`${what}: the session cannot go on, since ${this.#broken}`);
    if (this.#loop === undefined) throw new ArgumentError(`${what}: read something first, if only a bos or eos token`);
    return this.#loop;
  }

  #idle(what: string): void {
    if (this.#busy !== undefined)
      throw new ArgumentError(`${what}: ${this.#busy} is still going on; finish or leave it first`);
  }

  async #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#idle(what);
    this.#busy = what;
    try {
      await this.#present();
      await this.#prove();
      return await work();
    } finally {
      this.#busy = undefined;
    }
  }

  #tokenizer(what: string): Tokenizer {
    if (this.tokenizer === undefined)
      throw new ArgumentError(`${what}: text needs a tokenizer; give one to the session, or use ids`);
    return this.tokenizer;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortedError";
}
