export { Decoder } from "./decoder.ts";
export {
  generate,
  generateText,
  type GeneratedText,
  type GeneratedToken,
  type GenerateOptions,
  type GenerateTextOptions,
} from "./generate.ts";
export { prefill, PREFILL_CHUNK, type Prefilled, type PrefillOptions } from "./prefill.ts";
export { argmax, checkSampling, chooseToken, tokenLogprob, type SamplingSettings, type Uniform } from "./sampling.ts";
