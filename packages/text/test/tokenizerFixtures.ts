import { byteCharacters } from "../src/byteAlphabet.ts";

export const SAMPLES: readonly string[] = [
  "",
  "Hello, world",
  " two  spaces ",
  "naïve café — “quotes”",
  "日本語のテキスト",
  "emoji: 😀👨‍👩‍👧🇩🇪 end",
  "tabs\tand\nlines\r\n\0",
  "\ufefffirst a byte order mark, then \ufffd itself",
  "ẞ𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ∑∫√ 0123456789",
];

/** A byte-level BPE as GPT-NeoX's (that of the published Mamba models), with merges that cut and join characters of several bytes. */
export function byteLevelBpe(): string {
  const letters = byteCharacters();
  const of = (bytes: number[]): string => bytes.map((byte) => letters[byte]).join("");
  const merges: [string, string][] = [
    [of([0x6c]), of([0x6c])], // l l
    [of([0x20]), of([0x77])], // space w
    [of([0xe6]), of([0x97])], // the first two of three bytes of many Chinese characters
    [of([0xf0]), of([0x9f])], // the first two of four bytes of emoji
    [of([0xf0, 0x9f]), of([0x98])],
    [of([0x80]), of([0xf0, 0x9f])], // the end of one emoji and the beginning of the next
    [of([0xc3]), of([0xaf])], // a whole i with diaeresis
  ];
  const vocab: Record<string, number> = {};
  for (const letter of letters) vocab[letter] = Object.keys(vocab).length;
  for (const [left, right] of merges) vocab[left + right] = Object.keys(vocab).length;
  const size = Object.keys(vocab).length;
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: "1.0",
    added_tokens: [
      {
        id: size,
        content: "<|endoftext|>",
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
      {
        id: size + 1,
        content: "  ",
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: true,
        special: false,
      },
      // Text of its own that is also a letter of the byte alphabet (for 0xe9, no whole character).
      {
        id: size + 2,
        content: "é",
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: true,
        special: false,
      },
    ],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: merges.map((pair) => pair.join(" ")),
    },
  });
}

/** A SentencePiece-like BPE with byte fallback: its first token's space is dropped, so text is not just the tokens' texts in a row. */
export function spaceBpe(): string {
  const vocab: Record<string, number> = { "<unk>": 0 };
  for (let byte = 0; byte < 256; byte++) vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`] = byte + 1;
  for (const token of ["▁", "H", "e", "l", "o", "w", "r", "d", "ll", "▁w"]) vocab[token] = Object.keys(vocab).length;
  return JSON.stringify({
    version: "1.0",
    added_tokens: [
      { id: 0, content: "<unk>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    ],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: ["l l", "▁ w"],
    },
  });
}

/** A WordPiece as BERT has it, of some words. */
export const wordPiece: string = JSON.stringify({
  version: "1.0",
  added_tokens: [
    { id: 0, content: "[UNK]", special: true, single_word: false, lstrip: false, rstrip: false, normalized: false },
  ],
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: {},
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, hello: 1, world: 2, "##s": 3, ",": 4 },
  },
});
/** A Unigram of some words. */
export const unigram: string = JSON.stringify({
  version: "1.0",
  added_tokens: [],
  normalizer: { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
  decoder: { type: "Metaspace", replacement: "▁", add_prefix_space: true },
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["▁", -1],
      ["hello", -2],
      ["o", -3],
      ["l", -3],
    ],
  },
});
