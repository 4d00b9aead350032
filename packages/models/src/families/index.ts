export type { Family, FamilyOptions } from "./family.ts";
export {
  familyConfig,
  fromPretrained,
  loadWeights,
  pretrainedBlobs,
  publishedWeights,
  savePretrained,
  type FromPretrainedOptions,
  type LoadProgress,
  type LoadWeightsOptions,
  type PretrainedBlobsOptions,
  type SavePretrainedOptions,
} from "./pretrained.ts";
export { families, familyNamed, familyOf, parseModelConfig } from "./registry.ts";
export {
  familyTensors,
  publishedTensors,
  type PartOrder,
  type PublishedTensor,
  type Publishing,
  type ValueForm,
  type ValuePlace,
  type WeightRules,
} from "./weightNames.ts";
export { matchWeights, publishedValues, type NamedWeights } from "./weights.ts";
export { ggufBlob, saveGguf, type SaveGgufOptions } from "./gguf/saveGguf.ts";
export type { GgufWeights } from "./gguf/ggufTypesOf.ts";
export { openModelFiles, type ModelFiles } from "./openModelFiles.ts";
