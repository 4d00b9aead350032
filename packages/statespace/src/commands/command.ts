import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearestName, type WeightFormat } from "@statespace/core/backend";
import { readCacheType, readWeightFormat, type CacheType } from "@statespace/models";

/** A subcommand of the command line. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly usage: string;
  /** Returns the exit status. */
  run(args: readonly string[], signal: AbortSignal): Promise<number>;
}

/** The words on the command line are off. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** What `parseArgs` of Node takes. */
type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Reads the words behind a command's name.
 * @throws UsageError naming the option that is unknown, with the one that may be meant, or that lacks its value.
 */
export function readArguments<const T extends Options>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ options: T }>>["values"] {
  refuseUnknownWords(args, options);
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [, word] = /^Unexpected argument '(.*?)'/.exec((error as Error).message) ?? [];
    if (word === undefined || !("model" in options)) throw error;
    throw new UsageError(`"${word}" is not an option; --model ${word} may be meant`, { cause: error });
  }
}

/** As `readArguments`, with words that are no options. */
export function readWords<const T extends Options>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>> {
  refuseUnknownWords(args, options);
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

function refuseUnknownWords(args: readonly string[], options: Options): void {
  for (const word of args) {
    if (word === "--") return;
    const [, name] = /^--([^=]+)/.exec(word) ?? [];
    if (name === undefined || name in options) continue;
    const known = nearestName(name, Object.keys(options));
    throw new UsageError(`there is no option --${name}${known === undefined ? "" : `; --${known} may be meant`}`);
  }
}

/** Reads a number of things. @throws UsageError unless it is a whole number, 1 or more. */
export function countOption(name: string, text: string | undefined): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
    throw new UsageError(`--${name} must be a whole number, 1 or more, got "${text}"`);
  return value;
}

/** Reads a whole number. @throws UsageError unless it is one, not below `least` where that is told. */
export function wholeOption(name: string, text: string | undefined, least?: number): number | undefined {
  const value = numberOption(name, text);
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= (least ?? value)))
    throw new UsageError(`--${name} must be a whole number${least === undefined ? "" : ` >= ${least}`}, got "${text}"`);
  return value;
}

/** Runs a check of what options became. @throws UsageError for what it throws, with the options' names as they are written here. */
export function checkedOptions(check: () => void): void {
  try {
    check();
  } catch (error) {
    const words = (error as Error).message.replace(/^\w+: /, "").replace(/^[a-z]\w*/, (name) => `--${kebab(name)}`);
    throw new UsageError(words, { cause: error });
  }
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Reads how weights are kept; "f32" unless told. @throws UsageError naming the formats there are. */
export function weightsOption(text: string | undefined): WeightFormat {
  try {
    return readWeightFormat("--weights", text) ?? "f32";
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Reads how attention keeps keys and values; "f32" unless told. @throws UsageError naming the types there are. */
export function cacheTypeOption(text: string | undefined): CacheType {
  try {
    return readCacheType("--cache-type", text);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Reads a number option. @throws UsageError when it is not one. */
export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new UsageError(`--${name} must be a number, got "${text}"`);
  return value;
}
