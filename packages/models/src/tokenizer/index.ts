export { ByteTokenizer, type ByteTokenizerOptions } from "./byteTokenizer.ts";
export { CharTokenizer, type CharTokenizerOptions } from "./charTokenizer.ts";
export { HuggingFaceTokenizer, type SpecialTokens } from "./huggingFaceTokenizer.ts";
export { loadTokenizer, parseTokenizer, tokenizerFiles } from "./loadTokenizer.ts";
export type { DecodeOptions, Tokenizer } from "./tokenizer.ts";
