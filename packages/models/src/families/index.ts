export type { Family, FamilyOptions } from "./family.ts";
export {
  familyConfig,
  fromPretrained,
  loadWeights,
  publishedWeights,
  savePretrained,
  type FromPretrainedOptions,
  type LoadProgress,
  type LoadWeightsOptions,
  type SavePretrainedOptions,
} from "./pretrained.ts";
export { families, familyNamed, familyOf, parseModelConfig } from "./registry.ts";
export { publishedTensors, type PartOrder, type PublishedTensor, type WeightRules } from "./weightNames.ts";
export { matchWeights, publishedValues, type NamedWeights } from "./weights.ts";
