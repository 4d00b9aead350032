import { FormatError, type Parameter } from "@statespace/core";
import {
  layoutSafetensors,
  localFiles,
  openPytorch,
  openSafetensors,
  openSource,
  quote,
  readJson,
  throwIfAborted,
  toFloat32Array,
  type FloatTensor,
  type OpenSourceOptions,
  type ReadOptions,
  type Source,
  type SourceLike,
  type TensorFile,
} from "@statespace/files";
import { publishedTensors, type PublishedTensor } from "../families/weightNames.ts";
import { publishedValues } from "../families/weights.ts";
import type { Model } from "../model/model.ts";
import { makeLowRanks } from "./addAdapter.ts";
import { Adapter, wholeWeights, type WholeWeight } from "./adapter.ts";
import type { LowRank } from "./lowRank.ts";
import { familyOfModel, linearModules, moduleKey, type LinearModule } from "./modules.ts";
import { ADAPTER_CONFIG, readPeftConfig, writePeftConfig } from "./peftConfig.ts";
import { fromModuleOrder, toModuleOrder } from "./rows.ts";
import { strengthOf, type AdapterSettings } from "./settings.ts";
import { targetNames } from "./targets.ts";

const WEIGHTS = "adapter_model.safetensors";
const PYTORCH_WEIGHTS = "adapter_model.bin";
/** What stands before a module's name in PEFT's files. */
const ROOT = "base_model.model.";

/** Options of `loadAdapter`: how files are fetched and cached. */
export interface LoadAdapterOptions extends OpenSourceOptions, ReadOptions {}

/**
 * Loads an adapter as PEFT saves it (`adapter_config.json`, `adapter_model.safetensors`), and switches it on.
 * @throws FormatError naming the file, key or tensor that is wrong; SourceError; AbortedError. Nothing stays allocated then.
 */
export async function loadAdapter(model: Model, from: SourceLike, options: LoadAdapterOptions = {}): Promise<Adapter> {
  const source = openSource(from, options);
  const { signal } = options;
  const config = await readJson(source, ADAPTER_CONFIG, { signal });
  if (config === undefined) throw new FormatError(`${source.name}: has no ${ADAPTER_CONFIG}`);
  const settings = readPeftConfig(config);
  const file = await openWeightsOf(source, { signal });
  const found = new Found(model, file);
  const lowRanks = makeLowRanks(found.modules, settings);
  const adapter = new Adapter({ model, settings, lowRanks, whole: wholeWeights(found.whole), file: config });
  try {
    for (const part of adapter.lowRanks) await found.fill(part, settings, { signal });
    for (const weight of adapter.whole) await found.fillWhole(weight, { signal });
    return adapter.on();
  } catch (error) {
    adapter.dispose();
    throw error;
  }
}

async function openWeightsOf(source: Source, options: ReadOptions): Promise<TensorFile> {
  const file =
    (await openSafetensors(source, WEIGHTS, options)) ?? (await openPytorch(source, PYTORCH_WEIGHTS, options));
  if (file === undefined) throw new FormatError(`${source.name}: has neither ${WEIGHTS} nor ${PYTORCH_WEIGHTS}`);
  return file;
}

/** The tensors of an adapter's file, and what of the model they belong to. */
class Found {
  readonly modules: LinearModule[];
  readonly whole: PublishedTensor[];
  readonly #file: TensorFile;
  /** Names in the file of the adapter's tensors, by ours. */
  readonly #keys = new Map<string, string>();
  readonly #wholeKeys = new Map<PublishedTensor, string>();

  constructor(model: Model, file: TensorFile) {
    this.#file = file;
    const family = familyOfModel(model);
    const modules = new Map(linearModules(model).map((module) => [module.name, module]));
    const tensors = new Map(
      publishedTensors(model, family.weights).flatMap((target) => [
        [target.key, target] as const,
        [moduleKey(family, target.key), target] as const,
      ]),
    );
    const used = new Set<LinearModule>();
    for (const key of file.entries.keys()) {
      const name = key.startsWith(ROOT) ? key.slice(ROOT.length) : key;
      const [, path, kind] =
        /^(.*)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector)(?:\.weight)?$/.exec(name) ?? [];
      const target = tensors.get(name);
      if (path === undefined) {
        if (target === undefined)
          throw new FormatError(`tensor ${quote(key)} is no part of the model or of its layers' adapters`);
        this.#wholeKeys.set(target, key);
        continue;
      }
      // Files that were written when the module had another name have that of the model's own files.
      const module = modules.get(path) ?? modules.get(moduleKey(family, path));
      if (module === undefined)
        throw new FormatError(`tensor ${quote(key)}: the model has no linear layer ${quote(path)}`);
      used.add(module);
      this.#keys.set(`${module.name}.${kind}`, key);
    }
    this.modules = [...modules.values()].filter((module) => used.has(module));
    this.whole = [...this.#wholeKeys.keys()];
    if (this.modules.length === 0 && this.whole.length === 0)
      throw new FormatError("the adapter's file has no tensors");
    for (const target of publishedTensors(model, family.weights))
      if (this.whole.some(({ parameter }) => parameter === target.parameter) && !this.#has(target))
        throw new FormatError(`tensor ${quote(ROOT + target.key)} is missing: others of the same weight are there`);
  }

  #has({ key }: PublishedTensor): boolean {
    return this.whole.some((target) => target.key === key);
  }

