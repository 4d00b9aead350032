export {
  resolveModelConfig,
  type LayerSettings,
  type SharedSettings,
  type MixerSettings,
  type ModelConfig,
  type ResolvedLayer,
  type ResolvedMixer,
  type ResolvedModel,
  type ResolvedShared,
} from "./config.ts";
export { inputWidth, type EncoderConfig, type HeadConfig, type Missing } from "./ends.ts";
export { inspect, type Inspection } from "./inspect.ts";
export { Model, type ModelForwardOptions, type ModelForwardResult } from "./model.ts";
export { readWeightFormat } from "./packing.ts";
export { ModelState } from "./state.ts";
export type { Normalize, Units } from "./units.ts";
export { nextTokenTargets, NO_TARGET } from "./targets.ts";
export { modelFromMessage, modelToMessage, type ModelMessage } from "./message.ts";
