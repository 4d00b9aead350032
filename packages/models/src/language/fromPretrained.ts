import { FormatError, type PackedFormat, type PlaceOptions } from "@statespace/core";
import {
  openCheckpoint,
  openSource,
  saveCheckpoint,
  toFloat32Array,
  type OpenSourceOptions,
  type ReadOptions,
  type SaveOptions,
  type SourceLike,
} from "@statespace/files";
import {
  canonicalKey,
  HEAD_KEY,
  matchTensors,
  toTransformersConfig,
  type MambaSsmOptions,
} from "../checkpoint/index.ts";
import { formatTransformersJson } from "../checkpoint/transformersJson.ts";
import { hybridToJson, parseLanguageConfig } from "./hybridFile.ts";
import { LanguageModel } from "./model.ts";

/** Options of `fromPretrained`: how files are fetched and cached, how weights are stored and where, what a config leaves open. */
export interface FromPretrainedOptions extends OpenSourceOptions, ReadOptions, MambaSsmOptions, PlaceOptions {
  /** Packs the matrices while loading, each as soon as it is read. */
  readonly weights?: PackedFormat | undefined;
}

/**
 * Loads a published checkpoint on the backend that is set, or the one in the options.
 * @param from a folder, a URL, a map of files, or any `Source`.
 * @throws FormatError naming the file, key or setting that is wrong, before any weight is used; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function fromPretrained(from: SourceLike, options: FromPretrainedOptions = {}): Promise<LanguageModel> {
  const checkpoint = await openCheckpoint(openSource(from, options), options);
  const config = parseLanguageConfig(checkpoint.config, options);
  const keys = matchTensors(checkpoint, config);
  const model = new LanguageModel(config, "empty", { backend: options.backend });
  try {
    const missing = new Set(model.parameters.map(({ name }) => name));
    for await (const [key, raw] of checkpoint.stream(options)) {
      const name = canonicalKey(key);
      if (!keys.has(name) || (name === HEAD_KEY && config.tieEmbeddings)) continue;
      model.parameter(name).assign(toFloat32Array(raw));
      missing.delete(name);
    }
    if (missing.size > 0) throw new FormatError(`tensor "${[...missing][0]}" is missing`);
    if (options.weights !== undefined) await model.quantize(options.weights);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Writes a folder that Hugging Face transformers loads: config.json, model.safetensors, and further files as given. Of a hybrid, which
 * transformers has not, one that `fromPretrained` loads.
 * Each file appears under its name only when it is whole.
 * @throws ArgumentError for a model transformers has not; AbortedError; what the file system throws.
 */
export async function savePretrained(
  model: LanguageModel,
  folder: string | URL,
  options: SaveOptions & { files?: Readonly<Record<string, string | Uint8Array>> } = {},
): Promise<void> {
  const { files, ...save } = options;
  const config =
    model.config.modelType === "hybrid" ? hybridToJson(model.config) : toTransformersConfig(model.config, save.dtype);
  await saveCheckpoint(
    folder,
    { config: formatTransformersJson(config), tensors: await model.weights(), ...(files ? { files } : {}) },
    save,
  );
}
