import { FormatError } from "@statespace/core";
import { expressionFault } from "./expressionCost.ts";

/** Ids have lists as long as the largest of them: far beyond every vocabulary there is, and still built in an instant. */
const LARGEST_ID = 2 ** 22;
const DEEPEST = 100;

/**
 * Checks what a `tokenizer.json` says before anything is built from it: ids that are whole numbers of a size a list can have, texts where
 * texts must be, and expressions that end in a time in proportion to the text.
 * @throws FormatError naming the entry.
 */
export function checkTokenizerJson(json: Readonly<Record<string, unknown>>): void {
  const { model, added_tokens: added } = json;
  if (!isObject(model)) throw fault("model must be an object");
  checkVocabulary(model["vocab"]);
  checkMerges(model["merges"]);
  if (added !== undefined && added !== null) checkAdded(added);
  checkParts(json, "", 0);
}

function checkVocabulary(vocab: unknown): void {
  if (Array.isArray(vocab)) {
    // Unigram: a token with its score, in the order of ids.
    vocab.forEach((entry: unknown, id) => {
      const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof token !== "string" || typeof score !== "number")
        throw fault(`vocab: entry ${id} must be a text and a score, got ${show(entry)}`);
    });
    return;
  }
  if (!isObject(vocab)) throw fault(`vocab must be an object or a list, got ${show(vocab)}`);
  for (const token in vocab) checkId(vocab[token], "vocab", token);
}

function checkMerges(merges: unknown): void {
  if (merges === undefined || merges === null) return;
  if (!Array.isArray(merges)) throw fault(`merges must be a list, got ${show(merges)}`);
  merges.forEach((merge: unknown, rank) => {
    const parts: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    const joins = Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === "string");
    if (!joins) throw fault(`merge ${rank} must join two tokens, got ${show(merge)}`);
  });
}

function checkAdded(added: unknown): void {
  if (!Array.isArray(added)) throw fault(`added_tokens must be a list, got ${show(added)}`);
  added.forEach((token: unknown, i) => {
    if (!isObject(token) || typeof token["content"] !== "string")
      throw fault(`added token ${i} must be an object with a text, got ${show(token)}`);
    checkId(token["id"], "added_tokens", token["content"]);
  });
}

function checkId(id: unknown, where: string, token: string): void {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < LARGEST_ID) return;
  throw fault(`${where}: the id of ${show(token)} must be a whole number in [0, ${LARGEST_ID}), got ${show(id)}`);
}

/** Every part but the tables: where it holds an expression, the expression; and a type wherever there is a part. */
function checkParts(value: unknown, path: string, depth: number): void {
  if (depth > DEEPEST) throw fault(`${path.slice(0, 80)}: more than ${DEEPEST} parts inside each other`);
  if (Array.isArray(value)) value.forEach((each, i) => checkParts(each, `${path}[${i}]`, depth + 1));
  else if (isObject(value))
    for (const [key, each] of Object.entries(value)) {
      if (depth <= 1 && (key === "vocab" || key === "merges" || key === "added_tokens")) continue;
      if (key === "pattern") checkPattern(each, path);
      if (key === "Regex") checkExpression(each, path);
      else checkParts(each, path === "" ? key : `${path}.${key}`, depth + 1);
    }
}

/** A text or an expression; anything else would match nothing, silently. */
function checkPattern(pattern: unknown, path: string): void {
  const { String: text, Regex: expression } = isObject(pattern) ? pattern : {};
  if (typeof text === "string" || typeof expression === "string") return;
  throw fault(`${path}: a pattern must be a String or a Regex, got ${show(pattern)}`);
}

function checkExpression(source: unknown, path: string): void {
  if (typeof source !== "string") throw fault(`${path}: an expression must be a text, got ${show(source)}`);
  const why = expressionFault(source);
  if (why !== undefined)
    throw fault(`${path}: the expression ${show(source)} has ${why}, which can take exponential time`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const fault = (message: string): FormatError => new FormatError(`tokenizer.json: ${message}`);
const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80);
