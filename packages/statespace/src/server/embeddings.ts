import { ApiError } from "./apiError.ts";
import { RequestFields } from "./fields.ts";
import type { ModelHost } from "./modelHost.ts";
import { PASSED_OVER } from "./sampling.ts";

const MOST_INPUTS = 256;
const MOST_TOKENS = 65_536;

/** Answers `/v1/embeddings`: the mean of the last layer's tokens, of length 1; `pooling: "last"` takes the last token's. */
export async function embeddings(body: unknown, { name, lm }: ModelHost, signal: AbortSignal): Promise<object> {
  const fields = new RequestFields(body);
  fields.raw("model");
  const inputs = inputsOf(fields);
  const format = fields.string("encoding_format") ?? "float";
  const pooling = fields.string("pooling") ?? "mean";
  if (format !== "float" && format !== "base64") fields.wrong("encoding_format", "float or base64");
  if (pooling !== "mean" && pooling !== "last") fields.wrong("pooling", "mean or last");
  const dimensions = fields.integer("dimensions", lm.model.resolved.dModel, lm.model.resolved.dModel);
  fields.refuseOthers(PASSED_OVER);
  let tokens = 0;
  const data: object[] = [];
  for (const [index, input] of inputs.entries()) {
    signal.throwIfAborted();
    const ids = typeof input === "string" ? encoded(lm, input) : Int32Array.from(input);
    if (ids.length === 0 || ids.length > MOST_TOKENS) fields.wrong("input", `texts of 1 to ${MOST_TOKENS} tokens`);
    tokens += ids.length;
    const { embedding } = await lm.inspect(ids);
    const values = unit(embedding[pooling as "mean" | "last"]).subarray(0, dimensions);
    data.push({ object: "embedding", index, embedding: format === "base64" ? base64(values) : [...values] });
    // Between two texts others get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { object: "list", data, model: name, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function inputsOf(fields: RequestFields): (string | readonly number[])[] {
  const input = fields.raw("input");
  const isIds = (value: unknown): boolean =>
    Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id));
  const all: unknown[] = typeof input === "string" || isIds(input) ? [input] : Array.isArray(input) ? input : [];
  if (
    all.length === 0 ||
    all.length > MOST_INPUTS ||
    !all.every((one) => (typeof one === "string" && one !== "") || isIds(one))
  )
    fields.wrong("input", `a text, a list of token ids, or up to ${MOST_INPUTS} of them, none empty`);
  return all as (string | readonly number[])[];
}

function encoded({ tokenizer }: ModelHost["lm"], text: string): Int32Array {
  if (tokenizer === undefined)
    throw new ApiError(400, "the model has no tokenizer; send token ids", { param: "model" });
  return tokenizer.encode(text);
}

/** The vector of length 1 in its direction. */
function unit(values: Float32Array): Float32Array {
  const length = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return length > 0 ? values.map((x) => x / length) : values;
}

function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}
