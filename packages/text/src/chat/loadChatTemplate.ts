import { FormatError } from "@statespace/core";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  openSource,
  type OpenSourceOptions,
  readJson,
  type ReadOptions,
  type Source,
  type SourceLike,
} from "@statespace/files";
import { ChatTemplate } from "./chatTemplate.ts";

const TEMPLATE_FILE = "chat_template.jinja";
const OLDER_FILE = "chat_template.json";
const CONFIG_FILE = "tokenizer_config.json";
const SPECIAL_TOKENS = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/**
 * The chat template of a model: `chat_template.jinja`, or what `tokenizer_config.json` or `chat_template.json` hold; `undefined` if it has none.
 * Errors: {@link FormatError} if a file is damaged or the template is not valid Jinja; {@link SourceError}; {@link AbortedError}.
 */
export async function loadChatTemplate(
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions = {},
): Promise<ChatTemplate | undefined> {
  const source = openSource(from, options);
  const { signal } = options;
  const config = (await readJson(source, CONFIG_FILE, { signal })) ?? {};
  const templates = (await ownFile(source, { signal })) ?? named(config.chat_template, CONFIG_FILE);
  const found = templates ?? named((await readJson(source, OLDER_FILE, { signal }))?.chat_template, OLDER_FILE);
  if (found === undefined) return undefined;
  return ChatTemplate.parse({ templates: found, specialTokens: specialTokens(config) });
}

async function ownFile(source: Source, options: ReadOptions): Promise<Record<string, string> | undefined> {
  const bytes = await source.read(TEMPLATE_FILE, options);
  if (bytes === undefined) return undefined;
  try {
    return { default: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw new FormatError(`${TEMPLATE_FILE}: must be UTF-8 text`, { cause });
  }
}

/** One template, or a list of `{ name, template }`. */
function named(value: JsonValue | undefined, file: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return { default: value };
  const entries = Array.isArray(value) ? value.filter(isJsonObject) : [];
  const pairs = entries.map(({ name, template }) => [name, template]);
  const ok = pairs.length > 0 && pairs.every((pair) => pair.every((part) => typeof part === "string"));
  if (!ok || !Array.isArray(value) || value.length !== pairs.length)
    throw new FormatError(`${file}: chat_template must be a text or a list of { name, template }`);
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** Each is written as its text, or as an object that holds it. */
function specialTokens(config: JsonObject): Record<string, string> {
  const tokens = SPECIAL_TOKENS.map((key) => {
    const value = config[key];
    return [key, isJsonObject(value) ? value.content : value];
  });
  return Object.fromEntries(tokens.filter(([, text]) => typeof text === "string")) as Record<string, string>;
}
