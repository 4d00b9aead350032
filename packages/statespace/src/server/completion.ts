import type { GenerationPiece, StreamOptions } from "@statespace/models";
import { asApiError, ApiError } from "./apiError.ts";
import { mannerOf, type Manner } from "./chatRequest.ts";
import { RequestFields } from "./fields.ts";
import { merge } from "./merge.ts";
import type { Choice, ModelHost } from "./modelHost.ts";
import { responseFormatOf, schemaGrammar } from "./responseFormat.ts";
import { PASSED_OVER, samplingOf } from "./sampling.ts";
import { completionLogprobs, finishReason, usageOf } from "./usage.ts";
import type { Grammar } from "@statespace/models/grammar";

/** A completion request, read. */
export interface CompletionRequest extends Manner {
  readonly prompts: readonly (string | readonly number[])[];
  readonly echo: boolean;
  readonly options: StreamOptions;
  readonly grammar: Grammar | undefined;
}

const MOST_PROMPTS = 64;

/** @throws ApiError for a field that is unknown or wrong. */
export async function readCompletionRequest(
  body: unknown,
  { lm }: ModelHost,
  most: number,
): Promise<CompletionRequest> {
  const fields = new RequestFields(body);
  fields.raw("model");
  const prompts = promptsOf(fields);
  const top = fields.integer("logprobs", 0, 20);
  const echo = fields.boolean("echo") ?? false;
  const manner = mannerOf(fields);
  const format = responseFormatOf(fields);
  // As there: a completion is short unless told.
  const sampling = { maxNewTokens: Math.min(16, most), ...samplingOf(fields, most) };
  if (fields.raw("max_tokens") === undefined && fields.raw("max_completion_tokens") === undefined)
    sampling.maxNewTokens = Math.min(16, most);
  fields.refuseOthers([...PASSED_OVER, "suffix", "best_of"]);
  if (lm.tokenizer === undefined) throw new ApiError(400, "the model has no tokenizer", { param: "model" });
  const grammar = format === undefined ? undefined : await schemaGrammar(format, lm);
  return {
    ...manner,
    prompts,
    echo,
    logprobs: top !== undefined,
    grammar,
    options: {
      ...sampling,
      ...(grammar === undefined ? {} : { guide: grammar.guide }),
      ...(top === undefined ? {} : { logprobs: true, topLogprobs: top }),
    },
  };
}

const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id));

function promptsOf(fields: RequestFields): (string | readonly number[])[] {
  const prompt = fields.raw("prompt");
  if (typeof prompt === "string") return [prompt];
  if (isIds(prompt)) return [prompt];
  const all = Array.isArray(prompt) && prompt.length > 0 && prompt.length <= MOST_PROMPTS ? (prompt as unknown[]) : [];
  if (all.length === 0 || !all.every((one) => typeof one === "string" || isIds(one)))
    fields.wrong("prompt", `a text, a list of token ids, or up to ${MOST_PROMPTS} of them`);
  return all as (string | readonly number[])[];
}

const head = ({ name }: ModelHost): object => ({
  id: `cmpl-${crypto.randomUUID()}`,
  object: "text_completion",
  created: Math.floor(Date.now() / 1000),
  model: name,
});

function echoed(host: ModelHost, { echo, prompts, n }: CompletionRequest, { index }: Choice): string {
  const prompt = prompts[Math.floor(index / n)]!;
  return !echo ? "" : typeof prompt === "string" ? prompt : host.lm.tokenizer!.decode(prompt);
}

/** The whole answer. */
export async function wholeCompletion(
  host: ModelHost,
  request: CompletionRequest,
  choices: readonly Choice[],
): Promise<object> {
  const answers = await Promise.all(
    choices.map(async (choice) => {
      const before = echoed(host, request, choice);
      let text = before;
      const pieces: GenerationPiece[] = [];
      for await (const piece of choice.generation) {
        text += piece.text;
        pieces.push(piece);
      }
      return {
        index: choice.index,
        text,
        logprobs: request.logprobs ? completionLogprobs(host.lm.tokenizer!, pieces, before.length) : null,
        finish_reason: finishReason(choice.generation.finish),
      };
    }),
  );
  return { ...head(host), choices: answers, usage: usageOf(choices, request.n) };
}

/** The answer as events. */
export async function* completionEvents(
  host: ModelHost,
  request: CompletionRequest,
  choices: readonly Choice[],
): AsyncGenerator<object> {
  const own = head(host);
  const offsets = choices.map(() => 0);
  const event = (index: number, text: string, logprobs: object | null, finish: string | null): object => ({
    ...own,
    choices: [{ index, text, logprobs, finish_reason: finish }],
  });
  try {
    for (const choice of choices) {
      const text = echoed(host, request, choice);
      offsets[choice.index] = text.length;
      if (text !== "") yield event(choice.index, text, null, null);
    }
    for await (const { from, value: piece } of merge(choices.map(({ generation }) => generation))) {
      const { index, generation } = choices[from]!;
      const told = request.logprobs ? completionLogprobs(host.lm.tokenizer!, [piece], offsets[from]!) : null;
      offsets[from]! += piece.text.length;
      if (piece.text !== "" || told !== null || piece.done)
        yield event(index, piece.text, told, piece.done ? finishReason(generation.finish) : null);
    }
    if (request.includeUsage) yield { ...own, choices: [], usage: usageOf(choices, request.n) };
  } catch (error) {
    yield asApiError(error).toJson();
  }
}
