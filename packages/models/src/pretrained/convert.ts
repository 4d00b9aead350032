import { ArgumentError } from "@statespace/core";
import { nearestName, refuseUnknown } from "@statespace/core/backend";
import {
  fromFloat32Array,
  openSource,
  saveCheckpoint,
  toPath,
  writeFileResumably,
  type FloatStorage,
  type JsonObject,
  type LazyTensor,
  type OpenSourceOptions,
  type ReadOptions,
  type ResumableOptions,
  type SourceLike,
} from "@statespace/files";
import { ggufTextFiles } from "@statespace/text";
import { Model } from "../model/model.ts";
import type { OnnxWeights } from "../onnx/dialect.ts";
import { dialectOf, type SaveOnnxOptions } from "../onnx/options.ts";
import type { Family } from "../families/family.ts";
import { readGgufWeights, type GgufWeights } from "../families/gguf/ggufTypesOf.ts";
import { layoutModel } from "../families/gguf/saveGguf.ts";
import { sourceOptions } from "../families/pretrained.ts";
import { openModelFiles, type ModelFiles } from "../families/openModelFiles.ts";
import { families, familyNamed } from "../families/registry.ts";
import { partsOf, publishedRows, type RowSource } from "../families/rows.ts";
import { rowsOfFile } from "../families/rowsOfFile.ts";
import { familyTensors } from "../families/weightNames.ts";
import { weightsFile } from "../families/weightsFile.ts";
import { matchWeights } from "../families/weights.ts";
import { prepareOut, stampOf } from "./conversionPlaces.ts";

/** What `convert` makes of a checkpoint, and how. */
export interface ConvertOptions
  extends OpenSourceOptions, ReadOptions, Pick<SaveOnnxOptions, "opset" | "operators" | "view"> {
  /**
   * The form: `gguf` (one file, for llama.cpp), `onnx` (one file, and its weights beside it where they are many), `transformers.js` (a folder with an ONNX file under the
   * names that it expects), `transformers`, `mamba_ssm` or `statespace` (a folder), or one family by its name. What the ending of `out` says (`.gguf`, `.onnx`),
   * else `transformers`, unless told.
   */
  readonly to?: string | undefined;
  /**
   * How weights are kept: `f32`, `f16` and `bf16`, in a GGUF file also `q8`, `q4` and `q4_k_m`, in an ONNX file `f32`, `q8` and `q4`. As they are in a folder, `f32` in
   * a file, unless told.
   */
  readonly weights?: GgufWeights | undefined;
  /** Told with each part of the weights. */
  readonly progress?:
    | ((progress: { readonly tensor: string; readonly loaded: number; readonly total: number }) => void)
    | undefined;
  /** Told, in a line, what of the files is not part of the model; a warning on the console unless told. */
  readonly notice?: ((line: string) => void) | undefined;
}

/** What was written. */
export interface Converted {
  /** Bytes of the weights that an earlier call of the same had left, and that were kept. */
  readonly resumed: number;
  /** The family whose form it has, `gguf:mamba2` and the like of a GGUF file. */
  readonly family: string;
}

const OPTIONS: Readonly<Record<keyof ConvertOptions, true>> = {
  to: true,
  weights: true,
  opset: true,
  operators: true,
  view: true,
  progress: true,
  notice: true,
  signal: true,
  onProgress: true,
  cache: true,
  revision: true,
  hub: true,
  fetch: true,
  retries: true,
  integrity: true,
  keyPrefix: true,
  onPutError: true,
};
const STORAGE: Readonly<Partial<Record<GgufWeights, FloatStorage>>> = { f32: "F32", f16: "F16", bf16: "BF16" };
/** Forms that have an ONNX file. */
const ONNX_FORMS = ["onnx", "transformers.js"];
/** Files beside the weights that go along. */
const TEXT_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "generation_config.json",
] as const;

