import type { LoadedModel } from "@statespace/models";
import type { Grammar } from "@statespace/models/grammar";
import { ApiError } from "./apiError.ts";
import type { RequestFields } from "./fields.ts";

/** The schema that a request's `response_format` asks for. @throws ApiError for one that is none. */
export function responseFormatOf(fields: RequestFields): object | true | undefined {
  const format = fields.object("response_format");
  if (format === undefined || format["type"] === "text") return undefined;
  if (format["type"] === "json_object") return true;
  const { schema } = (format["json_schema"] ?? {}) as { schema?: unknown };
  if (format["type"] !== "json_schema" || typeof schema !== "object" || schema === null)
    fields.wrong("response_format", "text, json_object, or json_schema with a schema");
  return schema as object;
}

/** Holds answers to a schema. @throws ApiError where it cannot be done. */
export async function schemaGrammar(
  jsonSchema: object | true,
  { tokenizer, model, defaults }: LoadedModel,
): Promise<Grammar> {
  if (tokenizer === undefined) throw new ApiError(400, "a schema needs a model with a tokenizer");
  const { compileGrammar } = await import("@statespace/models/grammar");
  const eosTokenIds = defaults.eosTokenIds ?? model.resolved.eosTokenIds;
  try {
    return await compileGrammar(tokenizer, { jsonSchema }, { vocabSize: model.vocabSize, eosTokenIds });
  } catch (error) {
    const installed = (error as Error).name === "ArgumentError";
    throw new ApiError(installed ? 400 : 501, (error as Error).message, { param: "response_format" });
  }
}
