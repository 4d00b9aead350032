import { ArgumentError, FormatError } from "@statespace/core";
import { parseJinja, type Rendering } from "./jinja.ts";

/** One turn of a conversation. What a template reads beside role and content (`tool_calls`, `reasoning_content`) is passed on as it is. */
export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or what the template knows. */
  readonly role: string;
  readonly content?: unknown;
  readonly [key: string]: unknown;
}

/** What a conversation is rendered with. */
export interface ChatRenderOptions {
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly object[];
  /** Texts that the model may draw on. */
  readonly documents?: readonly object[];
  /** Ends with what begins the assistant's answer. Default false. */
  readonly addGenerationPrompt?: boolean;
  /** One of several templates by name; `tool_use` where there are tools and it exists, else `default`, unless told. */
  readonly template?: string;
  /** Further variables that the template asks for, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** The text of a template, or several by name, and the special tokens that it may write. */
export interface ChatTemplateParts {
  readonly templates: Readonly<Record<string, string>>;
  /** `bos_token`, `eos_token`, ... */
  readonly specialTokens?: Readonly<Record<string, string>>;
}

const OPTIONS = ["tools", "documents", "addGenerationPrompt", "template", "variables"];

/** Thrown inside a template by `raise_exception`. */
class Refusal extends Error {}

/**
 * A model's own way of writing a conversation as text, in Jinja, through `@huggingface/jinja`.
 * Source: Hugging Face transformers, "chat templates".
 */
export class ChatTemplate {
  readonly #templates: ReadonlyMap<string, Rendering>;
  readonly #specialTokens: Readonly<Record<string, string>>;

  private constructor(templates: ReadonlyMap<string, Rendering>, specialTokens: Readonly<Record<string, string>>) {
    this.#templates = templates;
    this.#specialTokens = specialTokens;
  }

  /** Errors: {@link FormatError} if a template is not valid Jinja; {@link ArgumentError} if there is none. */
  static async parse(from: string | ChatTemplateParts): Promise<ChatTemplate> {
    const { templates, specialTokens = {} } = typeof from === "string" ? { templates: { default: from } } : from;
    const entries = Object.entries(templates);
    if (entries.length === 0) throw new ArgumentError("ChatTemplate: templates must not be empty");
    const parsed = new Map<string, Rendering>();
    for (const [name, text] of entries) {
      try {
        parsed.set(name, await parseJinja(text));
      } catch (error) {
        const what = `chat template ${JSON.stringify(name)}: not valid Jinja: ${messageOf(error)}`;
        throw new FormatError(what, { cause: error });
      }
    }
    return new ChatTemplate(parsed, specialTokens);
  }

  /** Names of the templates. */
  get names(): readonly string[] {
    return [...this.#templates.keys()];
  }

  /**
   * The conversation as text, special tokens written out: encode it as it is.
   * Errors: {@link ArgumentError} if the messages are none, an option is unknown, or the template refuses the conversation (its own words are told);
   * {@link FormatError} if the template asks for something that is not there.
   */
  render(messages: readonly ChatMessage[], options: ChatRenderOptions = {}): string {
    checkMessages(messages);
    const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
    if (unknown !== undefined)
      throw new ArgumentError(`ChatTemplate: option ${JSON.stringify(unknown)} is not one of ${OPTIONS.join(", ")}`);
    const { tools, documents, addGenerationPrompt = false, variables = {} } = options;
    const template = this.#choose(options);
    try {
      return template({
        ...this.#specialTokens,
        ...variables,
        messages,
        add_generation_prompt: addGenerationPrompt,
        ...(tools === undefined ? {} : { tools }),
        ...(documents === undefined ? {} : { documents }),
        raise_exception: refuse,
      });
    } catch (error) {
      if (error instanceof Refusal)
        throw new ArgumentError(`chat template refuses: ${error.message}`, { cause: error });
      throw new FormatError(`chat template: cannot be rendered: ${messageOf(error)}`, { cause: error });
    }
  }

  #choose({ template, tools }: ChatRenderOptions): Rendering {
    const name = template ?? (tools !== undefined && this.#templates.has("tool_use") ? "tool_use" : "default");
    const only = template === undefined && this.#templates.size === 1 ? [...this.#templates.values()][0] : undefined;
    const found = this.#templates.get(name) ?? only;
    if (found !== undefined) return found;
    throw new ArgumentError(
      `ChatTemplate: template must be one of ${this.names.join(", ")}, got ${JSON.stringify(name)}`,
    );
  }
}

function checkMessages(messages: readonly ChatMessage[]): void {
  if (!Array.isArray(messages)) throw new ArgumentError("ChatTemplate: messages must be a list");
  for (const [i, message] of messages.entries()) {
    const role: unknown = typeof message === "object" && message !== null ? message.role : undefined;
    if (typeof role !== "string")
      throw new ArgumentError(`ChatTemplate: messages[${i}].role must be a text, got ${String(role)}`);
  }
}

function refuse(message: unknown): never {
  throw new Refusal(String(message));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
