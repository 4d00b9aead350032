import { ArgumentError, type PlaceOptions } from "@statespace/core";
import { refuseUnknown, type WeightFormat } from "@statespace/core/backend";
import {
  checkpointBlobs,
  fromFloat32Array,
  quote,
  saveCheckpoint,
  throwIfAborted,
  type FloatStorage,
  type JsonObject,
  type LazyTensor,
  type OpenSourceOptions,
  type RawTensor,
  type ReadOptions,
  type SaveOptions,
  type SourceLike,
  type TensorFile,
} from "@statespace/files";
import { readCacheType, type CacheType } from "../layers/cacheType.ts";
import { resolveModelConfig, type ModelConfig } from "../model/config.ts";
import { FrameKeeper } from "../eventLoop.ts";
import { Model } from "../model/model.ts";
import { readWeightFormat } from "../model/packing.ts";
import type { Family, FamilyOptions } from "./family.ts";
import { openModelFiles, type ModelFiles } from "./openModelFiles.ts";
import { familyNamed } from "./registry.ts";
import { weightsFile } from "./weightsFile.ts";
import { canonicalName, familyTensors, type PublishedTensor } from "./weightNames.ts";
import { formatsOfFile, WeightLoader } from "./weightLoader.ts";
import { leftOutBy, matchWeights, publishedValues, type NamedWeights } from "./weights.ts";

/** How far loading has come. */
export interface LoadProgress {
  /** The tensor whose bytes came last. */
  readonly tensor: string;
  /** Bytes of tensors so far, as the files hold them, and of all. */
  readonly loaded: number;
  readonly total: number;
}

/** Options of `loadWeights`. */
export interface LoadWeightsOptions extends OpenSourceOptions, ReadOptions {
  /**
   * Packs the matrices while loading, row by row as they are read; "f32", the plain format, unless told. What a GGUF file has in blocks stays
   * packed unless told: Q8_0 and Q4_0 as they are, other blocks as q8.
   */
  readonly weights?: WeightFormat | undefined;
  /** Told, in one line, what of the files is not part of the model; a warning on the console unless told. */
  readonly notice?: ((line: string) => void) | undefined;
  /** Told with each piece of the weights; `onProgress` tells of each file. */
  readonly progress?: ((progress: LoadProgress) => void) | undefined;
}

/** Options of `fromPretrained`: how files are fetched and cached, how weights are stored and where, what a config leaves open. */
export interface FromPretrainedOptions extends LoadWeightsOptions, FamilyOptions, PlaceOptions {
  /** How attention keeps keys and values: "f32" unless told, or "f16", in half the memory; see `Model.cacheType`. */
  readonly cacheType?: CacheType | undefined;
}

const LOAD_OPTIONS: Readonly<Record<keyof FromPretrainedOptions, true>> = {
  weights: true,
  cacheType: true,
  backend: true,
  progress: true,
  notice: true,
  onProgress: true,
  signal: true,
  cache: true,
  revision: true,
  hub: true,
  fetch: true,
  retries: true,
  integrity: true,
  keyPrefix: true,
  onPutError: true,
  aActivation: true,
  normGroups: true,
};
const OTHER_NAMES = {
  dtype: "weights",
  torchDtype: "weights",
  format: "weights",
  quantization: "weights",
  quantize: "weights",
  device: "backend",
  cacheDir: "cache",
  cacheTypeK: "cacheType",
  cacheTypeV: "cacheType",
  kvCache: "cacheType",
  branch: "revision",
  progressCallback: "progress",
  abortSignal: "signal",
};

/** @throws ArgumentError naming the option that is not known, with the one that may be meant, or the format of weights that is none. */
export function checkLoadOptions(
  caller: string,
  options: object & { readonly weights?: unknown; readonly cacheType?: unknown },
  further: readonly string[] = [],
): void {
  refuseUnknown(caller, options, [...Object.keys(LOAD_OPTIONS), ...further], OTHER_NAMES);
  readWeightFormat(caller, options.weights);
  readCacheType(caller, options.cacheType);
}

