import { FormatError } from "@statespace/core";
import { locateGguf, memorySource, openSource, type SourceLike } from "@statespace/files";
import { ggufTextFiles, loadChatTemplate, loadTokenizer, type ChatTemplate } from "@statespace/text";
import { openModelFiles } from "../families/openModelFiles.ts";
import { checkLoadOptions, fromPretrained, modelOf, type FromPretrainedOptions } from "../families/pretrained.ts";
import { loadGenerationConfig } from "../generate/generationConfig.ts";
import { KeptFiles } from "./keptFiles.ts";
import { LoadedModel } from "./loadedModel.ts";

/** Options of `load`: how weights are kept and where, who is told of progress, what stops it, how files are fetched and cached. */
export type LoadModelOptions = FromPretrainedOptions;

/**
 * Loads a checkpoint of any known family with its tokenizer, its chat template and its defaults for sampling, on the backend that is set or
 * the one in the options. Weights stream from their file to where they are kept (see `fromPretrained`).
 * @param from a folder, a GGUF file, a URL, a name on the hub, dropped files, a map of files, or any `Source`.
 * @throws ArgumentError naming the option that is unknown or wrong, before anything is read; FormatError naming the file, key or setting;
 * SourceError; AbortedError. Nothing stays allocated then.
 */
export async function load(from: SourceLike, options: LoadModelOptions = {}): Promise<LoadedModel> {
  checkLoadOptions("load", options);
  const { signal } = options;
  if (locateGguf(from, options) !== undefined) return loadGguf(from, options);
  const source = new KeptFiles(openSource(from, options));
  // Small files first: what is wrong with them shows before gigabytes are read.
  const tokenizer = await loadTokenizer(source, { signal });
  const template = await chatTemplateOf(source, signal);
  const defaults = await loadGenerationConfig(source, { signal });
  const model = await fromPretrained(source, options);
  return new LoadedModel({ model, tokenizer, template, defaults, files: source.files });
}

/** As `load`, where all is in one file. */
async function loadGguf(from: SourceLike, options: LoadModelOptions): Promise<LoadedModel> {
  const opened = await openModelFiles(from, options);
  const files = ggufTextFiles(opened.gguf!.values);
  const source = new KeptFiles(memorySource(files, "GGUF metadata"));
  const tokenizer = await loadTokenizer(source);
  const template = await chatTemplateOf(source, options.signal);
  const defaults = await loadGenerationConfig(source);
  const model = await modelOf(opened, options);
  return new LoadedModel({ model, tokenizer, template, defaults, files: source.files });
}

/** A template that cannot be read is told when a chat is asked for; whatever else the model does, it does. */
async function chatTemplateOf(
  source: KeptFiles,
  signal: AbortSignal | undefined,
): Promise<ChatTemplate | FormatError | undefined> {
  try {
    return await loadChatTemplate(source, { signal });
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}