/**
 * Converts a checkpoint of any known family from one form into another (Node). Weights are read and written some rows at a time: a few times 8 MB are in memory,
 * whatever the model's size. What is written appears under its name when it is whole. A call that is stopped, or whose process is killed, is gone on with by the next
 * of the same words.
 * @param from what `load` takes; @param out the GGUF file or the folder to write
 * @throws ArgumentError naming the option that is unknown or wrong, or the setting that the form cannot express, or where `out` is what is read, or a folder in place of a file; FormatError naming the file, key or tensor;
 * SourceError; AbortedError; what the file system throws.
 */
export async function convert(from: SourceLike, out: string | URL, options: ConvertOptions = {}): Promise<Converted> {
  refuseUnknown("convert", options, Object.keys(OPTIONS), {
    family: "to",
    format: "to",
    dtype: "weights",
    outtype: "weights",
  });
  const to = options.to ?? /\.(gguf|onnx)$/i.exec(String(out))?.[1]!.toLowerCase() ?? "transformers";
  const weights = options.weights === undefined ? undefined : readGgufWeights("convert", options.weights);
  const onnx = ONNX_FORMS.includes(to) ? dialectOf("convert", onnxOptions(options)) : undefined;
  for (const option of ["opset", "operators", "view"] as const)
    if (onnx === undefined && options[option] !== undefined)
      throw new ArgumentError(`convert: ${option} is for ${ONNX_FORMS.join(" and ")}, got to = ${to}`);
  if (to !== "gguf" && onnx === undefined && weights !== undefined && STORAGE[weights] === undefined)
    throw new ArgumentError(
      `convert: weights of a folder must be one of ${Object.keys(STORAGE).join(", ")}, got "${weights}"`,
    );
  expectForm(to);
  await prepareOut(from, out, to === "gguf" || to === "onnx");
  const places = sourceOptions({ ...options, weights: undefined });
  const opened = await openModelFiles(from, places);
  const model = new Model(opened.family.read(opened.fields, {}), "empty");
  try {
    const unknown: string[] = [];
    const matched = matchWeights(model, opened.family, opened.tensors.entries, (key) => unknown.push(key));
    const [first] = unknown;
    const tell = options.notice ?? ((line: string): void => console.warn(line));
    if (first !== undefined)
      tell(`${unknown.length} tensors are not part of the model and are left out: ${first}, ...`);
    const rows = rowsOfFile(matched, opened.tensors, { signal: options.signal });
    const { signal } = options;
    const resumable = async (family: string): Promise<Omit<ResumableOptions, "signal" | "whole">> => ({
      identity: [await stampOf(from), options.revision ?? "", family, ...dialectOfFile(options)].join("\n"),
      progress: ({ section, loaded, total }) => options.progress?.({ tensor: section, loaded, total }),
    });
    if (to === "onnx") {
      // Apart from what a page loads.
      const { writeOnnx } = await import("../onnx/saveOnnx.ts");
      const form = { resumable: await resumable(to) };
      const { resumed } = await writeOnnx(model, rows, toPath(out), onnxOptions(options), form);
      return { family: to, resumed };
    }
    const files = await textFiles(from, opened, places);
    if (to === "transformers.js") {
      const { writeTransformersJs } = await import("../onnx/transformersJs.ts");
      const { config } = targetFamily(model, "transformers", "F32");
      const content = { config, files, resumable: await resumable(to) };
      return {
        family: to,
        resumed: await writeTransformersJs(model, rows, toPath(out), content, onnxOptions(options)),
      };
    }
    if (to === "gguf") {
      const layout = layoutModel(model, rows, { files, ...(weights === undefined ? {} : { weights }) });
      const resumed = await writeFileResumably(toPath(out), layout.sections, {
        ...(await resumable(layout.family)),
        signal,
      });
      return { family: layout.family, resumed };
    }
    const { family, config } = targetFamily(
      model,
      to,
      weights === undefined ? storageOf(opened, matched.keys()) : STORAGE[weights]!,
    );
    const dtypeOf = (key: string): FloatStorage =>
      weights === undefined ? ownStorage(opened, matched, key) : STORAGE[weights]!;
    const tensors = folderTensors(model, family, rows, dtypeOf);
    const content = { config: family.stringify?.(config) ?? config, tensors, files };
    const resumed = await saveCheckpoint(out, content, {
      ...weightsFile(family, model),
      resumable: await resumable(family.name),
      ...(signal === undefined ? {} : { signal }),
    });
    return { family: family.name, resumed };
  } finally {
    model.dispose();
  }
}

