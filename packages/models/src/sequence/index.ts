export { loadSequenceModel, saveSequenceModel } from "./checkpoint.ts";
export {
  resolveSequenceConfig,
  type EncoderConfig,
  type HeadConfig,
  type LayerSettings,
  type MixerKind,
  type SequenceConfig,
} from "./config.ts";
export { SequenceModel, type SequenceForwardOptions, type SequenceForwardResult } from "./model.ts";
export { sequenceObjective, type SequenceObjectiveOptions } from "./objective.ts";
