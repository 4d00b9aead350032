import { ArgumentError, type PackedFormat, type PlaceOptions } from "@statespace/core";
import {
  fromFloat32Array,
  openCheckpoint,
  openSource,
  saveCheckpoint,
  type Checkpoint,
  type FloatStorage,
  type JsonObject,
  type OpenSourceOptions,
  type ReadOptions,
  type SaveOptions,
  type SourceLike,
  type WritableTensor,
} from "@statespace/files";
import { ConfigFields } from "../config/fields.ts";
import { resolveModelConfig, type ModelConfig } from "../model/config.ts";
import { Model } from "../model/model.ts";
import type { Family, FamilyOptions } from "./family.ts";
import { familyNamed, familyOf } from "./registry.ts";
import { publishedTensors } from "./weightNames.ts";
import { matchWeights, publishedValues, WeightLoader, type NamedWeights } from "./weights.ts";

/** Options of `fromPretrained`: how files are fetched and cached, how weights are stored and where, what a config leaves open. */
export interface FromPretrainedOptions extends OpenSourceOptions, ReadOptions, FamilyOptions, PlaceOptions {
  /** Packs the matrices while loading, each as soon as it is read. */
  readonly weights?: PackedFormat | undefined;
}

/** How `savePretrained` writes a model. */
export interface SavePretrainedOptions extends SaveOptions {
  /** The form of the files: that of the family that the model is of, or our own where it is of none, unless told. */
  readonly family?: string;
  /** Further files, such as `tokenizer.json`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** Float types of the file that a model was loaded from, by our names, in which it is saved again. */
const storages = new WeakMap<Model, ReadonlyMap<string, FloatStorage>>();

/**
 * Loads a checkpoint of any known family on the backend that is set, or the one in the options, tensor by tensor: beside the weights as they are kept, one tensor is in memory.
 * @param from a folder, a URL, a map of files, or any `Source`.
 * @throws FormatError naming the file, key or setting that is wrong, before any weight is used; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function fromPretrained(from: SourceLike, options: FromPretrainedOptions = {}): Promise<Model> {
  const checkpoint = await openCheckpoint(openSource(from, options), options);
  const family = familyOf(checkpoint.config);
  const model = new Model(family.read(new ConfigFields(checkpoint.config), options), "empty", {
    backend: options.backend,
  });
  try {
    await load(model, family, checkpoint, options);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * Puts the weights of another checkpoint of the same model into this one.
 * @throws FormatError naming the file or key that is wrong; SourceError; AbortedError. The model then holds some of them.
 */
export async function loadWeights(
  model: Model,
  from: SourceLike,
  options: OpenSourceOptions & ReadOptions & { readonly weights?: PackedFormat } = {},
): Promise<void> {
  const checkpoint = await openCheckpoint(openSource(from, options), options);
  await load(model, familyOf(checkpoint.config), checkpoint, options);
}

async function load(
  model: Model,
  family: Family,
  checkpoint: Checkpoint,
  options: ReadOptions & { readonly weights?: PackedFormat | undefined },
): Promise<void> {
  const matched = matchWeights(model, family, checkpoint.entries);
  const loader = new WeightLoader(model, matched, options.weights);
  for await (const [key, raw] of checkpoint.stream(options)) loader.take(key, raw);
  loader.finish();
  const kept = new Map<string, FloatStorage>();
  for (const [key, { parameter }] of matched) {
    const { dtype } = checkpoint.entries.get(key)!;
    if (dtype === "F16" || dtype === "BF16") kept.set(parameter.name, dtype);
  }
  storages.set(model, kept);
}

/**
 * Writes a folder in the form of the model's family, which Hugging Face transformers (or mamba_ssm) loads, or in our own; `fromPretrained`
 * loads each. Weights keep the float type of the file they came from unless `dtype` says another. Each file appears under its name only
 * when it is whole.
 * @throws ArgumentError naming a setting that the family has not; AbortedError; what the file system throws.
 */
export async function savePretrained(
  model: Model,
  folder: string | URL,
  options: SavePretrainedOptions = {},
): Promise<void> {
  const { files, family: name = model.config.family ?? "statespace", ...save } = options;
  const storage = storages.get(model);
  const config = familyConfig(model.config, name, save.dtype ?? storage?.values().next().value);
  const tensors = new Map<string, WritableTensor>();
  for (const target of publishedTensors(model, familyNamed(name).weights)) {
    const values = publishedValues(target, await target.parameter.read());
    const dtype = save.dtype ?? storage?.get(target.parameter.name) ?? "F32";
    tensors.set(target.key, { dtype, shape: target.shape, bytes: fromFloat32Array(values, dtype) });
  }
  const text = familyNamed(name).stringify?.(config) ?? config;
  await saveCheckpoint(folder, { config: text, tensors, ...(files ? { files } : {}) }, save);
}

/**
 * The `config.json` of a family for a model of ours. `dtype` is how the weights are stored.
 * @throws ArgumentError naming the setting, if the family has no model that computes the same.
 */
export function familyConfig(config: ModelConfig, family: string, dtype: FloatStorage = "F32"): JsonObject {
  const { write } = familyNamed(family);
  if (write === undefined) throw new ArgumentError(`family ${family} is only read; save as statespace`);
  return write(resolveModelConfig(config), dtype);
}

/** A model's weights, read back, by the names and in the layout of its family's files. */
export async function publishedWeights(
  model: Model,
  family: string = model.config.family ?? "statespace",
): Promise<NamedWeights> {
  const out: NamedWeights = new Map();
  for (const target of publishedTensors(model, familyNamed(family).weights))
    out.set(target.key, { shape: target.shape, values: publishedValues(target, await target.parameter.read()) });
  return out;
}
