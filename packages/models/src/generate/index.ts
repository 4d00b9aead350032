export { beamSearch, type Beam, type BeamSearchOptions } from "./beamSearch.ts";
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
  type GuideOptions,
  type SamplingSettings,
  type SpeculativeOptions,
  type StreamOptions,
  type TokenOptions,
} from "./options.ts";
export type { Point } from "./places.ts";
export { prefill, type Prefilled, type PrefillOptions } from "./prefill.ts";
export { PREFILL_CHUNK } from "./promptReader.ts";
export {
  Session,
  type FinishReason,
  type ForkOptions,
  type GeneratedToken,
  type ReadOptions as SessionReadOptions,
} from "./session.ts";
export type { SessionOptions } from "./sessionOptions.ts";
export { folderShelf } from "./states/folderShelf.ts";
export { handleShelf, pageShelf } from "./states/pageShelf.ts";
export { memoryShelf, type ShelfEntry, type StateShelf } from "./states/stateShelf.ts";
export {
  StateStore,
  type FoundState,
  type StateStoreOptions,
  type StateStoreStats,
  type StoredPlace,
} from "./states/stateStore.ts";
export type { Pieces } from "./states/pieces.ts";
export type { GuidePlace, TokenGuide } from "./guides/tokenGuide.ts";
export type { TokenLogprob } from "./logprobs.ts";
export { Generation, type GenerationPiece } from "./scheduler/generation.ts";
export { BusyError, Scheduler, type SchedulerOptions, type SchedulerStats } from "./scheduler/scheduler.ts";
