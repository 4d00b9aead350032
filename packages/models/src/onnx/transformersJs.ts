import {
  makeFolder,
  writeFileAtomically,
  type JsonObject,
  type JsonValue,
  type ResumableOptions,
} from "@statespace/files";
import type { RowSource } from "../families/rows.ts";
import type { Model } from "../model/model.ts";
import type { OnnxWeights } from "./dialect.ts";
import type { SaveOnnxOptions } from "./options.ts";
import { writeOnnx } from "./saveOnnx.ts";
import { checkTransformersClass, transformersPorts } from "./transformersPorts.ts";

/** What a folder has besides the weights. */
export interface FolderContent {
  /** As transformers has it. */
  readonly config: JsonObject;
  /** Tokenizer and the like, by their names. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** How its weights are written. */
  readonly resumable?: Omit<ResumableOptions, "signal" | "whole">;
}

/** Which file transformers.js opens for a type of weights, and what it calls that type. */
const FILES: Readonly<Record<OnnxWeights, readonly [file: string, dtype: string]>> = {
  f32: ["model", "fp32"],
  q8: ["model_quantized", "q8"],
  q4: ["model_q4", "q4"],
};
/** Kinds of layers by the names of today and those that transformers.js knows. */
const LAYERS: Readonly<Record<string, string>> = { linear_attention: "mamba", full_attention: "attention" };

/**
 * A folder that transformers.js loads: `config.json`, the tokenizer, and `onnx/model.onnx` (`model_q4.onnx`, `model_quantized.onnx`). The config comes last, so that a
 * folder that has one has everything.
 * @returns bytes of the weights that an earlier call had left, where it is resumable
 * @throws ArgumentError naming the kind of model, the part of it or the option that cannot be written; AbortedError; what the file system throws.
 */
export async function writeTransformersJs(
  model: Model,
  rows: RowSource,
  folder: string,
  { config, files, resumable }: FolderContent,
  options: SaveOnnxOptions,
): Promise<number> {
  const modelType = checkTransformersClass(config["model_type"]);
  const [file, dtype] = FILES[options.weights ?? "f32"];
  await makeFolder(`${folder}/onnx`);
  const { external, resumed } = await writeOnnx(model, rows, `${folder}/onnx/${file}.onnx`, options, {
    renamed: (graph) => transformersPorts(graph, model, modelType),
    dataSuffix: "_data",
    ...(resumable === undefined ? {} : { resumable }),
  });
  const own = { dtype, ...(external ? { use_external_data_format: true } : {}) };
  const whole = { ...layersNamed(config, modelType), "transformers.js_config": own };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const [name, data] of Object.entries({ ...files, "config.json": JSON.stringify(whole, undefined, 2) }))
    await writeFileAtomically(`${folder}/${name}`, [typeof data === "string" ? encode(data) : data], options.signal);
  return resumed;
}

function layersNamed(config: JsonObject, modelType: string): JsonObject {
  if (modelType !== "granitemoehybrid" && modelType !== "nemotron_h") return config;
  const renamed = (value: JsonValue): JsonValue =>
    Array.isArray(value) ? value.map((kind) => LAYERS[String(kind)] ?? kind) : value;
  const keys = ["layer_types", "layers_block_type"].filter((key) => config[key] !== undefined);
  return { ...config, ...Object.fromEntries(keys.map((key) => [key, renamed(config[key]!)])) };
}
