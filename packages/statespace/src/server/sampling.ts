import type { StreamOptions } from "@statespace/models";
import { ApiError } from "./apiError.ts";
import type { RequestFields } from "./fields.ts";

/** Fields that clients send and that change nothing here. */
export const PASSED_OVER: readonly string[] = [
  "user",
  "store",
  "metadata",
  "service_tier",
  "parallel_tool_calls",
  "safety_identifier",
  "prompt_cache_key",
  "verbosity",
  "reasoning_effort",
];

/** Options of a text, by the names of OpenAI's requests and, beyond those, of transformers in snake case. */
export function samplingOf(fields: RequestFields, most: number): StreamOptions {
  const stop = stopOf(fields);
  const least = fields.integer("max_completion_tokens", 0, 2 ** 31);
  const options = {
    maxNewTokens: Math.min(most, least ?? fields.integer("max_tokens", 0, 2 ** 31) ?? most),
    temperature: fields.number("temperature", 0, 100),
    topP: positive(fields, "top_p"),
    topK: fields.integer("top_k", 0, 2 ** 31),
    minP: fields.number("min_p", 0, 1),
    typicalP: positive(fields, "typical_p"),
    presencePenalty: fields.number("presence_penalty", -100, 100),
    frequencyPenalty: fields.number("frequency_penalty", -100, 100),
    repetitionPenalty: fields.number("repetition_penalty", 1e-3, 1000),
    noRepeatNgramSize: fields.integer("no_repeat_ngram_size", 0, 2 ** 20),
    minNewTokens: fields.integer("min_tokens", 0, 2 ** 31),
    seed: fields.integer("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    logitBias: biasOf(fields),
    stop,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as StreamOptions;
}

/** OpenAI's 0 is what a sampler cannot do: it then takes the most probable token. */
function positive(fields: RequestFields, name: string): number | undefined {
  const value = fields.number(name, 0, 1);
  return value === 0 ? 1e-6 : value;
}

function stopOf(fields: RequestFields): readonly string[] | undefined {
  const stop = fields.raw("stop");
  if (stop === undefined) return undefined;
  const all: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  if (all.length > 16 || !all.every((text) => typeof text === "string" && text !== "" && text.length <= 1000))
    fields.wrong("stop", "a text or up to 16 of them, none empty");
  return all as readonly string[];
}

function biasOf(fields: RequestFields): Record<number, number> | undefined {
  const bias = fields.object("logit_bias");
  if (bias === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(bias).map(([id, value]) => {
      if (!/^\d{1,9}$/.test(id) || typeof value !== "number" || !(value >= -100 && value <= 100))
        throw new ApiError(400, "logit_bias must have numbers in [-100, 100] for token ids", { param: "logit_bias" });
      // As there: the ends forbid a token, or all others.
      return [Number(id), value === -100 ? Number.NEGATIVE_INFINITY : value === 100 ? 1e4 : value];
    }),
  );
}
