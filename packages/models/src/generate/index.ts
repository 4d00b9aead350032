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
export { prefill, PREFILL_CHUNK, type Prefilled, type PrefillOptions } from "./prefill.ts";
export {
  Session,
  type FinishReason,
  type GeneratedToken,
  type Point,
  type ReadOptions as SessionReadOptions,
  type SessionOptions,
} from "./session.ts";
