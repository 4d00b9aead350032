export type { MambaSsmOptions } from "./mambaSsmConfig.ts";
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
export { parseModelConfig } from "./parseModelConfig.ts";
export { canonicalKey, dialectKey, HEAD_KEY, matchTensors, tensorShapes } from "./tensorKeys.ts";
export { toTransformersConfig } from "./toTransformersConfig.ts";
