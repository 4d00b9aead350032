import { refuseUnknown } from "@statespace/core/backend";
import {
  layoutGguf,
  quantize,
  toPath,
  writeFileAtomically,
  type GgufLayout,
  type GgufValue,
  type LazyTensor,
} from "@statespace/files";
import { ggufTextValues, type TextFiles } from "@statespace/text";
import type { Model } from "../../model/model.ts";
import { partsOf, publishedRows, rowsOfModel, type RowSource } from "../rows.ts";
import { familyTensors, type PublishedTensor } from "../weightNames.ts";
import { fileTypeOf, readGgufWeights, typeOf, type GgufWeights } from "./ggufTypesOf.ts";
import { ggufFamilyFor } from "./registry.ts";

/** How a GGUF file is written. */
export interface SaveGgufOptions {
  /** How matrices are kept; "f32" unless told. The rest is F32 in every file. */
  readonly weights?: GgufWeights;
  /** `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json` of the model: their content goes into the metadata. */
  readonly files?: TextFiles;
  /** `general.name`. */
  readonly name?: string;
  /** Told with each part of the weights: bytes of the file so far, and of all. */
  readonly progress?:
    | ((progress: { readonly tensor: string; readonly loaded: number; readonly total: number }) => void)
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: Readonly<Record<keyof SaveGgufOptions, true>> = {
  weights: true,
  files: true,
  name: true,
  progress: true,
  signal: true,
};
const OTHER_NAMES = {
  dtype: "weights",
  outtype: "weights",
  type: "weights",
  quantization: "weights",
  abortSignal: "signal",
};

/** @throws ArgumentError naming the option that is not known or wrong */
export function checkSaveGguf(caller: string, options: SaveGgufOptions): void {
  refuseUnknown(caller, options, Object.keys(OPTIONS), OTHER_NAMES);
  readGgufWeights(caller, options.weights);
}

/**
 * Writes a model as one GGUF file that llama.cpp loads (Node). Weights are converted some rows at a time, and the file appears under its name when it is whole.
 * @throws ArgumentError naming the setting that llama.cpp's architectures cannot express, the tokenizer that it does not know, or the option
 * that is wrong; AbortedError; what the file system throws.
 */
export async function saveGguf(model: Model, file: string | URL, options: SaveGgufOptions = {}): Promise<void> {
  checkSaveGguf("saveGguf", options);
  await writeFileAtomically(toPath(file), layoutModel(model, rowsOfModel(), options).chunks(), options.signal);
}

/** The same file as a Blob, for a browser to store or offer as a download. @throws as `saveGguf` */
export async function ggufBlob(model: Model, options: Omit<SaveGgufOptions, "signal"> = {}): Promise<Blob> {
  checkSaveGguf("ggufBlob", options);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const chunk of layoutModel(model, rowsOfModel(), options).chunks()) parts.push((await chunk).slice());
  return new Blob(parts, { type: "application/octet-stream" });
}

/** The file of a model whose rows come from anywhere. @throws as `saveGguf` */
export function layoutModel(
  model: Model,
  source: RowSource,
  options: SaveGgufOptions,
): GgufLayout & { readonly family: string } {
  const weights = readGgufWeights("saveGguf", options.weights);
  const { family, metadata } = ggufFamilyFor(model.resolved);
  const tensors = new Map<string, LazyTensor>();
  const told = { loaded: 0, total: 0 };
  for (const target of familyTensors(model, family)) {
    const tensor = lazily(target, model, source, weights);
    const tell = (bytes: number): void => {
      told.loaded += bytes;
      options.progress?.({ tensor: target.key, loaded: told.loaded, total: told.total });
    };
    tensors.set(target.key, {
      ...tensor,
      async read(part) {
        const bytes = await tensor.read(part);
        tell(bytes.byteLength);
        return bytes;
      },
    });
  }
  const layout = layoutGguf(metadataOf(model, family.architecture, metadata, weights, options), tensors);
  told.total = layout.byteLength;
  return { ...layout, family: family.name };
}

function lazily(target: PublishedTensor, model: Model, source: RowSource, weights: GgufWeights): LazyTensor {
  const dtype = typeOf(target, model, weights);
  const parts = partsOf(target);
  return {
    dtype,
    shape: target.shape,
    parts: parts.length,
    read: async (part) => quantize(dtype, await publishedRows(target, parts[part]!, source)),
  };
}

function metadataOf(
  model: Model,
  architecture: string,
  own: Readonly<Record<string, GgufValue>>,
  weights: GgufWeights,
  { files = {}, name }: SaveGgufOptions,
): ReadonlyMap<string, GgufValue> {
  const { bosTokenId, eosTokenIds, padTokenId, encoder } = model.resolved;
  const ids = {
    bos_token_id: bosTokenId,
    eos_token_id: eosTokenIds[0],
    eot_token_id: eosTokenIds[1],
    padding_token_id: padTokenId,
  };
  const text = (value: string): GgufValue => ({ type: "string", value });
  const whole = (value: number): GgufValue => ({ type: "uint32", value });
  return new Map<string, GgufValue>([
    ["general.architecture", text(architecture)],
    ["general.type", text("model")],
    ["general.name", text(name ?? architecture)],
    ["general.file_type", whole(fileTypeOf(weights))],
    ["general.quantization_version", whole(2)],
    ...Object.entries(own).map(([key, value]) => [`${architecture}.${key}`, value] as const),
    ...Object.entries(ids).flatMap(([key, id]) =>
      id === null || id === undefined ? [] : [[`tokenizer.ggml.${key}`, whole(id)] as const],
    ),
    ...Object.entries(ggufTextValues(files, encoder.kind === "embedding" ? encoder.vocabSize : 0)),
  ]);
}
