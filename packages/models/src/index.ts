export * from "./checkpoint/index.ts";
export * from "./generation/index.ts";
export * from "./language/index.ts";
export * from "./layers/index.ts";
export { MambaMixer, type MambaMixerConfig } from "./mamba/block.ts";
export { Mamba2Mixer, type Mamba2MixerConfig } from "./mamba2/block.ts";
export * from "./s5/index.ts";
export * from "./tokenizer/index.ts";
export * from "./training/index.ts";
