import { FormatError } from "@statespace/core";
import { isJsonObject, quote, type JsonValue } from "@statespace/files";

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const TAIL = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** What GPT-2 splits by; `ByteLevel` does it by itself. */
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const DIGITS = "\\p{N}";
const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

/** How text is cut into the pieces within which tokens are merged: patterns one after the other. */
interface Splitter {
  /** Names in `tokenizer.ggml.pre`; the first is written. */
  readonly names: readonly string[];
  readonly patterns: readonly string[];
}

const SPLITTERS: readonly Splitter[] = [
  { names: ["gpt-2", "olmo", "mpt", "jais", "phi-2", "granite-docling", "trillion"], patterns: [GPT2] },
  { names: ["refact", "starcoder", "command-r", "smollm", "codeshell", "exaone"], patterns: [DIGITS, GPT2] },
  {
    names: ["llama-bpe", "llama3", "llama-v3", "lfm2", "falcon3", "falcon-h1", "pixtral", "dbrx", "smaug-bpe"],
    patterns: [`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`],
  },
  {
    names: ["qwen2", "stablelm2", "deepseek-r1-qwen"],
    patterns: [`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${TAIL}`],
  },
  {
    names: ["qwen35"],
    patterns: [
      `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${TAIL}`,
    ],
  },
  {
    names: ["tekken"],
    patterns: [
      `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
    ],
  },
  {
    names: ["gpt-4o", "llama4"],
    patterns: [
      `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${CONTRACTIONS}?|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${CONTRACTIONS}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${TAIL}`,
    ],
  },
  {
    names: ["falcon"],
    patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"],
  },
  {
    names: ["default"],
    patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"],
  },
];

const byteLevel = (useRegex: boolean): object => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

/** The `pre_tokenizer` of a tokenizer.json that cuts as llama.cpp does under this name. Errors: {@link FormatError} for a name that is not known. */
export function preTokenizerOf(name: string): object {
  const found = SPLITTERS.find(({ names }) => names.includes(name));
  if (found === undefined)
    throw new FormatError(
      `"tokenizer.ggml.pre" must be one of ${SPLITTERS.flatMap(({ names }) => names).join(", ")}, got ${quote(name)}`,
    );
  const { patterns } = found;
  if (patterns.length === 1 && patterns[0] === GPT2) return byteLevel(true);
  const splits = patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return { type: "Sequence", pretokenizers: [...splits, byteLevel(false)] };
}

/** The name under which llama.cpp cuts as a tokenizer.json does; `undefined` where it has none. */
export function splitterName(preTokenizer: JsonValue | undefined): string | undefined {
  const patterns = patternsOf(preTokenizer);
  if (patterns === undefined) return undefined;
  const key = patterns.join("\n");
  return SPLITTERS.find((splitter) => splitter.patterns.join("\n") === key)?.names[0];
}

/** The patterns that it cuts by, one after the other; `undefined` where it is of another kind. */
function patternsOf(part: JsonValue | undefined): readonly string[] | undefined {
  if (!isJsonObject(part)) return undefined;
  switch (part.type) {
    case "Sequence": {
      const parts = Array.isArray(part.pretokenizers) ? part.pretokenizers.map(patternsOf) : [undefined];
      return parts.every((patterns) => patterns !== undefined) ? parts.flat() : undefined;
    }
    case "ByteLevel":
      if (part.add_prefix_space === true) return undefined;
      return part.use_regex === false ? [] : [GPT2];
    case "Digits":
      return [part.individual_digits === true ? DIGITS : "\\p{N}+"];
    case "Split": {
      const pattern = isJsonObject(part.pattern) ? part.pattern.Regex : undefined;
      const plain = part.behavior === "Isolated" && part.invert !== true;
      return plain && typeof pattern === "string" ? [pattern] : undefined;
    }
    default:
      return undefined;
  }
}
