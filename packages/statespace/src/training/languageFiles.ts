import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { FormatError } from "@statespace/core";
import type { Dialogue } from "../fit/dialogues.ts";

/** What files hold for a language model: one text, documents, or dialogues. */
export type LanguageData = string | readonly string[] | readonly Dialogue[];

const TEXT: ReadonlySet<string> = new Set([".txt", ".md", ".text"]);
const LINES: ReadonlySet<string> = new Set([".jsonl", ".ndjson"]);

/**
 * Reads files for `fit`: text files, of which several are documents; folders of them; or JSON lines, each a document (`{ "text" }`), a
 * conversation (`{ "messages" }`) or a prompt with what follows (`{ "prompt", "completion" }`).
 * @throws FormatError naming the file, and the line, that is wrong.
 */
export async function readLanguageFiles(paths: readonly string[]): Promise<LanguageData> {
  const files = (await Promise.all(paths.map(filesIn))).flat();
  if (files.length === 0) throw new FormatError(`data: no .txt, .md or .jsonl file in ${paths.join(", ")}`);
  const parts = await Promise.all(files.map(readOne));
  const texts = parts.flatMap((part) => (typeof part === "string" ? [part] : part.texts));
  const dialogues = parts.flatMap((part) => (typeof part === "string" ? [] : part.dialogues));
  if (dialogues.length > 0 && texts.length > 0)
    throw new FormatError("data: texts and dialogues are trained on differently; give one or the other");
  if (dialogues.length > 0) return dialogues;
  return texts.length === 1 ? texts[0]! : texts;
}

async function filesIn(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new FormatError(`data: ${path} cannot be read`, { cause });
  });
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path, { recursive: true })).sort();
  return names.filter((name) => TEXT.has(extname(name)) || LINES.has(extname(name))).map((name) => join(path, name));
}

/** The lines of one file. */
interface Lines {
  readonly texts: readonly string[];
  readonly dialogues: readonly Dialogue[];
}

async function readOne(file: string): Promise<string | Lines> {
  const text = await readFile(file, "utf8");
  if (!LINES.has(extname(file))) {
    if (text.trim() === "") throw new FormatError(`data: ${file} is empty`);
    return text;
  }
  const [texts, dialogues]: [string[], Dialogue[]] = [[], []];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const entry = readLine(line, `data: ${file}:${i + 1}`);
    if (typeof entry === "string") texts.push(entry);
    else dialogues.push(entry);
  });
  if (texts.length + dialogues.length === 0) throw new FormatError(`data: ${file} is empty`);
  return { texts, dialogues };
}

function readLine(line: string, where: string): string | Dialogue {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FormatError(`${where}: is not JSON`, { cause });
  }
  const { text, prompt, completion, messages, tools } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Record<string, unknown>;
  if (typeof text === "string") return text;
  if (typeof prompt === "string" && typeof completion === "string") return { prompt, completion };
  if (Array.isArray(messages) && messages.every(isMessage))
    return { messages, ...(Array.isArray(tools) && { tools: tools as object[] }) };
  throw new FormatError(
    `${where}: must have "text", "messages" (each with a role and content), or "prompt" and "completion"`,
  );
}

function isMessage(value: unknown): value is { role: string } {
  return typeof value === "object" && value !== null && typeof (value as { role?: unknown }).role === "string";
}
