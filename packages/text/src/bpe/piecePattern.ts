/**
 * The pieces of text within which byte-level BPE merges: contractions, words, numbers, other signs, each with one
 * leading space, and white space. Same pieces as Hugging Face's ByteLevel pre-tokenizer with `use_regex`.
 * Source: GPT-2 (Radford et al. 2019), encoder pattern.
 */
export const piecePattern: RegExp = /'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
