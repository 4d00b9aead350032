import type { GenerationPiece } from "@statespace/models";
import { asApiError } from "./apiError.ts";
import type { ChatRequest } from "./chatRequest.ts";
import { merge } from "./merge.ts";
import type { Choice, ModelHost } from "./modelHost.ts";
import { parseCall, ToolCallSplitter, type ToolCall } from "./toolCalls.ts";
import { chatLogprob, finishReason, usageOf } from "./usage.ts";

/** What a piece of an answer is: text, calls. */
interface Part {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

/** Tells text and calls of one answer apart as it comes. */
class Reader {
  readonly #mode: ChatRequest["tools"];
  readonly #splitter = new ToolCallSplitter();
  #all = "";
  calls = 0;

  constructor(mode: ChatRequest["tools"]) {
    this.#mode = mode;
  }

  read({ text, done }: GenerationPiece): Part {
    const part = this.#read(text, done);
    this.calls += part.calls.length;
    return part;
  }

  #read(text: string, done: boolean): Part {
    if (this.#mode === "none") return { text, calls: [] };
    if (this.#mode === "forced") {
      this.#all += text;
      const call = done ? parseCall(this.#all) : undefined;
      return { text: done && call === undefined ? this.#all : "", calls: call === undefined ? [] : [call] };
    }
    const first = this.#splitter.push(text);
    if (!done) return first;
    const rest = this.#splitter.flush();
    return { text: first.text + rest.text, calls: [...first.calls, ...rest.calls] };
  }
}

const reason = (choice: Choice, { calls }: Reader): string =>
  calls > 0 ? "tool_calls" : finishReason(choice.generation.finish);

const head = (object: string, { name }: ModelHost): object => ({
  id: `chatcmpl-${crypto.randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: name,
});

/** The whole answer. */
export async function wholeChat(host: ModelHost, request: ChatRequest, choices: readonly Choice[]): Promise<object> {
  const answers = await Promise.all(
    choices.map(async (choice) => {
      const reader = new Reader(request.tools);
      let content = "";
      const calls: ToolCall[] = [];
      const logprobs: object[] = [];
      for await (const piece of choice.generation) {
        const part = reader.read(piece);
        content += part.text;
        calls.push(...part.calls);
        if (request.logprobs) logprobs.push(chatLogprob(host.lm.tokenizer!, piece));
      }
      return {
        index: choice.index,
        message: {
          role: "assistant",
          content: calls.length > 0 && content.trim() === "" ? null : content,
          refusal: null,
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        },
        logprobs: request.logprobs ? { content: logprobs, refusal: null } : null,
        finish_reason: reason(choice, reader),
      };
    }),
  );
  return { ...head("chat.completion", host), choices: answers, usage: usageOf(choices, request.n) };
}

/** The answer as events. What goes wrong after the first is an event, too. */
export async function* chatEvents(
  host: ModelHost,
  request: ChatRequest,
  choices: readonly Choice[],
): AsyncGenerator<object> {
  const own = head("chat.completion.chunk", host);
  const event = (
    index: number,
    delta: object,
    finish: string | null = null,
    logprobs: object | null = null,
  ): object => ({
    ...own,
    choices: [{ index, delta, logprobs, finish_reason: finish }],
    ...(request.includeUsage ? { usage: null } : {}),
  });
  const readers = choices.map(() => new Reader(request.tools));
  try {
    for (const { index } of choices) yield event(index, { role: "assistant", content: "" });
    for await (const { from, value: piece } of merge(choices.map(({ generation }) => generation))) {
      const { index } = choices[from]!;
      const had = readers[from]!.calls;
      const { text, calls } = readers[from]!.read(piece);
      const told = request.logprobs ? { content: [chatLogprob(host.lm.tokenizer!, piece)], refusal: null } : null;
      if (text !== "" || told !== null) yield event(index, { content: text }, null, told);
      for (const [i, call] of calls.entries()) yield event(index, { tool_calls: [{ index: had + i, ...call }] });
      if (piece.done) yield event(index, {}, reason(choices[from]!, readers[from]!));
    }
    if (request.includeUsage) yield { ...own, choices: [], usage: usageOf(choices, request.n) };
  } catch (error) {
    yield asApiError(error).toJson();
  }
}
