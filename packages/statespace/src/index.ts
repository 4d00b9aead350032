// The common face: what most programs need, by name, and everything else under the name of its package. Safe in browsers; the command line has
// an entry of its own.
export * from "@statespace/core";
export * as discretization from "@statespace/core/discretization";
export * as hippo from "@statespace/core/hippo";
export * as math from "@statespace/core/math";
export * as ops from "@statespace/core/ops";
export * as ssm from "@statespace/core/ssm";
export { cpuBackend } from "@statespace/backend-cpu";
export { wasmBackend } from "@statespace/backend-wasm";
export { webGpuBackend } from "@statespace/backend-webgpu";
export * as datasets from "@statespace/datasets";
export * as files from "@statespace/files";
export { openSource, SourceError } from "@statespace/files";
export * as models from "@statespace/models";
export {
  cosineSchedule,
  evaluate,
  folderStore,
  fromPretrained,
  generate,
  generateText,
  memoryStore,
  Model,
  predict,
  savePretrained,
  Session,
  train,
  type LoadedModel,
  type ModelConfig,
  type SequenceInput,
  type TrainingEvent,
} from "@statespace/models";
export * as text from "@statespace/text";
export { ByteTokenizer, loadTokenizer, trainBpe, type Tokenizer } from "@statespace/text";
export { load, type LoadOntoOptions } from "./load.ts";
export { open, save } from "./savedBytes.ts";
export { bundledCheckpoint } from "./bundledCheckpoint.ts";
export * from "./fit/index.ts";
export { PREFERENCE, registerAllBackends } from "./registerAllBackends.ts";
