import type { StreamOptions } from "@statespace/models";
import type { ChatMessage } from "@statespace/text";
import { ApiError } from "./apiError.ts";
import { RequestFields, type Json } from "./fields.ts";
import type { ModelHost } from "./modelHost.ts";
import { PASSED_OVER, samplingOf } from "./sampling.ts";
import { schemaGrammar, responseFormatOf } from "./responseFormat.ts";
import type { Grammar } from "@statespace/models/grammar";

/** How answers are to come. */
export interface Manner {
  readonly n: number;
  readonly stream: boolean;
  /** The last event of a stream tells the usage. */
  readonly includeUsage: boolean;
  readonly logprobs: boolean;
}

/** A chat request, read. */
export interface ChatRequest extends Manner {
  readonly prompt: string;
  readonly options: StreamOptions;
  readonly grammar: Grammar | undefined;
  /** The answer is read for calls; `"forced"` where it must be one. */
  readonly tools: "none" | "auto" | "forced";
}

const MOST_CHOICES = 128;

/** Fields that chat and completion share. */
export function mannerOf(fields: RequestFields): Omit<Manner, "logprobs"> {
  const stream = fields.boolean("stream") ?? false;
  const more = fields.object("stream_options");
  return { n: fields.integer("n", 1, MOST_CHOICES) ?? 1, stream, includeUsage: more?.["include_usage"] === true };
}

/** @throws ApiError for a field that is unknown or wrong, or a model that does not chat. */
export async function readChatRequest(body: unknown, { lm }: ModelHost, most: number): Promise<ChatRequest> {
  const fields = new RequestFields(body);
  fields.raw("model");
  const messages = messagesOf(fields);
  const { template, tokenizer } = lm;
  if (template === undefined || tokenizer === undefined)
    throw new ApiError(400, "the model has no chat template; use /v1/completions", { param: "model" });
  const tools = toolsOf(fields);
  const forced = forcedTool(fields, tools);
  const format = responseFormatOf(fields);
  const logprobs = fields.boolean("logprobs") ?? false;
  const topLogprobs = fields.integer("top_logprobs", 0, 20) ?? 0;
  const manner = mannerOf(fields);
  const sampling = samplingOf(fields, most);
  const variables = fields.object("chat_template_kwargs");
  const usesTools = tools !== undefined && fields.raw("tool_choice") !== "none";
  fields.refuseOthers(PASSED_OVER);
  const prompt = template.render(messages, {
    addGenerationPrompt: true,
    ...(usesTools ? { tools } : {}),
    ...(variables === undefined ? {} : { variables }),
  });
  const schema = forced ?? format;
  const grammar = schema === undefined ? undefined : await schemaGrammar(schema, lm);
  return {
    ...manner,
    logprobs,
    prompt,
    grammar,
    tools: forced !== undefined ? "forced" : usesTools ? "auto" : "none",
    options: {
      ...sampling,
      ...(grammar === undefined ? {} : { guide: grammar.guide }),
      ...(logprobs || topLogprobs > 0 ? { logprobs: true, topLogprobs } : {}),
    },
  };
}

function messagesOf(fields: RequestFields): ChatMessage[] {
  const messages = fields.raw("messages");
  if (!Array.isArray(messages) || messages.length === 0) fields.wrong("messages", "a list of messages, not empty");
  return (messages as unknown[]).map((message, i) => {
    const { role, content, ...rest } = (message ?? {}) as Json;
    if (typeof role !== "string") fields.wrong(`messages[${i}].role`, "a string");
    return { ...rest, role: role as string, content: textOf(content, `messages[${i}].content`, fields) };
  });
}

/** Content as one text: templates know of no parts. */
function textOf(content: unknown, name: string, fields: RequestFields): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) fields.wrong(name, "a text, or a list of parts of type text");
  return (content as unknown[])
    .map((part) => {
      const { type, text } = (part ?? {}) as Json;
      if (type !== "text" || typeof text !== "string") fields.wrong(name, "a text, or a list of parts of type text");
      return text as string;
    })
    .join("");
}

interface Tool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly parameters?: object };
}

function toolsOf(fields: RequestFields): Tool[] | undefined {
  const tools = fields.raw("tools");
  if (tools === undefined) return undefined;
  const isTool = (tool: unknown): boolean => {
    const { type, function: own } = (tool ?? {}) as Json;
    return type === "function" && typeof (own as Json | undefined)?.["name"] === "string";
  };
  if (!Array.isArray(tools) || !tools.every(isTool)) fields.wrong("tools", "a list of functions with names");
  return (tools as Tool[]).length === 0 ? undefined : (tools as Tool[]);
}

/** The schema of a call that must be made, if one must. */
function forcedTool(fields: RequestFields, tools: readonly Tool[] = []): object | undefined {
  const choice = fields.raw("tool_choice");
  if (choice === undefined || choice === "auto" || choice === "none") return undefined;
  const name = ((choice as Json)["function"] as Json | undefined)?.["name"];
  const meant = choice === "required" ? tools : tools.filter(({ function: own }) => own.name === name);
  if (meant.length === 0) fields.wrong("tool_choice", "auto, none, required, or one of the tools");
  const calls = meant.map(({ function: own }) => ({
    type: "object",
    properties: { name: { const: own.name }, arguments: own.parameters ?? { type: "object" } },
    required: ["name", "arguments"],
    additionalProperties: false,
  }));
  return calls.length === 1 ? calls[0] : { anyOf: calls };
}
