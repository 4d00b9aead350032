import { ArgumentError, FormatError } from "@statespace/core";
import { CONFIG_FILE, locateGguf, memorySource, openSource, readJson, type SourceLike } from "@statespace/files";
import { ggufTextFiles, loadChatTemplate, type ChatTemplate, type Tokenizer } from "@statespace/text";
import { ADAPTER_CONFIG } from "../adapters/peftConfig.ts";
import { openModelFiles } from "../families/openModelFiles.ts";
import {
  checkLoadOptions,
  fromPretrained,
  modelOf,
  sourceOptions,
  type FromPretrainedOptions,
} from "../families/pretrained.ts";
import { loadGenerationConfig } from "../generate/generationConfig.ts";
import { KeptFiles } from "./keptFiles.ts";
import { LoadedModel, type LoadedParts } from "./loadedModel.ts";
import type { Reload } from "./recovery.ts";
import { tokenizerOf } from "./tokenizerOf.ts";

/** Options of `load`: how weights are kept and where, who is told of progress, what stops it, how files are fetched and cached. */
export interface LoadModelOptions extends FromPretrainedOptions {
  /** A tokenizer, or where one is, where the checkpoint's folder has none or another is wanted. */
  readonly tokenizer?: SourceLike | Tokenizer | undefined;
  /** Adapters to load with it, as PEFT saves them: one, or several by name, of which the first is switched on. */
  readonly adapter?: SourceLike | Readonly<Record<string, SourceLike>> | undefined;
  /** The model of an adapter's folder, where it is not what the folder names. */
  readonly base?: SourceLike | undefined;
  /**
   * After its device was lost the model comes back by itself, with the next call or with `backend.recover()`: weights and adapters are read
   * again from where they were loaded. Sessions with a store read their text anew. Default false: calls then throw DeviceLostError until
   * `recover()` is called.
   */
  readonly recover?: boolean | undefined;
}

/**
 * Loads a checkpoint of any known family with its tokenizer, its chat template and its defaults for sampling, on the backend that is set or
 * the one in the options. Weights stream from their file to where they are kept (see `fromPretrained`). A folder that holds an adapter and
 * no model is loaded onto the model that it names.
 * @param from a folder, a GGUF file, a URL, a name on the hub, dropped files, a map of files, or any `Source`.
 * @throws ArgumentError naming the option that is unknown or wrong, before anything is read; FormatError naming the file, key or setting;
 * SourceError; AbortedError. Nothing stays allocated then.
 */
export async function load(from: SourceLike, options: LoadModelOptions = {}): Promise<LoadedModel> {
  checkLoadOptions("load", options, ["tokenizer", "adapter", "base", "recover"]);
  const { tokenizer, adapter, base, recover = false, ...rest } = options;
  if (typeof recover !== "boolean")
    throw new ArgumentError(`load: recover must be true or false, got ${String(recover)}`);
  const named = await adapterOnly(from, rest);
  if (named !== undefined) {
    const model = base ?? named.model;
    if (model === undefined)
      throw new FormatError(`${ADAPTER_CONFIG}: base_model_name_or_path is not said; give the model as { base }`);
    return load(model, { ...rest, tokenizer, recover, adapter: from });
  }
  if (base !== undefined)
    throw new ArgumentError("load: base goes with the folder of an adapter; this one has a model");
  const loaded = await loadModel(from, { tokenizer, recover }, rest);
  try {
    const all = Object.entries(adaptersOf(adapter));
    for (const [name, each] of all) await loaded.loadAdapter(each, { ...sourceOptions(rest), name });
    const [first] = all;
    if (first !== undefined) loaded.useAdapter(first[0]);
    return loaded;
  } catch (error) {
    loaded.dispose();
    throw error;
  }
}

/** What an adapter's files name as their model. */
function originOf(from: SourceLike): string | undefined {
  return typeof from === "string" ? from : from instanceof URL ? from.href : undefined;
}

/** Loads the weights once more; whoever stops that, or is told of it, did and was the first time. */
function reloadOf(from: SourceLike, options: FromPretrainedOptions): Reload {
  const { signal: _, onProgress: __, progress: ___, ...again } = options;
  return (backend) => fromPretrained(from, { ...again, backend, notice: () => {} });
}

/** What `load` alone has of the options. */
type OwnOptions = Pick<LoadModelOptions, "tokenizer" | "recover">;

/** A model without adapters. */
async function loadModel(
  from: SourceLike,
  { tokenizer: given, recover }: OwnOptions,
  options: FromPretrainedOptions,
): Promise<LoadedModel> {
  const { signal } = options;
  const own = { origin: originOf(from), reload: reloadOf(from, options), recover };
  if (locateGguf(from, sourceOptions(options)) !== undefined)
    return new LoadedModel({ ...(await ggufParts(from, given, options)), ...own });
  const source = new KeptFiles(openSource(from, sourceOptions(options)));
  // Small files first: what is wrong with them shows before gigabytes are read.
  const tokenizer = await tokenizerOf(given, source, options);
  const template = await chatTemplateOf(source, signal);
  const defaults = await loadGenerationConfig(source, { signal });
  const model = await fromPretrained(source, options);
  return new LoadedModel({ model, tokenizer, template, defaults, files: source.files, ...own });
}

/** Adapters by name. */
function adaptersOf(adapter: LoadModelOptions["adapter"]): Readonly<Record<string, SourceLike>> {
  if (adapter === undefined) return {};
  const several = typeof adapter === "object" && Object.getPrototypeOf(adapter) === Object.prototype;
  const isFiles = several && ADAPTER_CONFIG in adapter;
  return several && !isFiles ? (adapter as Readonly<Record<string, SourceLike>>) : { default: adapter as SourceLike };
}

/** What a folder with an adapter and no model says of its model. */
async function adapterOnly(
  from: SourceLike,
  options: FromPretrainedOptions,
): Promise<{ readonly model: string | undefined } | undefined> {
  const places = sourceOptions(options);
  if (locateGguf(from, places) !== undefined) return undefined;
  const source = openSource(from, places);
  const { signal } = options;
  if ((await source.read(CONFIG_FILE, { signal, end: 1 })) !== undefined) return undefined;
  const config = await readJson(source, ADAPTER_CONFIG, { signal });
  if (config === undefined) return undefined;
  const { base_model_name_or_path: name } = config;
  return { model: typeof name === "string" && name !== "" ? name : undefined };
}

/** Where all is in one file. */
async function ggufParts(
  from: SourceLike,
  given: LoadModelOptions["tokenizer"],
  options: FromPretrainedOptions,
): Promise<LoadedParts> {
  const opened = await openModelFiles(from, sourceOptions(options));
  const files = ggufTextFiles(opened.gguf!.values);
  const source = new KeptFiles(memorySource(files, "GGUF metadata"));
  const tokenizer = await tokenizerOf(given, source, options);
  const template = await chatTemplateOf(source, options.signal);
  const defaults = await loadGenerationConfig(source);
  const model = await modelOf(opened, options);
  return { model, tokenizer, template, defaults, files: source.files };
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
