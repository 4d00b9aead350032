export { fromPretrained, savePretrained, type FromPretrainedOptions } from "./fromPretrained.ts";
export {
  hybridConfig,
  type HybridConfig,
  type HybridOptions,
  type HybridSettings,
  type LanguageConfig,
  type LayerKind,
} from "./hybridConfig.ts";
export { hybridFromJson, hybridToJson, parseLanguageConfig } from "./hybridFile.ts";
export {
  LanguageModel,
  nextTokenTargets,
  NO_TARGET,
  type LanguageForwardOptions,
  type LanguageForwardResult,
} from "./model.ts";
export { ModelState } from "./modelState.ts";
