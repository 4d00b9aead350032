import { ArgumentError, FormatError } from "@statespace/core";
import type { SourceLike } from "@statespace/files";
import { tokenizerFiles, type ChatTemplate, type Tokenizer } from "@statespace/text";
import { activeAdapter, type Adapter } from "../adapters/adapter.ts";
import { loadAdapter, saveAdapter, type LoadAdapterOptions } from "../adapters/adapterFiles.ts";
import { addAdapter, type AddAdapterOptions } from "../adapters/addAdapter.ts";
import { saveGguf, type SaveGgufOptions } from "../families/gguf/saveGguf.ts";
import { savePretrained, type SavePretrainedOptions } from "../families/pretrained.ts";
import { Chat, type ChatOptions } from "../generate/chat.ts";
import type { StreamOptions } from "../generate/options.ts";
import { Session } from "../generate/session.ts";
import type { SessionOptions } from "../generate/sessionOptions.ts";
import type { StateStore } from "../generate/states/stateStore.ts";
import type { Model } from "../model/model.ts";
import { look, type InspectOptions, type Look } from "./look.ts";
import { Recovery, type Reload } from "./recovery.ts";
import { predict, type Prediction, type PredictOptions } from "./predict.ts";
import type { SequenceInput } from "./sequences.ts";

/** What a `LoadedModel` is made of. */
export interface LoadedParts {
  readonly model: Model;
  readonly tokenizer?: Tokenizer | undefined;
  /** Or why it cannot be read. */
  readonly template?: ChatTemplate | FormatError | undefined;
  /** How it samples unless told otherwise. */
  readonly defaults?: StreamOptions;
  /** Further files that a saved folder has again. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Where it was loaded from: what an adapter's files name as their model. */
  readonly origin?: string | undefined;
  /** Loads the weights once more, after their device was lost. */
  readonly reload?: Reload | undefined;
  /** Whether they come back by themselves then. */
  readonly recover?: boolean | undefined;
}

/** What an adapter is called among a model's adapters; `default` unless told. */
export interface AdapterName {
  readonly name?: string;
}

/** Options of `LoadedModel.chat`. */
export interface LoadedChatOptions extends Partial<ChatOptions> {
  /** Seed of the draws; default 0. */
  readonly seed?: number;
  /** States of earlier texts, see `StateStore`. */
  readonly store?: StateStore | undefined;
}