const SOURCE_OPTIONS: Readonly<Record<keyof (OpenSourceOptions & ReadOptions), true>> = {
  cache: true,
  integrity: true,
  fetch: true,
  retries: true,
  keyPrefix: true,
  onPutError: true,
  revision: true,
  hub: true,
  signal: true,
  onProgress: true,
};

/** What of the options is for the source and for reading it. */
export function sourceOptions(options: FromPretrainedOptions): OpenSourceOptions & ReadOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in SOURCE_OPTIONS));
}

/** How `savePretrained` writes a model. */
export interface SavePretrainedOptions extends Omit<SaveOptions, "resumable" | "format" | "shared"> {
  /** The form of the files: that of the family that the model is of, or our own where it is of none, unless told. */
  readonly family?: string;
  /** Further files, such as `tokenizer.json`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** The files that a model was loaded from, as far as it is saved like them again. */
interface Origin {
  readonly family: string;
  /** Float types by our names. */
  readonly storage: ReadonlyMap<string, FloatStorage>;
  /** Tensors by the names and with the cuts that the files have. */
  readonly tensors: readonly PublishedTensor[];
}
const origins = new WeakMap<Model, Origin>();

/**
 * Loads a checkpoint of any known family on the backend that is set, or the one in the options, tensor by tensor and row by row: beside the
 * weights as they are kept, a few megabytes are in memory.
 * @param from a folder, a GGUF file, a URL, a map of files, or any `Source`.
 * @throws FormatError naming the file, key or setting that is wrong, before any weight is used; ArgumentError for a format of weights
 * that is none; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function fromPretrained(from: SourceLike, options: FromPretrainedOptions = {}): Promise<Model> {
  checkLoadOptions("fromPretrained", options);
  return modelOf(await openModelFiles(from, sourceOptions(options)), options);
}

/** A model of files that are open. Errors as {@link fromPretrained}. */
export async function modelOf(files: ModelFiles, options: FromPretrainedOptions): Promise<Model> {
  const { family, fields } = files;
  const model = new Model(family.read(fields, options), "empty", { backend: options.backend });
  for (const note of [...fields.notes, ...(files.tensors.notes ?? [])])
    (options.notice ?? warn)(`${family.name}: ${note}`);
  try {
    model.cacheType = readCacheType("load", options.cacheType);
    await load(model, files, options);
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
export async function loadWeights(model: Model, from: SourceLike, options: LoadWeightsOptions = {}): Promise<void> {
  checkLoadOptions("loadWeights", options);
  await load(model, await openModelFiles(from, sourceOptions(options)), options);
}

async function load(
  model: Model,
  { family, tensors: checkpoint }: ModelFiles,
  { weights, progress, notice, ...options }: LoadWeightsOptions,
): Promise<void> {
  const unknown: string[] = [];
  const matched = matchWeights(model, family, checkpoint.entries, (key) => unknown.push(key));
  tellLeftOut(family, checkpoint, unknown, notice);
  const format = readWeightFormat("load", weights);
  const formatOf = weights === undefined ? formatsOfFile(matched, checkpoint.entries) : () => format;
  const loader = new WeightLoader(model, matched, checkpoint.entries, formatOf);
  const total = [...checkpoint.entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const frames = new FrameKeeper();
  let loaded = 0;
  try {
    for await (const piece of checkpoint.pieces(options)) {
      await loader.take(piece);
      loaded += piece.bytes.byteLength;
      progress?.({ tensor: piece.name, loaded, total });
      await frames.breathe();
      throwIfAborted(options.signal, piece.name);
    }
    loader.finish();
  } finally {
    loader.dispose();
  }
  const kept = new Map<string, FloatStorage>();
  for (const [key, { parameter }] of matched) {
    const { dtype } = checkpoint.entries.get(key)!;
    if (dtype === "F16" || dtype === "BF16") kept.set(parameter.name, dtype);
  }
  const tensors = [...matched].map(([key, target]) =>
    canonicalName(key, family.aliases).numbered ? { ...target, key } : target,
  );
  origins.set(model, { family: family.name, storage: kept, tensors });
}

const warn = (line: string): void => console.warn(line);

/** `qwen3_5: left out are the vision tower (model.visual.*, 153 tensors), ...` */
function tellLeftOut(
  family: Family,
  { entries }: TensorFile,
  unknown: readonly string[],
  // Whoever loads a model by its name must not believe that it sees.
  notice: (line: string) => void = warn,
): void {
  const counts = new Map<string, number>();
  for (const key of entries.keys()) {
    const beginning = leftOutBy(family, key);
    if (beginning !== undefined) counts.set(beginning, (counts.get(beginning) ?? 0) + 1);
  }
  const told = [...counts].map(([key, count]) => `${family.leftOut![key]!} (${key}*, ${count} tensors)`);
  const [first, ...more] = unknown;
  if (first !== undefined)
    notice(
      `${family.name}: ${unknown.length} tensors are no part of the model of this config.json and are left out: ${quote(first)}${more.length > 0 ? ", ..." : ""}`,
    );
  if (told.length > 0) notice(`${family.name}: left out are ${told.join(" and ")}`);
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
  refuseUnknown("savePretrained", options, ["files", "family", "dtype", "metadata", "signal"], { format: "family" });
  const { files, family = model.config.family ?? "statespace", ...save } = options;
  const content = { ...publishedContent(model, family, save.dtype), ...(files ? { files } : {}) };
  await saveCheckpoint(folder, content, { ...save, ...weightsFile(familyNamed(family), model) });
}

/** How `pretrainedBlobs` writes a model: as `savePretrained`. */
export type PretrainedBlobsOptions = Pick<SavePretrainedOptions, "files" | "family" | "dtype" | "metadata">;

/**
 * The files that `savePretrained` writes, by name, for a page to store or offer as downloads. All of them are in memory at once, and
 * weights are safetensors whatever the family.
 * @throws ArgumentError naming a setting that the family has not
 */
export async function pretrainedBlobs(model: Model, options: PretrainedBlobsOptions = {}): Promise<Map<string, Blob>> {
  refuseUnknown("pretrainedBlobs", options, ["files", "family", "dtype", "metadata"], { format: "family" });
  const { files, family = model.config.family ?? "statespace", dtype, metadata } = options;
  const { config, tensors } = publishedContent(model, family, dtype);
  const read = new Map<string, RawTensor>();
  for (const [key, { dtype: stored, shape, read: bytes }] of tensors)
    read.set(key, { dtype: stored, shape, bytes: await bytes(0) });
  return checkpointBlobs({ config, tensors: read, ...(files ? { files } : {}) }, metadata ? { metadata } : {});
}

/** A model's `config.json` and its weights, in the form of a family. */
function publishedContent(
  model: Model,
  name: string,
  asked: FloatStorage | undefined,
): { readonly config: string | JsonObject; readonly tensors: Map<string, LazyTensor> } {
  const origin = origins.get(model);
  const storage = origin?.storage;
  const config = familyConfig(model.config, name, asked ?? storage?.values().next().value);
  const tensors = new Map<string, LazyTensor>();
  const published = origin?.family === name ? origin.tensors : familyTensors(model, familyNamed(name));
  for (const target of published) {
    const dtype = asked ?? storage?.get(target.parameter.name) ?? "F32";
    const read = async (): Promise<Uint8Array> =>
      fromFloat32Array(publishedValues(target, await target.parameter.read()), dtype);
    tensors.set(target.key, { dtype, shape: target.shape, read });
  }
  return { config: familyNamed(name).stringify?.(config) ?? config, tensors };
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
  for (const target of familyTensors(model, familyNamed(family)))
    out.set(target.key, { shape: target.shape, values: publishedValues(target, await target.parameter.read()) });
  return out;
}