  async fill(part: LowRank, settings: AdapterSettings, options: ReadOptions): Promise<void> {
    const { name, rows } = part.module;
    const { rank } = strengthOf(settings, name);
    for (const parameter of part.parameters) {
      const values = await this.#read(this.#keys.get(parameter.name), parameter, rank, options);
      parameter.assign(
        parameter === part.A ? values : fromModuleOrder(rows, values, parameter.size / parameter.shape[0]!),
      );
    }
  }

  async #read(
    key: string | undefined,
    parameter: Parameter,
    rank: number,
    options: ReadOptions,
  ): Promise<Float32Array> {
    if (key === undefined) throw new FormatError(`tensor ${quote(ROOT + parameter.name)} is missing`);
    const { shape } = this.#file.entries.get(key)!;
    if (shape.join() !== parameter.shape.join())
      throw new FormatError(
        `tensor ${quote(key)}: must be [${parameter.shape.join(", ")}] for rank ${rank}, got [${shape.join(", ")}]`,
      );
    return toFloat32Array(await this.#file.read(key, options));
  }

  async fillWhole({ spare, tensors }: WholeWeight, options: ReadOptions): Promise<void> {
    const all = new Float32Array(spare.size);
    const width = spare.size / spare.shape[0]!;
    for (const target of tensors) {
      const key = this.#wholeKeys.get(target)!;
      const { shape } = this.#file.entries.get(key)!;
      if (shape.join() !== target.shape.join())
        throw new FormatError(`tensor ${quote(key)}: must be [${target.shape.join(", ")}], got [${shape.join(", ")}]`);
      const values = toFloat32Array(await this.#file.read(key, options));
      let at = 0;
      for (const [from, count] of target.rows) {
        all.set(values.subarray(at * width, (at + count) * width), from * width);
        at += count;
      }
    }
    spare.assign(all);
  }
}

/** How an adapter is written. */
export interface SaveAdapterOptions {
  /** Where the model without the adapter is: a name on the hub, or a folder. */
  readonly baseModel?: string;
  /** Further files, such as `tokenizer.json`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly signal?: AbortSignal;
}

/** The files of an adapter, which PEFT and `loadAdapter` load, by name: for a page to store or offer as downloads. */
export async function adapterFiles(
  adapter: Adapter,
  { baseModel, files = {} }: SaveAdapterOptions = {},
): Promise<Map<string, () => Iterable<Uint8Array>>> {
  const { model, settings, modules, file } = adapter;
  const layout = layoutSafetensors(await adapterTensors(adapter), { metadata: { format: "pt" } });
  const config = writePeftConfig(settings, {
    file,
    targetModules: (file["target_modules"] as string[] | undefined) ?? targetNames(model, modules),
    baseModel,
    language: model.resolved.head.kind === "language",
  });
  const bytes = (data: string | Uint8Array): Uint8Array =>
    typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Map<string, () => Iterable<Uint8Array>>([
    [WEIGHTS, () => layout.chunks()],
    ...Object.entries(files).map(([name, data]) => [name, () => [bytes(data)]] as const),
    [ADAPTER_CONFIG, () => [bytes(`${JSON.stringify(config, null, 2)}\n`)]],
  ]);
}

/** Writes a folder that PEFT and `loadAdapter` load (Node). @throws AbortedError; what the file system throws */
export async function saveAdapter(
  adapter: Adapter,
  folder: string | URL,
  options: SaveAdapterOptions = {},
): Promise<void> {
  const local = localFiles();
  const target = local.path(folder);
  const files = await adapterFiles(adapter, options);
  throwIfAborted(options.signal, target);
  await local.makeFolder(target);
  for (const [name, chunks] of files) await local.write(local.join(target, name), chunks(), options.signal);
}

/**
 * An adapter's tensors by the names, and with the order of rows, of PEFT's files.
 * @param read of a parameter; its values unless told, but whatever belongs to one (a gradient) can be seen so
 */
export async function adapterTensors(
  adapter: Adapter,
  read: (parameter: Parameter) => Promise<Float32Array> = (parameter) => parameter.read(),
): Promise<Map<string, FloatTensor>> {
  const tensors = new Map<string, FloatTensor>();
  const family = familyOfModel(adapter.model);
  for (const part of adapter.lowRanks)
    for (const parameter of part.parameters) {
      const { name, shape } = parameter;
      const values = await read(parameter);
      const ordered =
        parameter === part.A ? values : toModuleOrder(part.module.rows, values, values.length / shape[0]!);
      tensors.set(ROOT + name, { shape, values: ordered });
    }
  for (const { parameter, spare, tensors: own } of adapter.whole) {
    const values = await read(adapter.isOn ? parameter : spare);
    for (const target of own)
      tensors.set(ROOT + moduleKey(family, target.key), {
        shape: target.shape,
        values: publishedValues(target, values),
      });
  }
  return tensors;
}
