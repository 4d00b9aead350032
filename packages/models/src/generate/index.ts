export { Chat, type ChatOptions } from "./chat.ts";
export { Decoder } from "./decoder.ts";
export {
  generate,
  generateText,
  type GeneratedText,
  type GenerateOptions,
  type GenerateTextOptions,
} from "./generate.ts";
export { loadGenerationConfig, parseGenerationConfig } from "./generationConfig.ts";
export {
  checkSampling,
  withDefaults,
  type SamplingSettings,
  type StreamOptions,
  type TokenOptions,
} from "./options.ts";
export type { Point } from "./places.ts";
export { prefill, PREFILL_CHUNK, type Prefilled, type PrefillOptions } from "./prefill.ts";
export { Session, type FinishReason, type GeneratedToken, type ReadOptions as SessionReadOptions } from "./session.ts";
export type { SessionOptions } from "./sessionOptions.ts";
