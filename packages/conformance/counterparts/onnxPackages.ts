import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What of a tensor of onnxruntime is used. */
export interface OrtTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
/** What of a session of onnxruntime is used. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}
/** What `onnxruntime-node` and `onnxruntime-web` have in common. */
export interface OrtModule {
  readonly Tensor: new (
    type: "float32" | "int64",
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OrtTensor;
  readonly InferenceSession: { create(model: string | Uint8Array, options: object): Promise<OrtSession> };
  readonly env?: { readonly wasm: { numThreads: number } };
}

/** The packages of npm that run ONNX files. */
export type OrtPackage = "onnxruntime-node" | "onnxruntime-web";

/** A package of a folder where it was installed. @throws Error where it is not there */
export async function ortModule(name: OrtPackage, folder: string): Promise<OrtModule> {
  const from = createRequire(join(folder, "package.json"));
  const path = from.resolve(name === "onnxruntime-web" ? "onnxruntime-web/wasm" : name);
  const found = (await import(pathToFileURL(path).href)) as OrtModule & { default?: OrtModule };
  const ort = found.InferenceSession === undefined ? found.default! : found;
  if (ort.env !== undefined && name === "onnxruntime-web") ort.env.wasm.numThreads = 1;
  return ort;
}

/** Opens an ONNX file; the web's runtime is given the bytes, those of a file of weights beside it too. */
export async function openSession(ort: OrtModule, name: OrtPackage, file: string): Promise<OrtSession> {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 3 };
  if (name === "onnxruntime-node") return ort.InferenceSession.create(file, options);
  let externalData: { path: string; data: Uint8Array }[] = [];
  try {
    externalData = [{ path: `${basename(file)}.data`, data: readFileSync(`${file}.data`) }];
  } catch {
    // All weights are in the model.
  }
  return ort.InferenceSession.create(readFileSync(file), { ...options, externalData });
}
