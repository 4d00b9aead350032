export { cachedSource, type CachedSourceOptions, type ResponseCache } from "./cachedSource.ts";
export {
  type Checkpoint,
  openCheckpoint,
  openWeights,
  readJson,
  type TensorEntry,
  type Weights,
} from "./checkpoint.ts";
export { fromFloat32Array, type RawTensor, toFloat32Array, toFloat64Array, toInt32Array } from "./convert.ts";
export { DTYPE_BYTES, type FloatStorage, type SafetensorsDType } from "./dtype.ts";
export { folderSource } from "./folderSource.ts";
export type { MambaSsmOptions } from "./mambaSsmConfig.ts";
export { type FileMap, memorySource } from "./memorySource.ts";
export type {
  AttentionConfig,
  ConfigDialect,
  LanguageModelConfig,
  Mamba2Config,
  Mamba3Config,
  MambaConfig,
  ModelConfig,
  TimeStepInit,
} from "./modelConfig.ts";
export { openSource, type OpenSourceOptions, type SourceLike } from "./openSource.ts";
export { parseModelConfig } from "./parseModelConfig.ts";
export { parseSafetensors, type SafetensorsFile, tensorF32 } from "./safetensors.ts";
export {
  layoutSafetensors,
  safetensorsBlob,
  type SafetensorsLayout,
  type SafetensorsWriteOptions,
  serializeSafetensors,
  type FloatTensor,
  type WritableTensor,
} from "./safetensorsWriter.ts";
export { checkpointBlobs, type CheckpointContent, saveCheckpoint, type SaveOptions } from "./saveCheckpoint.ts";
export type { CheckpointSource, FileStream, ReadOptions, ReadProgress, ReadRangeOptions } from "./source.ts";
export { SourceError } from "./sourceError.ts";
export type { JsonObject, JsonValue } from "./strictJson.ts";
export { canonicalKey, dialectKey, HEAD_KEY, matchTensors, tensorShapes } from "./tensorKeys.ts";
export { toTransformersConfig } from "./toTransformersConfig.ts";
export { urlSource, type UrlSourceOptions } from "./urlSource.ts";
