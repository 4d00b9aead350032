import { FormatError } from "@statespace/core";
import { byteCharacters } from "../byteAlphabet.ts";
import { BpeTokenizer, type Merge } from "./bpeTokenizer.ts";

/**
 * Reads a tokenizer.json that `BpeTokenizer` wrote.
 * Errors: `FormatError` for anything else, also for other kinds of tokenizers (`@huggingface/tokenizers` reads those).
 */
export function readBpe(text: string): BpeTokenizer {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("tokenizer.json: not JSON", { cause });
  }
  const model = field(file, "model");
  if (field(model, "type") !== "BPE" || field(field(file, "pre_tokenizer"), "type") !== "ByteLevel") {
    throw new FormatError("tokenizer.json: only BPE with a ByteLevel pre-tokenizer is read here");
  }
  const added = asArray(field(file, "added_tokens"), "added_tokens");
  const specialTokens = added.map((entry, i) => {
    const content = field(entry, "content");
    if (typeof content !== "string" || content === "" || field(entry, "id") !== i)
      throw new FormatError(`tokenizer.json: added token ${i} must have id ${i} and a text`);
    return content;
  });
  const ids = new Map<string, number>(byteCharacters().map((symbol, byte) => [symbol, specialTokens.length + byte]));
  const merges = asArray(field(model, "merges"), "merges").map((entry, rank) =>
    readMerge(entry, rank, ids, specialTokens.length),
  );
  const tokenizer = build(merges, specialTokens);
  checkVocab(field(model, "vocab"), tokenizer);
  return tokenizer;
}

function readMerge(entry: unknown, rank: number, ids: Map<string, number>, specials: number): Merge {
  const parts: unknown[] = typeof entry === "string" ? entry.split(" ") : asArray(entry, `merge ${rank}`);
  const [left, right] = parts.map((part) => ids.get(part as string));
  if (parts.length !== 2 || left === undefined || right === undefined) {
    throw new FormatError(
      `tokenizer.json: merge ${rank} must join two tokens made before it, got ${JSON.stringify(entry)?.slice(0, 80)}`,
    );
  }
  ids.set(`${String(parts[0])}${String(parts[1])}`, specials + 256 + rank);
  return [left, right];
}

function build(merges: readonly Merge[], specialTokens: readonly string[]): BpeTokenizer {
  try {
    return new BpeTokenizer(merges, specialTokens);
  } catch (cause) {
    throw new FormatError(`tokenizer.json: ${(cause as Error).message}`, { cause });
  }
}

function checkVocab(vocab: unknown, tokenizer: BpeTokenizer): void {
  if (typeof vocab !== "object" || vocab === null) throw new FormatError("tokenizer.json: vocab must be an object");
  const size = Object.keys(vocab).length;
  if (size !== tokenizer.vocabSize)
    throw new FormatError(`tokenizer.json: vocab must have ${tokenizer.vocabSize} tokens, got ${size}`);
  for (let id = 0; id < size; id++) {
    const symbol = tokenizer.symbol(id);
    if (field(vocab, symbol) !== id)
      throw new FormatError(
        `tokenizer.json: ${JSON.stringify(symbol)} must have id ${id}, got ${String(field(vocab, symbol))}`,
      );
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function asArray(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new FormatError(`tokenizer.json: ${name} must be a list`);
  return value;
}
