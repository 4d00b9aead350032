import { FormatError } from "@statespace/core";
import { openSource, type Source, type SourceLike } from "@statespace/files";
import { loadTokenizer, type Tokenizer } from "@statespace/text";
import { sourceOptions, type FromPretrainedOptions } from "../families/pretrained.ts";

/**
 * The tokenizer that is given, that of the folder that is told, or the checkpoint's own.
 * @throws FormatError where the folder that is told has none
 */
export async function tokenizerOf(
  given: SourceLike | Tokenizer | undefined,
  source: Source,
  options: FromPretrainedOptions,
): Promise<Tokenizer | undefined> {
  const { signal } = options;
  if (given === undefined) return loadTokenizer(source, { signal });
  if (isTokenizer(given)) return given;
  const from = openSource(given, sourceOptions(options));
  const found = await loadTokenizer(from, { signal });
  if (found !== undefined) return found;
  throw new FormatError(
    `load: tokenizer: ${from.name} has no tokenizer.json, tokenizer.model, or vocab.json with merges.txt`,
  );
}

const isTokenizer = (given: SourceLike | Tokenizer): given is Tokenizer =>
  typeof given === "object" && "encode" in given && typeof given.encode === "function";
