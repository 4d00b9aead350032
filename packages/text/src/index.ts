export { ByteTokenizer, type ByteTokenizerOptions } from "./byteTokenizer.ts";
export { CharTokenizer, type CharTokenizerOptions } from "./charTokenizer.ts";
export { HuggingFaceTokenizer, type SpecialTokens } from "./huggingFaceTokenizer.ts";
export { loadTokenizer, parseTokenizer, tokenizerFiles } from "./loadTokenizer.ts";
export { StopFilter } from "./stopStrings.ts";
export { StreamDecoder, type StreamDecoderOptions } from "./streamDecoder.ts";
export type { DecodeOptions, Tokenizer } from "./tokenizer.ts";
