export * from "./adapters/index.ts";
export * from "./families/index.ts";
export type { AttentionMixerConfig } from "./mixers/attention/config.ts";
export type { RotaryScaling } from "./mixers/attention/scaling.ts";
export { AttentionMixer } from "./mixers/attention/mixer.ts";
export * from "./generate/index.ts";
export * from "./layers/index.ts";
export type { GatedDeltaMixerConfig } from "./mixers/gatedDelta/config.ts";
export { GatedDeltaMixer } from "./mixers/gatedDelta/mixer.ts";
export type { MambaMixerConfig } from "./mixers/mamba/config.ts";
export { MambaMixer } from "./mixers/mamba/mixer.ts";
export type { Mamba2MixerConfig } from "./mixers/mamba2/config.ts";
export { Mamba2Mixer } from "./mixers/mamba2/mixer.ts";
export * from "./mixers/lssl/index.ts";
export * from "./mixers/recurrent/index.ts";
export * from "./mixers/s4/index.ts";
export * from "./mixers/s5/index.ts";
export * from "./model/index.ts";
export type { Mamba3MixerConfig } from "./mixers/mamba3/config.ts";
export { Mamba3Mixer } from "./mixers/mamba3/mixer.ts";
export {
  rotatedScan,
  rotatedStep,
  type RotatedScanInputs,
  type RotatedScanOptions,
} from "./mixers/mamba3/rotatedScan.ts";
export * from "./pretrained/index.ts";
export * from "./sound/index.ts";
export * from "./train/index.ts";
export { mixerKinds, type MixerKind } from "./mixers/registry.ts";
export { MlpMixer } from "./mixers/mlp/mixer.ts";
export type { RgLruConfig } from "./mixers/rgLru/config.ts";
export { RgLruMixer } from "./mixers/rgLru/mixer.ts";
export type { ShortConvConfig } from "./mixers/shortConv/config.ts";
export { ShortConvMixer } from "./mixers/shortConv/mixer.ts";
