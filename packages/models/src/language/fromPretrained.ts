import { ArgumentError, FormatError, type PackedFormat } from "@statespace/core";
import {
  canonicalKey, HEAD_KEY, matchTensors, openCheckpoint, openSource, parseModelConfig, saveCheckpoint, toFloat32Array, toTransformersConfig,
  type MambaSsmOptions, type OpenSourceOptions, type ReadOptions, type SaveOptions, type SourceLike,
} from "../checkpoint/index.ts";
import { LanguageModel } from "./model.ts";

export interface FromPretrainedOptions extends OpenSourceOptions, ReadOptions, MambaSsmOptions {
  /** Packs the matrices while loading, each as soon as it is read. */
  readonly weights?: PackedFormat | undefined;
}

/**
 * Loads a published checkpoint on the backend that is set.
 * @param from a folder, a URL, a map of files, or any `CheckpointSource`.
 * @throws FormatError naming the file, key or setting that is wrong, before any weight is used; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function fromPretrained(from: SourceLike, options: FromPretrainedOptions = {}): Promise<LanguageModel> {
  const checkpoint = await openCheckpoint(openSource(from, options), options);
  const config = parseModelConfig(checkpoint.config, options);
  const keys = matchTensors(checkpoint, config);
  const model = new LanguageModel(config, "empty");
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
 * Writes a folder that Hugging Face transformers loads: config.json, model.safetensors, and further files as given.
 * Each file appears under its name only when it is whole.
 * @throws ArgumentError for a model transformers has not; AbortedError; what the file system throws.
 */
export async function savePretrained(model: LanguageModel, folder: string | URL, options: SaveOptions & { files?: Readonly<Record<string, string | Uint8Array>> } = {}): Promise<void> {
  const { files, ...save } = options;
  if (model.config.modelType === "hybrid") throw new ArgumentError("savePretrained: transformers has no hybrid; keep its config beside model.weights()");
  await saveCheckpoint(folder, { config: toTransformersConfig(model.config, save.dtype), tensors: await model.weights(), ...(files ? { files } : {}) }, save);
}