/** A model with what a checkpoint says beside its weights: tokenizer, chat template, defaults for sampling. Made by `load`, or of one's own parts. */
export class LoadedModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer | undefined;
  /** What `stream`, `complete`, `chat` and `session` do unless told otherwise, from `generation_config.json`. */
  readonly defaults: StreamOptions;
  readonly #template: ChatTemplate | FormatError | undefined;
  readonly #files: Readonly<Record<string, string | Uint8Array>>;
  readonly #origin: string | undefined;
  readonly #adapters = new Map<string, Adapter>();
  readonly #recovery: Recovery;

  constructor({ model, tokenizer, template, defaults = {}, files = {}, origin, reload, recover = false }: LoadedParts) {
    this.#recovery = new Recovery(model, reload);
    if (recover) this.#recovery.begin();
    this.#origin = origin;
    this.model = model;
    this.tokenizer = tokenizer;
    this.defaults = defaults;
    this.#template = template;
    this.#files = files;
  }

  /** The model's own chat template, if it has one. @throws FormatError where it has one that cannot be read. */
  get template(): ChatTemplate | undefined {
    if (this.#template instanceof FormatError) throw this.#template;
    return this.#template;
  }

  /**
   * Goes on from a text (or ids), piece by piece; pieces never split a character. Leaving the loop, an error and an abort free everything.
   * @throws ArgumentError naming the option that is unknown or out of range, or for a model that does not write; AbortedError.
   */
  async *stream(
    prompt: string | ArrayLike<number>,
    options: StreamOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    this.#expectText("stream");
    const session = this.session();
    try {
      await session.read(prompt, { signal: options.signal });
      yield* session.stream(options);
    } finally {
      session.dispose();
    }
  }

  /** What `stream` says, as one text. */
  async complete(prompt: string | ArrayLike<number>, options: StreamOptions = {}): Promise<string> {
    let text = "";
    for await (const piece of this.stream(prompt, options)) text += piece;
    return text;
  }

  /** A text that goes on: it reads, streams, is saved, forked, taken back and moved; see `Session`. The caller disposes it. */
  session(options: SessionOptions = {}): Session {
    this.#expectLanguage("session");
    return new Session(this.model, { tokenizer: this.tokenizer, defaults: this.defaults, ...options });
  }

  /**
   * A conversation by the model's own template, or the one in the options. `say` streams the answer; the state keeps what was said.
   * @throws ArgumentError for a model without a template or a tokenizer; FormatError where its template cannot be read.
   */
  chat({ seed, store, ...options }: LoadedChatOptions = {}): Chat {
    this.#expectText("chat");
    const template = options.template ?? this.template;
    if (template === undefined)
      throw new ArgumentError(
        "chat: the model has no chat template (chat_template.jinja, or in tokenizer_config.json): it goes on from texts (see stream); or give one as { template }",
      );
    return new Chat(this.session({ store, ...(seed === undefined ? {} : { seed }) }), { ...options, template });
  }

  /**
   * What the model makes of a text, ids, or the steps of a series: an embedding, and what the options ask for, as plain values.
   * @throws ArgumentError for an option that is not known, or a text without a tokenizer.
   */
  async inspect(input: string | SequenceInput, options: InspectOptions = {}): Promise<Look> {
    await this.model.present();
    return look(this.model, this.tokenizer, input, options);
  }

  /**
   * The answers of a model that classifies, regresses or forecasts, one for each sequence: ids, values, or the channels of each step.
   * @throws ArgumentError for a language model, or naming the sequence that does not fit the model.
   */
  async predict(sequences: readonly SequenceInput[], options: PredictOptions = {}): Promise<readonly Prediction[]> {
    await this.model.present();
    return predict(this.model, sequences, options);
  }

  /** Its adapters by name. */
  get adapters(): ReadonlyMap<string, Adapter> {
    return this.#adapters;
  }

  /** Makes a new adapter, switched on; see the function of this name. @throws ArgumentError also for a name that is taken. */
  addAdapter({ name = "default", ...options }: AddAdapterOptions & AdapterName = {}): Promise<Adapter> {
    return this.#adding(name, () => addAdapter(this.model, options));
  }

  /** Loads an adapter as PEFT saves it, and switches it on. @throws as the function of this name; ArgumentError for a name that is taken. */
  async loadAdapter(
    from: SourceLike,
    { name = "default", ...options }: LoadAdapterOptions & AdapterName = {},
  ): Promise<Adapter> {
    const adapter = await this.#adding(name, () => loadAdapter(this.model, from, options));
    const { signal: _, ...again } = options;
    this.#recovery.know(adapter, () => loadAdapter(this.model, from, again));
    return adapter;
  }

  /** Switches to one of its adapters, or, without a name, to none. @throws ArgumentError where there is none of this name. */
  useAdapter(name?: string): this {
    if (name === undefined) {
      activeAdapter(this.model)?.off();
      return this;
    }
    const adapter = this.#adapters.get(name);
    if (adapter === undefined)
      throw new ArgumentError(
        `useAdapter: there is no adapter ${name}; there are ${[...this.#adapters.keys()].join(", ") || "none"}`,
      );
    adapter.on();
    return this;
  }

  async #adding(name: string, make: () => Promise<Adapter>): Promise<Adapter> {
    if (this.#adapters.has(name)) throw new ArgumentError(`adapter: there is one of the name ${name} already`);
    const adapter = await make();
    this.#adapters.set(name, adapter);
    return adapter;
  }

  /**
   * Writes a folder that `load` and Hugging Face's libraries load: weights in the form of the model's family, tokenizer, chat template and
   * defaults. With an adapter on, the folder holds that alone, which PEFT loads, and names the model; merge it first to write all of the model.
   * @throws as `savePretrained`.
   */
  async save(folder: string | URL, options: SavePretrainedOptions = {}): Promise<void> {
    const { tokenizer } = this;
    const own = tokenizer === undefined ? {} : tokenizerFiles(tokenizer);
    const files = { ...own, ...this.#files, ...options.files };
    const adapter = activeAdapter(this.model);
    if (adapter === undefined || adapter.isMerged) return savePretrained(this.model, folder, { ...options, files });
    const { signal, files: _, ...others } = options;
    const [name] = Object.keys(others);
    if (name !== undefined)
      throw new ArgumentError(`save: ${name} is for a whole model; with an adapter on it is saved alone`);
    await saveAdapter(adapter, folder, {
      files,
      ...(this.#origin && { baseModel: this.#origin }),
      ...(signal && { signal }),
    });
  }

  /** Writes one GGUF file, which `load` and llama.cpp load, with tokenizer, chat template and defaults. @throws as `saveGguf`. */
  async saveGguf(file: string | URL, options: SaveGgufOptions = {}): Promise<void> {
    if (activeAdapter(this.model)?.isMerged === false)
      throw new ArgumentError("saveGguf: an adapter is on; merge it into the weights first, or switch it off");
    const { tokenizer } = this;
    const own = tokenizer === undefined ? {} : tokenizerFiles(tokenizer);
    await saveGguf(this.model, file, { ...options, files: { ...own, ...this.#files, ...options.files } });
  }

  /** Moves the model to another backend and sets it; sessions move with `Session.to`. */
  async to(backend: string): Promise<this> {
    await this.model.to(backend);
    return this;
  }

  /**
   * The one call after the device was lost: opens a fresh one where there is none, loads the weights from where they were loaded and adapters
   * from theirs. Nothing happens where nothing is lost. A model that was loaded with `recover` calls it by itself.
   * @throws DeviceLostError for what cannot come back: weights and adapters that were trained and not saved; BackendError without a device; what the source throws
   */
  async recover(): Promise<this> {
    await this.#recovery.recover();
    return this;
  }

  /** After a loss, the weights as their source has them, though they were trained since; adapters stay lost: `fit` has newer values. */
  async restoreBase(): Promise<void> {
    await this.#recovery.restoreBase();
  }

  /** Frees the weights. Sessions and chats are freed by themselves. */
  dispose(): void {
    this.#recovery.end();
    this.model.dispose();
  }

  #expectLanguage(what: string): void {
    const { kind } = this.model.resolved.head;
    if (kind !== "language")
      throw new ArgumentError(`${what}: the model does not write, its head is for ${kind}; see predict`);
  }

  #expectText(what: string): void {
    this.#expectLanguage(what);
    if (this.tokenizer === undefined)
      throw new ArgumentError(`${what}: the model has no tokenizer.json; a session reads and says ids`);
  }
}
