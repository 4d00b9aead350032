export { type Checkpoint, CONFIG_FILE, GENERATION_CONFIG_FILE, openCheckpoint } from "./checkpoint/openCheckpoint.ts";
export { locateGguf, type GgufPlace } from "./checkpoint/locateGguf.ts";
export { openWeights, WEIGHTS_FILE } from "./checkpoint/openWeights.ts";
export { readJson } from "./checkpoint/readJson.ts";
export { type GgufFile, openGguf } from "./gguf/openGguf.ts";
export type { FileSection } from "./sources/fileSection.ts";
export { type GgufLayout, type GgufWriteOptions, layoutGguf } from "./gguf/ggufWriter.ts";
export { type GgufNumbers, type GgufScalar, GgufStrings, type GgufValue } from "./gguf/ggufValues.ts";
export type { GgufValueType } from "./gguf/ggufTypes.ts";
export { openPytorch } from "./pytorch/openPytorch.ts";
export { zipBlob } from "./pytorch/zipBlob.ts";
export { layoutPytorch, type PytorchLayout, type PytorchWriteOptions } from "./pytorch/pytorchWriter.ts";
export { openSafetensors } from "./safetensors/openSafetensors.ts";
export type { TensorEntry, TensorFile, TensorPiece } from "./tensors/tensorFile.ts";
export {
  checkpointBlobs,
  type CheckpointContent,
  saveCheckpoint,
  type SaveOptions,
  type WeightsFormat,
} from "./checkpoint/saveCheckpoint.ts";
export { parseSafetensors, type SafetensorsFile, tensorF32 } from "./safetensors/safetensors.ts";
export {
  type FloatTensor,
  layoutSafetensors,
  safetensorsBlob,
  type SafetensorsLayout,
  type SafetensorsWriteOptions,
  serializeSafetensors,
  type WritableTensor,
} from "./safetensors/safetensorsWriter.ts";
export { type AnyCache, cachedSource, type CachedSourceOptions } from "./cache/cachedSource.ts";
export { directoryCache } from "./cache/directoryCache.ts";
export type { CacheWriter, FileCache, ResponseCache } from "./cache/fileCache.ts";
export { handleCache } from "./cache/handleCache.ts";
export { openCache } from "./cache/openCache.ts";
export {
  type ByteSource,
  decodeUtf8,
  loadBytes,
  loadText,
  type LoadOptions,
  sourceName,
  streamBytes,
} from "./load/loadBytes.ts";
export { impostor } from "./impostor.ts";
export { asAborted, throwIfAborted } from "./sources/abort.ts";

export { handleSource } from "./sources/handleSource.ts";
export { type HubOptions } from "./sources/hub.ts";
export { type HttpOptions } from "./sources/httpFile.ts";
export { sha256Hex } from "./sources/sha256.ts";
export { type FileIntegrity, verifiedSource } from "./sources/verifiedSource.ts";
export { folderSource } from "./sources/folderSource.ts";
export { type FileMap, memorySource } from "./sources/memorySource.ts";
export { type LocalFiles, localFiles } from "./sources/localFiles.ts";
export { type ResumableOptions, type ResumableSection, writeFileResumably } from "./sources/resumableFile.ts";
export { fileStamps, isNode, makeFolder, removeFile, toPath, writeFileAtomically } from "./sources/nodeFiles.ts";
export { openSource, type OpenSourceOptions, type SourceLike } from "./sources/openSource.ts";
export type {
  Source,
  FileStream,
  ReadOptions,
  ReadProgress,
  ReadRangeOptions,
  StreamFileOptions,
} from "./sources/source.ts";
export { storeBytes, storedBytes } from "./sources/storedBytes.ts";
export { SourceError } from "./sources/sourceError.ts";
export { writeHandleFile } from "./sources/handleFile.ts";
export { asStorageFull, StorageFullError } from "./sources/storageFull.ts";
export { urlSource, type UrlSourceOptions } from "./sources/urlSource.ts";
export {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  parseStrictJsonBytes,
  quote,
  type StrictJsonOptions,
} from "./strictJson.ts";
export { fromFloat32Array, type RawTensor, toFloat32Array, toFloat64Array, toInt32Array } from "./tensors/convert.ts";
export { DTYPE_BYTES, type FloatStorage, type ElementType } from "./tensors/dtype.ts";
export {
  BLOCK_TYPES,
  blockOf,
  type BlockType,
  isBlockType,
  storedBytesOf,
  type StoredType,
} from "./tensors/blockTypes.ts";
export type { LazyTensor, OwnBytes } from "./tensors/lazyTensor.ts";
export { dequantize } from "./tensors/dequantize.ts";
export { quantize, type QuantizedType } from "./tensors/quantize.ts";
export {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxConstant,
  type OnnxGraph,
  type OnnxModelOptions,
  type OnnxNode,
  type OnnxType,
  type OnnxValue,
} from "./onnx/onnxModel.ts";
