import { ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { ChatMessage, ChatRenderOptions, ChatTemplate } from "@statespace/text";
import type { StreamOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** How a chat begins. */
export interface ChatOptions {
  /** The model's own, see `loadChatTemplate`. */
  readonly template: ChatTemplate;
  /** The first message, of role `system`. */
  readonly system?: string;
  /** What the template is rendered with, such as `tools` or `variables`. */
  readonly render?: Omit<ChatRenderOptions, "addGenerationPrompt">;
}

/** What a chat keeps in its session's notes. */
interface ChatNotes {
  readonly messages: readonly ChatMessage[];
  /** The conversation as the template writes it, as far as the session has read and said it. */
  readonly written: string;
}

const CHAT_NAMES = { chatTemplate: "template", systemPrompt: "system", systemMessage: "system" };

/**
 * A conversation in a session: what is new of it goes in, and the state keeps the rest. It is part of the session, so that saving, forking
 * and rewinding that keep the messages too: `new Chat(session.fork(), options)` goes on from there.
 */
export class Chat {
  readonly session: Session;
  readonly #options: ChatOptions;

  /** @throws ArgumentError for a session without a tokenizer, or with text that is no chat. */
  constructor(session: Session, options: ChatOptions) {
    refuseUnknown("Chat", options, ["template", "system", "render"], CHAT_NAMES);
    if (session.tokenizer === undefined || session.rows !== 1)
      throw new ArgumentError("Chat: needs a session of one text with a tokenizer");
    this.session = session;
    this.#options = options;
    if (session.ids.length > 0 && session.notes["chat"] === undefined)
      throw new ArgumentError("Chat: the session has read something that is no chat");
  }

  /** The conversation so far. */
  get messages(): readonly ChatMessage[] {
    return this.#notes.messages;
  }

  /**
   * Says something to the model, and streams its answer; left early, the answer is what was streamed.
   * @throws ArgumentError as `Session.stream`, and where the template refuses the conversation; AbortedError.
   */
  async *say(message: string | ChatMessage, options: StreamOptions = {}): AsyncGenerator<string, void, undefined> {
    const next = typeof message === "string" ? { role: "user", content: message } : message;
    const messages = [...this.messages, next];
    const { template, render } = this.#options;
    const prompt = template.render(messages, { ...render, addGenerationPrompt: true });
    await this.#read(prompt, options.signal);
    this.#note({ messages, written: prompt });
    const from = this.session.ids.length;
    let answer = "";
    try {
      for await (const text of this.session.stream(options)) {
        answer += text;
        yield text;
      }
    } finally {
      const said = this.session.tokenizer!.decode(this.session.ids.slice(from), { special: true });
      this.#note({ messages: [...messages, { role: "assistant", content: answer }], written: prompt + said });
    }
  }

  /** The conversation as bytes: state, text, messages and generator; `restore` goes on from there as if it had not ended. @throws as `Session.save`. */
  save(): Promise<Uint8Array> {
    return this.session.save();
  }

  /** Goes on from a conversation that was saved, with the same model and template. @throws FormatError; ArgumentError for a session that is no chat, which then is forgotten. */
  restore(saved: Uint8Array): this {
    this.session.restore(saved);
    if (this.session.notes["chat"] !== undefined) return this;
    this.session.clear();
    throw new ArgumentError("Chat: the saved session is no chat");
  }

  /** Frees the session. */
  dispose(): void {
    this.session.dispose();
  }

  /** Reads what is new. Where the template writes what was said otherwise than it was said, all of it is read anew. */
  async #read(prompt: string, signal: AbortSignal | undefined): Promise<void> {
    const { written } = this.#notes;
    const goesOn = prompt.startsWith(written) && prompt.length > written.length;
    if (!goesOn) this.session.clear();
    await this.session.read(goesOn ? prompt.slice(written.length) : prompt, { signal });
  }

  get #notes(): ChatNotes {
    const notes = this.session.notes["chat"] as ChatNotes | undefined;
    const { system } = this.#options;
    return notes ?? { messages: system === undefined ? [] : [{ role: "system", content: system }], written: "" };
  }

  #note(notes: ChatNotes): void {
    this.session.notes["chat"] = notes;
  }
}
