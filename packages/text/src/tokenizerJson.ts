/** The parts of Hugging Face's `tokenizer.json` that this library looks at. */
export interface TokenizerJson {
  readonly added_tokens?: readonly AddedTokenJson[];
  readonly pre_tokenizer?: unknown;
  readonly decoder?: { readonly type?: unknown; readonly decoders?: unknown } | null;
  readonly model: {
    readonly type?: unknown;
    readonly vocab?: unknown;
    readonly merges?: unknown;
    readonly unk_token?: unknown;
  };
}

export interface AddedTokenJson {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export interface VocabularyParts {
  readonly vocab: Readonly<Record<string, number>>;
  readonly special: readonly string[];
  readonly unknown: string | null;
  readonly byteLevel: boolean;
  /** Cut the text into words first, as GPT-2 does; absent where tokens are single bytes. */
  readonly pieces?: boolean;
  readonly merges?: readonly string[];
}

/**
 * A `tokenizer.json` as BPE, which Hugging Face's libraries load as it stands; without merges, tokens are single bytes or characters.
 * Special tokens that the vocabulary does not hold follow it.
 */
export function writeTokenizerJson(parts: VocabularyParts): string {
  const { vocab, special, unknown, byteLevel, pieces = false, merges = [] } = parts;
  const size = Object.keys(vocab).length;
  const added = special.map((content, i) => ({
    id: vocab[content] ?? size + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const byteLevelPart = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: pieces };
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel ? byteLevelPart : null,
    post_processor: null,
    decoder: byteLevel ? byteLevelPart : { type: "Fuse" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
  return JSON.stringify(json);
}
