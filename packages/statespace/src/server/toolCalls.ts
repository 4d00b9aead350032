/** A function that a model wants to be called, as OpenAI's clients read it. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

const BEGIN = "<tool_call>";
const END = "</tool_call>";

/**
 * Takes calls out of a text as it comes: `<tool_call>{"name": .., "arguments": ..}</tool_call>`, as the templates of most open models ask for.
 * What may become the beginning of one is held back; what turns out to be none is text.
 */
export class ToolCallSplitter {
  #held = "";

  /** Takes more of the text. */
  push(text: string): { text: string; calls: ToolCall[] } {
    this.#held += text;
    let out = "";
    const calls: ToolCall[] = [];
    for (;;) {
      const from = this.#held.indexOf(BEGIN);
      if (from < 0) break;
      const until = this.#held.indexOf(END, from);
      if (until < 0) {
        out += this.#held.slice(0, from);
        this.#held = this.#held.slice(from);
        return { text: out, calls };
      }
      const call = parseCall(this.#held.slice(from + BEGIN.length, until));
      out += this.#held.slice(0, call === undefined ? until + END.length : from);
      if (call !== undefined) calls.push(call);
      this.#held = this.#held.slice(until + END.length);
    }
    const keep = heldLength(this.#held);
    out += this.#held.slice(0, this.#held.length - keep);
    this.#held = this.#held.slice(this.#held.length - keep);
    return { text: out, calls };
  }

  /** The rest, at the end: a call that lacks its end mark counts where it is whole. */
  flush(): { text: string; calls: ToolCall[] } {
    const rest = this.#held;
    this.#held = "";
    const call = rest.startsWith(BEGIN) ? parseCall(rest.slice(BEGIN.length)) : undefined;
    return call === undefined ? { text: rest, calls: [] } : { text: "", calls: [call] };
  }
}

/** A call from its JSON, undefined where it is none. */
export function parseCall(text: string): ToolCall | undefined {
  try {
    const { name, arguments: given, parameters } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof name !== "string") return undefined;
    const values = given ?? parameters ?? {};
    const id = `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`;
    const json = typeof values === "string" ? values : JSON.stringify(values);
    return { id, type: "function", function: { name, arguments: json } };
  } catch {
    return undefined;
  }
}

/** Length of the longest tail that may begin a mark. */
function heldLength(text: string): number {
  for (let length = Math.min(BEGIN.length - 1, text.length); length > 0; length--)
    if (BEGIN.startsWith(text.slice(-length))) return length;
  return 0;
}