/** @throws ArgumentError for a form that there is not, with the one that may be meant */
function expectForm(to: string): void {
  const forms = ["gguf", "transformers", ...ONNX_FORMS, ...families.map(({ name }) => name)];
  if (forms.includes(to)) return;
  const meant = nearestName(to, forms);
  throw new ArgumentError(
    `convert: there is no form ${to}; ${meant === undefined ? `there are ${forms.join(", ")}` : `${meant} may be meant`}`,
  );
}

/** What of the options decides which bytes a file has. */
const dialectOfFile = ({ weights, opset, operators, view }: ConvertOptions): readonly string[] =>
  [weights, opset, operators, view].map((value) => String(value ?? ""));

/** What of the options is of an ONNX file; its own check tells which weights it has. */
function onnxOptions({ opset, operators, view, weights, signal }: ConvertOptions): SaveOnnxOptions {
  return { opset, operators, view, weights: weights as OnnxWeights | undefined, signal };
}

/** The weights' own type, by the name that our parameter has. */
function ownStorage(
  { tensors }: ModelFiles,
  matched: ReadonlyMap<string, { readonly parameter: { readonly name: string } }>,
  parameter: string,
): FloatStorage {
  for (const [key, target] of matched) {
    if (target.parameter.name !== parameter) continue;
    const { dtype } = tensors.entries.get(key)!;
    return dtype === "F16" || dtype === "BF16" ? dtype : "F32";
  }
  return "F32";
}

/** The type that a config tells: that of the first half-precision weight, if there is one. */
function storageOf({ tensors }: ModelFiles, keys: Iterable<string>): FloatStorage {
  for (const key of keys) {
    const { dtype } = tensors.entries.get(key)!;
    if (dtype === "F16" || dtype === "BF16") return dtype;
  }
  return "F32";
}

/** The family that a form means, and its config of the model. @throws ArgumentError where the form has none that says the model */
function targetFamily(
  model: Model,
  to: string,
  dtype: FloatStorage,
): { readonly family: Family; readonly config: JsonObject } {
  const own = families.find(({ name }) => name === model.config.family);
  const others = families.filter((family) => family.name !== "mamba_ssm" && !family.name.startsWith("statespace"));
  const candidates =
    to === "transformers"
      ? [...(own !== undefined && others.includes(own) ? [own] : []), ...others]
      : [familyNamed(to)];
  const reasons: string[] = [];
  for (const family of candidates) {
    try {
      if (family.write === undefined) throw new ArgumentError(`family ${family.name} is only read`);
      return { family, config: family.write(model.resolved, dtype) };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new ArgumentError(`convert: ${to} has no form for this model: ${reasons.slice(0, 3).join("; ")}`);
}

function folderTensors(
  model: Model,
  family: Family,
  rows: RowSource,
  dtypeOf: (parameter: string) => FloatStorage,
): ReadonlyMap<string, LazyTensor> {
  return new Map(
    familyTensors(model, family).map((target) => {
      const parts = partsOf(target);
      const dtype = dtypeOf(target.parameter.name);
      const read = async (part: number): Promise<Uint8Array> =>
        fromFloat32Array(await publishedRows(target, parts[part]!, rows), dtype);
      return [target.key, { dtype, shape: target.shape, parts: parts.length, read }];
    }),
  );
}

/** Tokenizer, template and sampling, as a folder has them. */
async function textFiles(
  from: SourceLike,
  { gguf }: ModelFiles,
  options: OpenSourceOptions & ReadOptions,
): Promise<Record<string, string | Uint8Array>> {
  if (gguf !== undefined) return ggufTextFiles(gguf.values);
  const source = openSource(from, options);
  const files: Record<string, Uint8Array> = {};
  for (const name of TEXT_FILES) {
    const bytes = await source.read(name, { signal: options.signal });
    if (bytes !== undefined) files[name] = bytes;
  }
  return files;
}
